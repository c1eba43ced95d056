"""The audit is the projector's own. It runs as a program beside this one, because services never import each other."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from services.stint_cli.trouble import Trouble
from shared.settings import KafkaSettings

_ROOT: Final = Path(__file__).resolve().parents[3]
# An outcome that changes two hundred timers is a long line.
_LINE_BYTES_MAX: Final = 64 * 1024 * 1024
_DIFFERENT: Final = 1


async def differences(settings: KafkaSettings, partitions: int, tenant: str | None) -> tuple[list[dict[str, Any]], int]:
    """Return every press whose verdict would be another today, and how many events were judged. Raise Trouble."""
    asked = ["--partitions", str(partitions), *(() if tenant is None else ("--tenant", tenant))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "audit", *asked),
        cwd=_ROOT,
        env=os.environ | environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    said, complaints = await process.communicate()
    lines = [json.loads(line) for line in said.splitlines()]
    # A difference and a crash both end with 1, and only an audit that came to its end counts what it read.
    if process.returncode not in {0, _DIFFERENT} or not lines or "events" not in lines[-1]:
        words = complaints.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Trouble(f"The audit ended before its end: {words[-1]}")
    return lines[:-1], lines[-1]["events"]


def environment(settings: KafkaSettings) -> Mapping[str, str]:
    """Return our address of Kafka as settings of the projector."""
    values = {name: getattr(settings, name) for name in KafkaSettings.model_fields}
    return {f"PROJECTOR_{name}".upper(): str(value) for name, value in values.items() if value is not None}
