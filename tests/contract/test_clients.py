"""Clients that others generate from the document press: in TypeScript, and in Python.

The generators are other people's programs, so each has a folder of its own in the user's cache, installed from a lock
with sums. A machine without Node skips the first test and says so; nothing else here needs Node.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pytest

from deploy.local.settings import Settings
from deploy.pages.openapi import PAGE
from tests.support.stack.deployments import Tenant

CLIENTS: Final = Path(__file__).with_name("clients")
NODE_LEAST: Final = 20
WITHIN_SECONDS: Final = 120
UV: Final = str(Path(sys.executable).with_name("uv"))
SAID: Final = ["RUNNING", "PAUSED", "RUNNING", "STOPPED", "409 R07", "2 intervals of roof"]


def test_the_locks_of_the_generators_have_sums_and_no_address() -> None:
    """Each machine chooses its own source of packages."""
    for lock in ("package-lock.json", "python.lock"):
        said = (CLIENTS / lock).read_text(encoding="utf-8")
        assert "://" not in said
        assert '"resolved"' not in said
    packages = (CLIENTS / "package-lock.json").read_text(encoding="utf-8")
    assert packages.count('"node_modules/') == packages.count('"integrity": "sha512-') > 1


async def test_a_typescript_client_presses(http: httpx.AsyncClient, tenant: Tenant, owner: str, tmp_path: Path) -> None:
    if why := _no_node():
        pytest.skip(why)
    installed = await asyncio.to_thread(_installed, "node", ("package.json", "package-lock.json"), _npm)
    (tmp_path / "node_modules").symlink_to(installed / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(CLIENTS / "press.mts", tmp_path)
    tools = tmp_path / "node_modules" / ".bin"
    await _ran(tmp_path, str(tools / "openapi-typescript"), str(PAGE), "--output", "api.d.ts")
    # The program is typed by the document: a member that is misspelt in either does not compile.
    await _ran(tmp_path, str(tools / "tsc"), "--strict", "--module", "nodenext", "--target", "es2022", "press.mts")
    assert await _ran(tmp_path, "node", "press.mjs", *_called(http, tenant, owner)) == SAID


async def test_a_python_client_presses(http: httpx.AsyncClient, tenant: Tenant, owner: str, tmp_path: Path) -> None:
    installed = await asyncio.to_thread(_installed, "python", ("python.lock",), _uv)
    python = str(installed / "env" / "bin" / "python")
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    options = ["--path", str(PAGE), "--output-path", "stint_client", "--config", "config.yml"]
    told = await _ran(
        tmp_path, python, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning", *options
    )
    assert not [line for line in told if "WARNING" in line or "ERROR" in line]
    shutil.copy(CLIENTS / "press.py", tmp_path)
    assert await _ran(tmp_path, python, "press.py", *_called(http, tenant, owner)) == SAID


def _called(http: httpx.AsyncClient, tenant: Tenant, owner: str) -> tuple[str, str, str]:
    return str(http.base_url).rstrip("/"), tenant.token, owner


def _no_node() -> str | None:
    """Return why no TypeScript client can be made here, or None."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return f"there is no `node` with `npm` on the PATH: the TypeScript client needs Node {NODE_LEAST} or later"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    least = int(said.removeprefix("v").partition(".")[0]) >= NODE_LEAST
    return None if least else f"`node` is {said}: the TypeScript client needs Node {NODE_LEAST} or later"


def _installed(kind: str, locks: tuple[str, ...], install: Callable[[Path], None]) -> Path:
    """Return the folder of a generator in the user's cache, and fill it first if this lock was never installed."""
    digest = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in locks)).hexdigest()[:12]
    folder = Settings.from_environment().cache / "clients" / f"{kind}-{digest}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="installing-", dir=folder.parent))
    try:
        for name in locks:
            shutil.copy(CLIENTS / name, made)
        install(made)
        made.rename(folder)  # whole or not at all
    except OSError:
        if not folder.exists():  # another checkout was faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _npm(folder: Path) -> None:
    # What packages want to run while they are installed is not run.
    _install(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def _uv(folder: Path) -> None:
    # Relocatable, because the folder is moved to its place when all is there.
    _install(folder, UV, "venv", "--quiet", "--relocatable", "--python", sys.executable, "env")
    _install(folder, UV, "pip", "sync", "--quiet", "--require-hashes", "--python", "env/bin/python", "python.lock")


def _install(folder: Path, *argv: str) -> None:
    ran = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS)
    assert ran.returncode == 0, f"{argv}: {ran.stdout}{ran.stderr}"


async def _ran(folder: Path, *argv: str) -> list[str]:
    """Return the lines that a program says, which must end well."""
    # No setting of this machine's Python or Node reaches the client.
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    program = await asyncio.create_subprocess_exec(
        *argv, cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            said, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    assert program.returncode == 0, f"{argv}: {said.decode()}"
    return said.decode().splitlines()
