"""Kafka and Postgres as one stack that starts, stops and breaks: for `make run` and for the tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from deploy.local import leftovers, machine
from deploy.local.kafka import Kafka
from deploy.local.lock import Lock
from deploy.local.postgres import Postgres
from deploy.local.settings import Settings
from deploy.local.watchdog import Watchdog


@dataclass
class Stack:
    """The two real parts. `with Stack(settings) as stack:` has both ready inside, and leaves no process behind.

    All files of one stack are in `settings.home`; the process that starts it holds that folder's lock until `stop`.
    If that process is killed, a watchdog ends the stack.
    """

    settings: Settings
    broker_properties: Mapping[str, str] = field(default_factory=dict)
    jvm_flags: Sequence[str] = ()
    postgres_options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name the parts; start nothing."""
        self.kafka = Kafka(self.settings, self.broker_properties, self.jvm_flags)
        self.postgres = Postgres(self.settings, self.postgres_options)
        self._lock = Lock(self.settings.run / "stack.lock")
        self._watchdog = Watchdog(self.settings)

    def start(self) -> None:
        """Start both, at the same time, and return when both are ready."""
        self.prepare()
        self.launch()
        self.postgres.await_ready()
        self.kafka.await_ready()

    def prepare(self) -> list[str]:
        """Take the folder's lock, end what a crashed run left, and check the machine. `Trouble`: nothing may start.

        Return the names of the processes that a crashed run had left.
        """
        machine.require_room(self.settings.home)
        self._lock.take()
        try:
            left = leftovers.end_all(self.settings)
            machine.check(self.settings)
        except BaseException:
            self.stop()
            raise
        return left

    def launch(self) -> None:
        """Start both, after `prepare`, without waiting."""
        try:
            self._watchdog.start()
            self.kafka.launch()
            self.postgres.launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both, Kafka first, and release the folder. A part that does not run is skipped."""
        self.kafka.stop()
        self.postgres.stop()
        self._watchdog.stop()
        self._lock.release()

    def start_kafka(self) -> None:
        """Start the broker again on its data, and return when the broker serves."""
        self.kafka.launch()
        self.kafka.await_ready()

    def stop_kafka(self) -> None:
        """End the broker in order."""
        self.kafka.stop()

    def kill_kafka(self) -> None:
        """End the broker with -9."""
        self.kafka.kill()

    def start_postgres(self) -> None:
        """Start the server again on its data, and return when the server takes connections."""
        self.postgres.launch()
        self.postgres.await_ready()

    def stop_postgres(self) -> None:
        """End the server and its sessions in order."""
        self.postgres.stop()

    def kill_postgres(self) -> None:
        """End the postmaster with -9."""
        self.postgres.kill()

    def __enter__(self) -> Self:
        """Start both; the way out stops them, whatever happens."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
