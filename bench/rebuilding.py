"""Rebuilding: `stint rebuild`, against a projection of the library `eventsourcing` on the same Postgres.

Both read events and write read models. The library is another program's dependency, so it has an environment of its
own in the user's cache, installed from a lock with sums.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from deploy.local.settings import ROOT, Settings
from services.projector.settings import Settings as ProjectorSettings

PEER_EVENTS: Final = 4_000
_PEERS: Final = Path(__file__).parent / "peers"
_DATABASE: Final = "projection"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcomes of a second, from the start of the program to its end; and how many seconds each stage took."""

    speed: float
    stages: dict[str, float]

    def __str__(self) -> str:
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in self.stages.items())
        return f"rebuilt {self.speed:,.0f}/s ({stages})"


async def rebuilt(settings: ProjectorSettings) -> Rebuilt:
    """Rebuild the read models."""
    began = at = time.perf_counter()
    stages, stage = dict[str, float](), "start"
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "rebuild"),
        cwd=ROOT,
        env=os.environ
        | {
            "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "PROJECTOR_POSTGRES_DSN": settings.postgres_dsn.get_secret_value(),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    said: dict[str, Any] = {}
    while program.stdout is not None and (line := await program.stdout.readline()):
        said, now = json.loads(line), time.perf_counter()
        stages[stage] = stages.get(stage, 0) + now - at
        at, stage = now, said.get("stage", "end")
    await program.wait()
    if not said["result"]["switched"]:
        raise AssertionError(f"the rebuild came to {said['result']}")
    return Rebuilt(said["result"]["outcomes"] / (time.perf_counter() - began), stages)


async def projected_by_the_peer(superuser_dsn: str, events: int = PEER_EVENTS) -> float:
    """Project events with the library, in a database of its own, and return the events of a second."""
    conn = await asyncpg.connect(superuser_dsn)
    try:
        await conn.execute(f"DROP DATABASE IF EXISTS {_DATABASE}")
        await conn.execute(f"CREATE DATABASE {_DATABASE}")
    finally:
        await conn.close()
    server = urlsplit(superuser_dsn)
    environ = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": _DATABASE,
        "POSTGRES_HOST": server.hostname or "",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_USER": server.username or "",
        "POSTGRES_PASSWORD": server.password or "",
        "PATH": os.environ["PATH"],
    }
    python = await asyncio.to_thread(_installed)
    program = await asyncio.create_subprocess_exec(
        *(str(python), str(_PEERS / "projection.py"), str(events)), env=environ, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await program.communicate()
    took = json.loads(said)
    return float(took["events"] / took["seconds"])


def _installed() -> Path:
    """Return the peer's Python, installed first if this lock never was."""
    lock = _PEERS / "projection.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    env = Settings.from_environment().cache / "bench" / f"projection-{digest}"
    done = env / "installed"
    if not done.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        for asked in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(env)],
            ["pip", "sync", "--quiet", "--require-hashes", "--python", str(env), str(lock)],
        ):
            subprocess.run([uv, *asked], check=True)
        done.touch()
    return env / "bin" / "python"
