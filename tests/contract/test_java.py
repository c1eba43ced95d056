"""A Java client as Java ships it: it offers HTTP/2 on every request, and a server that declines must keep the body."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pytest

from tests.support.stack.deployments import Person

PRESS: Final = Path(__file__).with_name("Press.java")
WITHIN_SECONDS: Final = 120  # it is compiled first


def _no_jdk() -> str | None:
    """Return why no Java can run a source file here, or None."""
    java = shutil.which("java")
    if java is None:
        return "there is no `java` on the PATH"
    listed = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    # The local stack's Java is a runtime without a compiler.
    missing = {"jdk.compiler", "java.net.http"} - {line.partition("@")[0] for line in listed.split()}
    return f"`java` on the PATH has no {', '.join(sorted(missing))}" if missing else None


async def test_javas_own_client_presses_in_all_three_dialects(http: httpx.AsyncClient, person: Person) -> None:
    if why := _no_jdk():
        pytest.skip(why)
    java = await asyncio.create_subprocess_exec(
        "java",
        str(PRESS),
        str(http.base_url).rstrip("/"),
        person.token,
        person.owner,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            said, _ = await java.communicate()
    finally:
        if java.returncode is None:
            java.kill()
    assert java.returncode == 0, said.decode()
    assert said.decode().splitlines()[-3:] == [
        "A: started, stopped",
        "B: started, paused, resumed",
        "C: started, paused, resumed, stopped",
    ]
