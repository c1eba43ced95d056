"""A peer: a FastAPI service with two workers, on a database of its own on the product's Postgres."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import peers
from bench.load.wrk import Target
from bench.rig.database import fresh
from deploy.local.machine import free_ports
from deploy.local.process import Process, Program
from deploy.local.settings import HOST, ROOT
from deploy.local.stack import Stack

WORKERS: Final = 2
_FOLDER: Final = Path(peers.__file__).parent
_READY_WITHIN_SECONDS: Final = 30.0


@dataclass
class Peer:
    """A running peer."""

    process: Process
    stack: Stack
    target: Target

    @property
    def processes(self) -> dict[str, Process]:
        """The two that a press costs here, by the names of the report."""
        if self.stack.postgres.process is None:
            raise RuntimeError("the stack does not run")
        return {"api": self.process, "postgres": self.stack.postgres.process}


@contextmanager
def peer(name: str, stack: Stack) -> Iterator[Peer]:
    """Give the peer `bench/peers/NAME.py`, ready. It has the event loop and the parser that our API has."""
    dsn = fresh(stack.postgres.superuser_dsn, stack.postgres.dsn, name, _FOLDER / f"{name}.sql")
    [port] = free_ports(1)
    program = Program(
        name=name,
        argv=[
            *(sys.executable, "-m", "uvicorn", f"bench.peers.{name}:app", "--host", HOST, "--port", str(port)),
            *("--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        ],
        environ={**os.environ, "PEER_POSTGRES_DSN": dsn},
        folder=ROOT,
        ready_port=port,
    )
    process = Process(program, stack.settings.run, stack.settings.logs)
    process.start()
    try:
        process.await_ready(_READY_WITHIN_SECONDS)
        yield Peer(process, stack, Target(f"http://{HOST}:{port}"))
    finally:
        process.stop()
