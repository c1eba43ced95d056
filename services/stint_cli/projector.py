"""The projector's own programs, `audit` and `rebuild`, each as a process beside this one.

A service never imports another one, so a command that needs the fold runs it as a program.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from shared.settings import ProcessSettings

_ROOT: Final = Path(__file__).resolve().parents[2]
# A line may hold an outcome that changes two hundred timers, or the first rows that differ, each twice.
_LINE_BYTES_MAX: Final = 64 * 1024 * 1024


async def started(
    program: str, arguments: Sequence[str], environment: dict[str, str], *, interrupted_with_us: bool = True
) -> asyncio.subprocess.Process:
    """Start a program and return it. `interrupted_with_us` False: Ctrl-C at the terminal reaches this process alone."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", program, *arguments),
        cwd=_ROOT,
        env=os.environ | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
        start_new_session=not interrupted_with_us,
    )


def environment_of(settings: ProcessSettings, *kinds: type[ProcessSettings]) -> dict[str, str]:
    """Return our own settings, those that these mixins have, as the projector's."""
    names = [name for kind in kinds for name in kind.model_fields]
    values = {name: getattr(settings, name) for name in names}
    return {
        f"PROJECTOR_{name}".upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
        if value is not None
    }


def why_it_ended(status: int, complaints: str) -> str:
    """Return why a program ended: by a signal, or with its last line on stderr that is no line of its log (JSON)."""
    if status < 0:
        return f"signal {-status} ended it ({signal.strsignal(-status)})"
    lines = [line.strip() for line in complaints.splitlines() if line.strip() and not line.startswith("{")]
    return lines[-1].rstrip(".") if lines else f"it said nothing, status {status}"
