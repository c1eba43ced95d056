"""The projector's program that rebuilds: started, listened to line by line, and ended with this process."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from services.stint_cli.projector import environment_of, started, why_it_ended
from services.stint_cli.settings import DeploymentSettings
from services.stint_cli.trouble import Trouble
from shared.settings import KafkaSettings, PostgresSettings

_STAYS: Final = " What is filled stays: `stint rebuild --resume` goes on there."

Line = Mapping[str, Any]


async def rebuilt(
    settings: DeploymentSettings, asked: Sequence[str], on_progress: Callable[[Line], None]
) -> dict[str, Any]:
    """Rebuild, call `on_progress` with each line of progress, and return the result. Raise Trouble when there is none.

    An interrupt ends the program too: all that it has filled stays. The program itself says so of what it fails on.
    """
    environment = environment_of(settings, KafkaSettings, PostgresSettings)
    process = await started("rebuild", asked, environment, interrupted_with_us=False)
    complaints = asyncio.ensure_future(_all_of(process.stderr))
    last: Line = {}
    # From the first stage on there are tables to go on with.
    stays = ""
    try:
        # A program that was killed while it wrote leaves a piece of a line.
        while process.stdout is not None and (line := await process.stdout.readline()).endswith(b"\n"):
            last = json.loads(line)
            if "stage" in last:
                stays = _STAYS
                on_progress(last)
        await process.wait()
    except asyncio.CancelledError:
        raise Trouble(f"Interrupted.{stays}") from None
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
    if "failed" in last:
        raise Trouble(last["failed"])
    if "result" not in last:
        why = why_it_ended(process.returncode or 0, await complaints)
        raise Trouble(f"The rebuild ended before its end: {why}.{stays}")
    result: dict[str, Any] = last["result"]
    return result


async def _all_of(stream: asyncio.StreamReader | None) -> str:
    return "" if stream is None else (await stream.read()).decode(errors="replace")
