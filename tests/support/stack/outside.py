"""Outside: programs as another team runs them, with the wheel `stint-events` and without this repository."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.settings import ROOT

UV: Final = str(Path(sys.executable).with_name("uv"))
WITHIN_SECONDS: Final = 60
_PACKAGE: Final = ROOT / "packages" / "stint-events"


def wheel_in(folder: Path) -> Path:
    """Build the wheel into a folder, and return it."""
    options = ["--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
    ran = subprocess.run(
        [UV, "build", *options, str(_PACKAGE)], capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS
    )
    assert ran.returncode == 0, ran.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


async def started(
    program: Path, *arguments: str, folder: Path, wheel: Path, environ: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start one of our examples in another folder. It finds the wheel, and no package of the repository."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(wheel)} | dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def said_by(running: asyncio.subprocess.Process) -> list[str]:
    """Return the lines of a program that must end well."""
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            said, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, said.decode()
    return said.decode().splitlines()
