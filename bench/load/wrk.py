"""wrk as the load: one run of cycles against one server, and what came of it."""

import json
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from deploy.local.trouble import Trouble

CYCLES: Final = Path(__file__).with_name("cycles.lua")
# A press that takes longer is an error.
TIMEOUT_SECONDS: Final = 10
# Sockets of the largest run, and what a process has open besides.
FILES_MIN: Final = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers `POST /v1/timers` and `POST /v1/timers/{id}/stop`."""

    url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What is pressed: by how many clients, for how long, with which comment on each start."""

    clients: int
    seconds: int
    comment: str = ""
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What wrk reports of one run. A request is one press; a cycle is a start and a stop."""

    requests: int
    cycles: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    first_error: str

    @classmethod
    def read(cls, output: str) -> Self:
        """Read the line of JSON in wrk's output. Raise `Trouble` with that output when there is no such line."""
        for line in output.splitlines():
            if line.startswith("{"):
                return cls(**json.loads(line))
        raise Trouble(f"wrk did not come to an end: {output.strip() or 'it said nothing'}")

    @property
    def cycles_per_second(self) -> float:
        """The rate of whole cycles, each of them right."""
        return self.cycles / self.seconds


def require() -> None:
    """Raise `Trouble` that says how to install wrk, when it is not installed; allow it a socket for each client."""
    if shutil.which("wrk") is None:
        raise Trouble(
            "wrk is not installed, and it makes the load: Debian: apt-get install wrk; macOS: brew install wrk."
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_MIN:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES_MIN, hard), hard))


def press(target: Target, load: Load, owners: str) -> Told:
    """Press for a while. `owners` begins the name of each owner: a new one for each run, because timers are left."""
    done = subprocess.run(
        [
            *("wrk", "--threads", "1", "--connections", str(load.clients), "--duration", f"{load.seconds}s"),
            *("--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(CYCLES), target.url, "--"),
            *(target.token, owners, str(load.clients), load.comment, str(load.wait_ms)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Told.read(done.stdout)
