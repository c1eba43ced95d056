"""A Postgres that demands TLS. The local build has no TLS, so this one is a container or the system's own.

They are tried in this order: the image `postgres:17` on a Docker engine, then Debian's postgresql-NN.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local.machine import free_ports
from deploy.local.postgres import DATABASE, SUPERUSER, Postgres
from deploy.local.secrets import kept_secret
from deploy.local.settings import HOST, Settings
from tests.support.stack.certificates import Authority, Certificate

IMAGE: Final = "postgres:17"
DEBIAN: Final = Path("/usr/lib/postgresql")
INSTALL: Final = f"TLS for Postgres: `docker pull {IMAGE}`, or install Debian's postgresql-17, to test against"
# A user with a certificate in that name instead of a password.
PAPERS: Final = "papers"

_HBA: Final = f"hostssl all {PAPERS} all cert\nhostssl all all all scram-sha-256\n"
_CERTIFICATES: Final = ("ca.crt", "server.crt", "server.key", "pg_hba.conf")
_READY_WITHIN_SECONDS: Final = 60.0
_PASSWORD: Final = "of this container alone"


@dataclass(frozen=True, slots=True)
class GuardedPostgres:
    """The server, the CA of its certificate, and a client certificate that it accepts. `port` speaks TLS only."""

    port: int
    ca: Path
    papers: Certificate
    major: int
    superuser: str
    password: str = field(repr=False)

    def dsn(self, query: str = "", *, user: str | None = None, password: str | None = None, host: str = HOST) -> str:
        """Return a DSN: the superuser's, if no other user is named."""
        secret = self.password if password is None else password
        said = secret.replace(" ", "%20")
        return f"postgresql://{user or self.superuser}:{said}@{host}:{self.port}/{DATABASE}{query}"


def available() -> Callable[[Path], Iterator[GuardedPostgres]] | None:
    """Return a way to start one here, or None."""
    if _has_image():
        return _contained
    return _debians if _debian() is not None else None


@contextmanager
def guarded_postgres(folder: Path) -> Iterator[GuardedPostgres]:
    """Run one inside, and end it afterwards."""
    start = available()
    if start is None:
        raise LookupError(INSTALL)
    yield from start(folder)


def _papers(folder: Path) -> tuple[Authority, Certificate]:
    authority = Authority(folder)
    authority.vouches_for("server")
    (folder / "pg_hba.conf").write_text(_HBA)
    return authority, authority.vouches_for(PAPERS)


def _options(folder: Path | str) -> dict[str, str]:
    return {
        "ssl": "on",
        "ssl_ca_file": f"{folder}/ca.crt",
        "ssl_cert_file": f"{folder}/server.crt",
        "ssl_key_file": f"{folder}/server.key",
        "hba_file": f"{folder}/pg_hba.conf",
    }


# Debian's own.


def _debian() -> Path | None:
    found = [path for path in DEBIAN.glob("*/bin") if (path / "postgres").exists()]
    return max(found, key=_major_of, default=None)


def _major_of(programs: Path) -> int:
    return int(programs.parent.name)


class _Debians(Postgres):
    """The local server, run from Debian's programs."""

    def _bin(self, program: str) -> str:
        return str((_debian() or DEBIAN) / program)


def _debians(folder: Path) -> Iterator[GuardedPostgres]:
    programs = _debian()
    if programs is None:
        raise LookupError(INSTALL)
    authority, papers = _papers(folder / "tls")
    [port] = free_ports(1)
    server = _Debians(Settings(home=folder / "postgres", postgres_port=port), _options(folder / "tls"))
    server.launch()
    try:
        server.await_ready()
        password = kept_secret(server.settings.secrets / f"postgres-{SUPERUSER}")
        yield GuardedPostgres(port, authority.ca, papers, _major_of(programs), SUPERUSER, password)
    finally:
        server.stop()


# A container's.


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=60)


def _has_image() -> bool:
    return shutil.which("docker") is not None and _docker("image", "inspect", IMAGE).returncode == 0


def _contained(folder: Path) -> Iterator[GuardedPostgres]:
    tls = folder / "tls"
    authority, papers = _papers(tls)
    [port] = free_ports(1)
    # The key file must belong to the server's user, and a mount cannot set that.
    own = " ".join(f"/given/{name}" for name in _CERTIFICATES)
    options = " ".join(f"-c {name}={value}" for name, value in _options("/tls").items())
    script = (
        f"install -d -o postgres /tls && install -o postgres -m 600 {own} /tls "
        f"&& exec docker-entrypoint.sh postgres {options}"
    )
    started = _docker(
        *("run", "--detach", "--publish", f"{HOST}:{port}:5432", "--volume", f"{tls}:/given:ro"),
        *("--env", f"POSTGRES_PASSWORD={_PASSWORD}", "--env", f"POSTGRES_DB={DATABASE}", "--entrypoint", "bash"),
        *(IMAGE, "-c", script),
    )
    if started.returncode:
        raise RuntimeError(started.stderr)
    container = started.stdout.strip()
    try:
        _await_ready(container)
        yield GuardedPostgres(port, authority.ca, papers, int(IMAGE.partition(":")[2]), SUPERUSER, _PASSWORD)
    finally:
        _docker("rm", "--force", "--volumes", container)


def _await_ready(container: str) -> None:
    until = time.monotonic() + _READY_WITHIN_SECONDS
    # Asked over TCP: while the first start makes the database, only the socket answers.
    while _docker("exec", container, "pg_isready", f"--host={HOST}").returncode:
        if time.monotonic() > until or not _runs(container):
            logs = _docker("logs", container)
            raise TimeoutError(logs.stdout + logs.stderr)
        time.sleep(0.1)


def _runs(container: str) -> bool:
    return _docker("inspect", "--format", "{{.State.Running}}", container).stdout.strip() == "true"
