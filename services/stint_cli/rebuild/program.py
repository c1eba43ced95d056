"""The projector's program that rebuilds, as a process beside this one."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from services.stint_cli.settings import DeploymentSettings
from services.stint_cli.terminal.failures import why_it_ended
from services.stint_cli.trouble import Trouble
from shared.settings import KafkaSettings, PostgresSettings

_ROOT: Final = Path(__file__).resolve().parents[3]
# A line has the first rows that differ, each twice.
_LINE_BYTES_MAX: Final = 64 * 1024 * 1024
_STAYS: Final = " What is filled stays: `stint rebuild --resume` goes on there."

Line = Mapping[str, Any]


async def rebuilt(settings: DeploymentSettings, asked: Sequence[str], hear: Callable[[Line], None]) -> dict[str, Any]:
    """Rebuild, give each line of progress to `hear`, and return the result. Raise Trouble when it did not come to one.

    An interrupt ends the program too: all that it has filled stays. The program itself says so of what it fails on.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "rebuild", *asked),
        cwd=_ROOT,
        env=os.environ | _environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
        # An interrupt at the terminal reaches this process alone, which passes it on.
        start_new_session=True,
    )
    complaints = asyncio.ensure_future(_all_of(process.stderr))
    last: Line = {}
    # From the first stage on there are tables to go on with.
    stays = ""
    try:
        # One that was killed while it wrote leaves a piece of a line.
        while process.stdout is not None and (line := await process.stdout.readline()).endswith(b"\n"):
            last = json.loads(line)
            if "stage" in last:
                stays = _STAYS
                hear(last)
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


def _environment(settings: DeploymentSettings) -> dict[str, str]:
    """Return our addresses of Kafka and Postgres as settings of the projector."""
    names = [*KafkaSettings.model_fields, *PostgresSettings.model_fields]
    values = {name: getattr(settings, name) for name in names}
    return {
        f"PROJECTOR_{name}".upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
        if value is not None
    }
