"""One run from start to end: both real parts, the one-shot jobs, the API and a projector, and the way back down."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import services, welcome
from deploy.local.identity import Identity
from deploy.local.process import Process
from deploy.local.settings import Settings
from deploy.local.stack import Stack
from deploy.local.trouble import Trouble

WATCH_SECONDS = 0.2
SERVICE_READY_WITHIN_SECONDS = 60.0
SERVICE_ENDS_WITHIN_SECONDS = 15.0


def ready_note(settings: Settings) -> Path:
    """Return the file that exists while everything is ready; it names the supervisor."""
    return settings.run / "ready"


class Supervisor:
    """Everything that `make run` runs, in one order up and in the opposite order down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = Stack(settings)
        self._services: list[Process] = []
        self._began = time.monotonic()

    def run(self) -> None:
        """Bring all up, say how to use it, and watch until something ends or `Ended` is raised; then end all."""
        try:
            self._up()
            self._watch()
        finally:
            self._down()

    def _up(self) -> None:
        settings, stack = self._settings, self._stack
        self._say(f"Starting Kafka and Postgres in {settings.home}")
        if left := stack.launch():
            self._say(f"An earlier run here was killed and had left {', '.join(left)}: ended")
        stack.postgres.await_ready()
        self._say(f"Postgres is ready on port {settings.postgres_port}")
        stack.kafka.await_ready()
        self._say(f"Kafka is ready on port {settings.kafka_port}")
        services.stint_cli(stack, "prepare", "--env-file", str(settings.demo_env))
        self._say("Tables, topics and the demo tenant are there")
        self._services = [services.command_api(stack), services.projector(stack)]
        for service in self._services:
            service.start()
        for service in self._services:
            service.await_ready(SERVICE_READY_WITHIN_SECONDS)
        self._say("The command API and the projector are ready")
        print(welcome.text(settings), flush=True)
        Identity.mine().write(ready_note(settings))

    def _watch(self) -> None:
        everybody = [
            *self._services,
            *(part for part in (self._stack.kafka.process, self._stack.postgres.process) if part),
        ]
        while True:
            for process in everybody:
                if not process.alive:
                    raise Trouble(process.obituary())
            time.sleep(WATCH_SECONDS)

    def _down(self) -> None:
        if Identity.read(ready_note(self._settings)) == Identity.mine():
            ready_note(self._settings).unlink()
        # Nobody's answer is cut off: the API first, then who judges, then what both stand on.
        for service in self._services:
            with self._said(service):
                service.stop(SERVICE_ENDS_WITHIN_SECONDS)
        for part, stop in (
            (self._stack.kafka.process, self._stack.stop_kafka),
            (self._stack.postgres.process, self._stack.stop_postgres),
        ):
            if part:
                with self._said(part):
                    stop()
        self._stack.stop()

    @contextmanager
    def _said(self, process: Process) -> Iterator[None]:
        lived = process.alive
        yield
        if lived:
            self._say(f"Ended: {process.name}")

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)
