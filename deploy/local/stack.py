"""Kafka and Postgres as one thing that starts, stops and breaks: under `make run`, and under the tests."""

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

    Everything about one stack lies in `settings.home`; whoever starts it holds that folder's lock until `stop`.
    Should the caller itself be killed, a watchdog ends what it started.
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
        self.launch()
        self.postgres.await_ready()
        self.kafka.await_ready()

    def launch(self) -> list[str]:
        """Take the folder, end what a crashed run left in it, look at the machine, and start both without waiting.

        Return the names of the processes that had been left.
        """
        machine.require_room(self.settings.home)
        self._lock.take()
        try:
            left = leftovers.end_all(self.settings)
            machine.check(self.settings)
            self._watchdog.start()
            self.kafka.launch()
            self.postgres.launch()
        except BaseException:
            self.stop()
            raise
        return left

    def stop(self) -> None:
        """End both, Kafka first, and give the folder back. What does not run is passed over."""
        self.kafka.stop()
        self.postgres.stop()
        self._watchdog.stop()
        self._lock.release()

    def start_kafka(self) -> None:
        """Start the broker again on what it had, and return when it serves."""
        self.kafka.launch()
        self.kafka.await_ready()

    def stop_kafka(self) -> None:
        """End the broker in order."""
        self.kafka.stop()

    def kill_kafka(self) -> None:
        """End the broker with -9."""
        self.kafka.kill()

    def start_postgres(self) -> None:
        """Start the server again on what it had, and return when it takes connections."""
        self.postgres.launch()
        self.postgres.await_ready()

    def stop_postgres(self) -> None:
        """End the server in order, sessions and all."""
        self.postgres.stop()

    def kill_postgres(self) -> None:
        """End the postmaster with -9."""
        self.postgres.kill()

    def __enter__(self) -> Self:
        """Start, and be stopped on the way out, whatever happens."""
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
