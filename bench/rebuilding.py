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

# Of so many outcomes: then both programs run for about as long, and their starts are about the same share of it.
OUTCOMES_TO_AN_EVENT: Final = 25
_PEERS: Final = Path(__file__).parent / "peers"
_DATABASE: Final = "projection"


@dataclass(frozen=True, slots=True)
class Run:
    """A program that read events and wrote read models, from its start to its end. `start`: until it began to read."""

    events: int
    seconds: float
    start: float

    @property
    def speed(self) -> float:
        """Return the events of a second, the start included."""
        return self.events / self.seconds

    @property
    def speed_once_started(self) -> float:
        """Return the events of a second after the start: what a run comes to that is long enough."""
        return self.events / (self.seconds - self.start)

    def __str__(self) -> str:
        return f"{self.speed:,.0f}/s ({self.speed_once_started:,.0f}/s after a start of {self.start:.2f} s)"


@dataclass(frozen=True, slots=True)
class Rebuilt(Run):
    """A rebuild, with how many seconds each stage took."""

    stages: dict[str, float]

    def __str__(self) -> str:
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in self.stages.items() if stage != "start")
        return f"rebuilt {Run.__str__(self)}: {stages}"


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
    return Rebuilt(said["result"]["outcomes"], time.perf_counter() - began, stages["start"], stages)


async def projected_by_the_peer(superuser_dsn: str, events: int) -> Run:
    """Project events with the library, in a database of its own. They are recorded before, by another run."""
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
    python = str(await asyncio.to_thread(_installed))

    async def said_by(*asked: str) -> Any:  # noqa: ANN401 - a number
        program = await asyncio.create_subprocess_exec(
            *(python, str(_PEERS / "projection.py"), *asked), env=environ, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await program.communicate()
        return json.loads(said)

    last = await said_by("record", str(events))
    began = time.perf_counter()
    projecting = await said_by("project", str(last))
    seconds = time.perf_counter() - began
    return Run(events, seconds, seconds - projecting)


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
