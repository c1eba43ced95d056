"""The same stack in containers: tests use it like the local one, but Docker starts, stops and kills its parts.

Where it differs from the local stack: official images, and data that goes with the container. The containers are
removed when the stack ends. Ports of the host are fixed, because Docker would map others at each start.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.local.kafka import READY_LINE, Kafka, broker_properties
from deploy.local.postgres import ROLE, SUPERUSER, Postgres
from deploy.local.secrets import kept_secret
from deploy.local.settings import HOST, ROOT
from deploy.local.stack import Stack
from deploy.local.trouble import Trouble

KAFKA_IMAGE: Final = "apache/kafka:4.3.1"
POSTGRES_IMAGE: Final = "postgres:18"

_READY_WITHIN_SECONDS: Final = 90.0
_STOPPED_WITHIN_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.05
_KAFKA_DATA: Final = "/var/lib/kafka/data"
_FIRST_START: Final = ROOT / "deploy/docker/first-start.sh"

# Its reaper would be one more image to pull. Tests that end remove their containers. After tests that were killed, the
# containers are found by the label org.testcontainers.
testcontainers_config.ryuk_disabled = True


class Container:
    """One container that is started, stopped, killed and started again on what it had."""

    def __init__(self, made: DockerContainer, port: int, host_port: int, ready: Callable[["Container"], bool]) -> None:
        # On loopback alone. The types of testcontainers know only a number; Docker takes address and port.
        made.ports[f"{port}/tcp"] = cast("Any", (HOST, host_port))
        self.began = 0.0
        self._made = made
        self._ready = ready
        self._exists = False

    def launch(self) -> None:
        """Start it (the first time or again) and return at once."""
        self.began = time.time()
        if self._exists:
            self._made.get_wrapped_container().start()
        else:
            self._exists = True
            self._made.start()

    def await_ready(self) -> None:
        """Return when it serves. Raises `Trouble` with its last line when it ends, or is not ready in time."""
        until = time.monotonic() + _READY_WITHIN_SECONDS
        while not self._ready(self):
            self._made.reload()
            if self._made.status != "running" or time.monotonic() > until:
                said = self.said().strip().splitlines() or ["it said nothing"]
                raise Trouble(f"{self._made.image} is {self._made.status}, and not ready: {said[-1]}")
            time.sleep(_PAUSE_SECONDS)

    def said(self) -> str:
        """Return its log since its last start."""
        log: bytes = self._made.get_wrapped_container().logs(since=self.began)
        return log.decode(errors="replace")

    def does(self, *command: str) -> bool:
        """Run a program in it. Return whether the program succeeded."""
        return self._made.exec(list(command)).exit_code == 0

    def stop(self) -> None:
        """Ask it to end, and wait. Does nothing if it never started."""
        if self._exists:
            self._made.get_wrapped_container().stop(timeout=_STOPPED_WITHIN_SECONDS)

    def kill(self) -> None:
        """End it with -9."""
        self._made.get_wrapped_container().kill()

    def remove(self) -> None:
        """Remove it with its data. Does nothing if it never started."""
        if self._exists:
            self._exists = False
            self._made.stop()


class Contained:
    """A container in the place of a process of the local stack."""

    container: Container

    def launch(self) -> None:
        """Start it; `await_ready` waits."""
        self.container.launch()

    def await_ready(self) -> None:
        """Return when it serves."""
        self.container.await_ready()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self.container.stop()

    def kill(self) -> None:
        """Kill -9 it, with all processes that it had started."""
        self.container.kill()


@dataclass
class ContainedKafka(Contained, Kafka):
    """One broker in the official image, with the settings of the local one."""

    def __post_init__(self) -> None:
        """Say what the container is; start nothing."""
        told = broker_properties(self.settings, Path(_KAFKA_DATA)) | dict(self.extra)
        told |= {"listeners": "PLAINTEXT://:9092,CONTROLLER://:9093", "controller.quorum.voters": "1@localhost:9093"}
        made = DockerContainer(KAFKA_IMAGE).with_env("CLUSTER_ID", "c3RpbnQtb24tb25lLW1hYw")
        for name, value in told.items():
            made.with_env(f"KAFKA_{name.replace('.', '_').upper()}", value)
        made.with_env("KAFKA_HEAP_OPTS", "-Xms128m -Xmx512m")
        made.with_env("KAFKA_JVM_PERFORMANCE_OPTS", " ".join(("-XX:+UseSerialGC", *self.jvm)))
        self.container = Container(made, 9092, self.settings.kafka_port, lambda broker: READY_LINE in broker.said())


@dataclass
class ContainedPostgres(Contained, Postgres):
    """One server in the official image, with the role and the database of the local one."""

    def __post_init__(self) -> None:
        """Say what the container is; start nothing."""
        made = DockerContainer(POSTGRES_IMAGE).with_envs(
            POSTGRES_PASSWORD=kept_secret(self._password_file(SUPERUSER)),
            POSTGRES_INITDB_ARGS="--encoding=UTF8 --locale=C --no-sync",
        )
        password = self._password_file(ROLE)
        kept_secret(password)
        password.chmod(0o644)  # the container's user is another one; the folder above keeps other users out
        made.with_volume_mapping(password, "/run/secrets/postgres_password")
        made.with_volume_mapping(_FIRST_START, f"/docker-entrypoint-initdb.d/{_FIRST_START.name}")
        options = {"max_wal_size": "256MB", "log_timezone": "UTC", "timezone": "UTC", **self.extra}
        made.with_command(
            ["postgres", *(part for name, value in options.items() for part in ("-c", f"{name}={value}"))]
        )
        # Asked at its address, because its socket answers already while the first start prepares the cluster.
        asks = ("pg_isready", "--quiet", f"--host={HOST}", f"--username={ROLE}")
        self.container = Container(made, 5432, self.settings.postgres_port, lambda server: server.does(*asks))


@dataclass
class ContainedStack(Stack):
    """Kafka and Postgres in containers."""

    def __post_init__(self) -> None:
        """Name the parts; start nothing."""
        super().__post_init__()
        kafka = ContainedKafka(self.settings, self.broker_properties, self.jvm_flags)
        postgres = ContainedPostgres(self.settings, self.postgres_options)
        self.kafka, self.postgres = kafka, postgres
        self._containers = (kafka.container, postgres.container)

    def stop(self) -> None:
        """End both, give the folder back, and remove the containers."""
        try:
            super().stop()
        finally:
            for container in self._containers:
                container.remove()
