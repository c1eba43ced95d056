"""How an API process ends: with status 0 when asked to, with status 1 by a bug in a background part."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import httpx2 as httpx
import pytest

from deploy.local.machine import free_ports
from deploy.local.settings import HOST, ROOT
from tests.support.stack.deployments import TOKEN_KEY

# The process of production, except for one part that ends just after its start. Kafka and Postgres are absent.
SCRIPT = """
import asyncio, sys
from services.command_api import __main__, app

async def ends(*_):
    await asyncio.sleep(0.3)
    if how == "raises":
        raise RuntimeError("a bug")

how = sys.argv[1]
if how != "well":
    app.keep_sweeping = ends
sys.exit(__main__.main())
"""


def begun(how: str) -> "tuple[subprocess.Popen[str], int]":
    """Start an API, and return it with its port."""
    [port, nothing] = free_ports(2)
    said = {
        "COMMAND_API_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nothing}",
        "COMMAND_API_POSTGRES_DSN": f"postgresql://nobody:nothing@127.0.0.1:{nothing}/nothing",
        "COMMAND_API_TOKEN_KEY": TOKEN_KEY,
        "COMMAND_API_HTTP_PORT": str(port),
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("COMMAND_API_")}
    argv = [sys.executable, "-c", SCRIPT, how]
    child = subprocess.Popen(
        argv, cwd=ROOT, env=theirs | said, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return child, port


def serves(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/livez").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def logged(text: str) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return {line["event"]: line for line in lines}


@pytest.mark.parametrize("how", ["raises", "returns"])
def test_an_api_whose_background_part_died_ends_itself_with_status_1(how: str) -> None:
    child, _ = begun(how)
    with child:
        try:
            said = logged(child.communicate(timeout=20)[0])
        finally:
            child.kill()
    assert child.returncode == 1
    assert said["background_ended"]["task"] == "sweeps"
    assert {"command_api_leaving", "command_api_ended"} <= said.keys()


def test_control_an_api_asked_to_end_ends_with_status_0() -> None:
    child, port = begun("well")
    with child:
        try:
            while not serves(port):
                assert child.poll() is None
                time.sleep(0.05)
            child.send_signal(signal.SIGTERM)
            said = logged(child.communicate(timeout=20)[0])
        finally:
            child.kill()
    assert child.returncode == 0
    assert "background_ended" not in said
    assert "command_api_ended" in said
