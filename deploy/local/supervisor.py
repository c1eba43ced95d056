"""One run from start to end: Kafka, Postgres, the one-shot jobs, API, projector and feed, then all down again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deploy.local import services, welcome
from deploy.local.identity import Identity
from deploy.local.interrupts import undisturbed
from deploy.local.kafka import Kafka
from deploy.local.keeper import Keeper, Part
from deploy.local.postgres import Postgres
from deploy.local.process import Process
from deploy.local.settings import Settings
from deploy.local.stack import Stack

WATCH_SECONDS = 0.2
SERVICE_READY_WITHIN_SECONDS = 60.0
SERVICE_ENDS_WITHIN_SECONDS = 15.0


def ready_note(settings: Settings) -> Path:
    """Return the file that exists while everything is ready; it names the supervisor."""
    return settings.run / "ready"


class Supervisor:
    """Everything that `make run` runs: started in one order, ended in the opposite order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = Stack(settings)
        self._services: list[Process] = []
        self._began = time.monotonic()
        self._noted = False

    def run(self) -> None:
        """Bring all up, print how to use it, and keep it up; end all when a part dies too often or `Ended` is raised.

        Only a part that was up once is started again. A part that cannot start ends the run with one line.
        """
        try:
            self._up()
            self._keep_up()
        finally:
            # After a part's death no signal has come yet, and the first one must not interrupt the orderly end.
            with undisturbed():
                self._down()

    def _up(self) -> None:
        settings, stack = self._settings, self._stack
        # Printed after the checks: above a refusal, "Starting" would be wrong.
        if left := stack.prepare():
            self._say(f"An earlier run here was killed and had left {', '.join(left)}: ended")
        self._say(f"Starting Kafka and Postgres in {settings.home}")
        stack.launch()
        settings.note_ports()
        stack.postgres.await_ready()
        self._say(f"Postgres is ready on port {settings.postgres_port}")
        stack.kafka.await_ready()
        self._say(f"Kafka is ready on port {settings.kafka_port}")
        services.leave_settings(stack)
        self._say(services.prepare(stack))
        self._services = [services.command_api(stack), services.projector(stack), services.feed(stack)]
        for service in self._services:
            service.start()
        for service in self._services:
            service.await_ready(SERVICE_READY_WITHIN_SECONDS)
        self._say("The command API, the projector and the feed are ready")
        print(welcome.text(settings), flush=True)
        Identity.mine().write(ready_note(settings))

    def _keep_up(self) -> None:
        keeper = Keeper(self._parts(), self._say)
        while True:
            self._note(ready=keeper.look())
            time.sleep(WATCH_SECONDS)

    def _parts(self) -> list[Part]:
        kafka, postgres = self._stack.kafka, self._stack.postgres
        bases = [(each, each.process.name) for each in (postgres, kafka) if each.process]
        return [
            *(Part(name, each.launch, partial(_process_of, each)) for each, name in bases),
            *(_part_of(service) for service in self._services),
        ]

    def _note(self, *, ready: bool) -> None:
        """Write or remove the note that all is ready. `make up` and `make status` read the note."""
        if ready == self._noted:
            return
        if ready:
            Identity.mine().write(ready_note(self._settings))
        else:
            ready_note(self._settings).unlink(missing_ok=True)
        # Set last: when a signal comes before this line, the note is written or removed once more.
        self._noted = ready

    def _down(self) -> None:
        self._note(ready=False)
        # So that no answer is cut off, the API ends first, then the projector, then Kafka and Postgres.
        for service in self._services:
            with self._reporting_end_of(service):
                service.stop(SERVICE_ENDS_WITHIN_SECONDS)
        for part, stop in (
            (self._stack.kafka.process, self._stack.stop_kafka),
            (self._stack.postgres.process, self._stack.stop_postgres),
        ):
            if part:
                with self._reporting_end_of(part):
                    stop()
        self._stack.stop()

    @contextmanager
    def _reporting_end_of(self, process: Process) -> Iterator[None]:
        lived = process.alive
        yield
        if lived:
            self._say(f"Ended: {process.name}")

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


def _part_of(service: Process) -> Part:
    return Part(service.name, service.start, lambda: service)


def _process_of(base: Kafka | Postgres) -> Process:
    """Return the current process: each launch makes a new one."""
    if base.process is None:
        raise RuntimeError("it has not been launched")
    return base.process
