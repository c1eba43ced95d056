"""The crew: API processes, projectors and feeds as child processes, which tests start, kill, freeze and thaw.

There are two kinds. *Standing* processes (`be`) serve one test after the other, because a start costs a second. *Extra*
processes belong to one test, with its own settings or its own entry point, and are ended after it.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httpx2 as httpx

from deploy.local.machine import free_ports
from deploy.local.process import Process, Program
from deploy.local.settings import HOST, ROOT
from tests.support.stack.deployments import TOKEN_KEY, Deployment

READY_WITHIN_SECONDS: Final = 30.0
_SAYS_WITHIN_SECONDS: Final = 20.0
# A dead projector is noticed after this long. It is short because tests wait for it.
SESSION_MS: Final = 2000

_PREFIXES: Final = {"command_api": "COMMAND_API_", "feed": "FEED_", "projector": "PROJECTOR_"}
_OURS: Final = ("STINT_", *_PREFIXES.values())


@dataclass(slots=True)
class Service:
    """One process of ours."""

    kind: str
    process: Process
    port: int
    frozen: bool = False
    _read_to: int = 0

    @property
    def name(self) -> str:
        """Its kind and number. Its log file has this name."""
        return self.process.name

    @property
    def shares_the_log(self) -> bool:
        """Whether it is a projector of the group that shares the partitions, and not one with a group of its own."""
        return self.kind == "projector" and "PROJECTOR_GROUP_ID" not in self.process.program.environ

    @property
    def url(self) -> str:
        """The address at which it answers."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Start it (the first time or again), and return when it says that it is ready."""
        self.launch()
        await self.ready()

    def launch(self) -> None:
        """Start it and return at once."""
        self.process.start()

    async def ready(self, within_seconds: float = READY_WITHIN_SECONDS) -> None:
        """Return when it says that it is ready."""
        await asyncio.to_thread(self.process.await_ready, within_seconds)

    async def stop(self) -> int | None:
        """Ask it to end, as a deployment would, and return its exit status."""
        await asyncio.to_thread(self.process.stop)
        return self.process.exit_status

    def kill(self) -> None:
        """End it with -9, as a crash would, also while it is frozen."""
        self.process.kill()
        self.frozen = False

    def freeze(self) -> None:
        """Freeze it (SIGSTOP): it is alive, and does nothing."""
        self._signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let it continue where it stopped (SIGCONT)."""
        self._signal(signal.SIGCONT)
        self.frozen = False

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.process.pid) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def said(self) -> str:
        """Return everything that it has logged."""
        return self.process.log.read_text(errors="replace") if self.process.log.exists() else ""

    async def says(self, words: str) -> None:
        """Return when its log holds `words`. Raises TimeoutError when they do not come."""
        async with asyncio.timeout(_SAYS_WITHIN_SECONDS):
            while words not in self.said():  # noqa: ASYNC110 - a file cannot set an event
                await asyncio.sleep(0.05)

    def mark(self) -> None:
        """Remember the end of its log: what follows belongs to the next test."""
        self._read_to = self.process.log.stat().st_size if self.process.log.exists() else 0

    def said_since_mark(self) -> str:
        """Return what it has logged since the mark."""
        if not self.process.log.exists():
            return ""
        with self.process.log.open("rb") as log:
            log.seek(self._read_to)
            return log.read().decode(errors="replace")


@dataclass
class Crew:
    """All processes that work on one deployment."""

    deployment: Deployment
    apis: list[Service] = field(default_factory=list)
    projectors: list[Service] = field(default_factory=list)
    feeds: list[Service] = field(default_factory=list)
    extras: list[Service] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def be(self, apis: int = 1, projectors: int = 1) -> None:
        """Have exactly so many standing processes, and all ready: start those that are missing, end those in excess."""
        leaving = self.apis[apis:] + self.projectors[projectors:]
        del self.apis[apis:], self.projectors[projectors:]
        await asyncio.gather(*(service.stop() for service in leaving))
        coming = [self._service("command_api", self.apis) for _ in range(apis - len(self.apis))]
        coming += [self._service("projector", self.projectors) for _ in range(projectors - len(self.projectors))]
        for service in coming:
            service.launch()
        await asyncio.gather(*(service.ready() for service in self.apis + self.projectors))
        if projectors:
            await self.settled()

    async def settled(self, within_seconds: float = READY_WITHIN_SECONDS) -> None:
        """Return when each partition has a projector. After a projector died, this takes as long as its session."""
        async with asyncio.timeout(within_seconds), httpx.AsyncClient() as http:
            while await self._owned(http) != self.deployment.partitions:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)

    async def _owned(self, http: httpx.AsyncClient) -> int:
        awake = [one for one in self.everybody() if one.shares_the_log and one.process.alive and not one.frozen]
        try:
            said = [(await http.get(f"{service.url}/readyz")).json() for service in awake]
        except httpx.TransportError:  # a process has just begun, or has just ended
            return 0
        return sum(one["partitions"] for one in said if one["ready"])

    async def api(self, environ: Mapping[str, str] | None = None, module: str = "services.command_api") -> Service:
        """Start an API of the test's own, and return it ready."""
        service = self._service("command_api", self.extras, module, environ)
        await service.start()
        return service

    async def projector(
        self, environ: Mapping[str, str] | None = None, module: str = "services.projector", *, wait: bool = True
    ) -> Service:
        """Start a projector of the test's own, and return it ready; with `wait=False`, at once."""
        service = self._service("projector", self.extras, module, environ)
        service.launch()
        if wait:
            await service.ready()
        return service

    async def standing_feed(self) -> Service:
        """Return the feed that serves one test after the other, ready."""
        if not self.feeds:
            await self._service("feed", self.feeds).start()
        return self.feeds[0]

    async def feed(self, environ: Mapping[str, str] | None = None, module: str = "services.feed") -> Service:
        """Start a feed of the test's own, and return it ready."""
        service = self._service("feed", self.extras, module, environ)
        await service.start()
        return service

    def everybody(self) -> list[Service]:
        """Return all processes, standing or extra."""
        return self.apis + self.projectors + self.feeds + self.extras

    def mark(self) -> None:
        """Begin a test: what is logged from here on belongs to it."""
        for service in self.everybody():
            service.mark()

    async def dismiss_extras(self) -> None:
        """End a test: end its extra processes, thaw the standing ones, and forget those that it killed."""
        for service in self.extras:
            if service.frozen:
                service.kill()
        # The others are asked to end: they leave their group, so the next test need not wait for their sessions.
        await asyncio.gather(*(service.stop() for service in self.extras))
        self.extras.clear()
        for standing in (self.apis, self.projectors, self.feeds):
            for service in standing:
                service.thaw()
            standing[:] = [service for service in standing if service.process.alive]

    async def go_home(self) -> None:
        """End all processes."""
        await self.dismiss_extras()
        await self.be(apis=0, projectors=0)
        await asyncio.gather(*(service.stop() for service in self.feeds))

    def _service(
        self,
        kind: str,
        among: list[Service],
        module: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Service:
        [port] = free_ports(1)
        settings = self.deployment.stack.settings
        said = self._environ(kind, port) | self.deployment.environ | dict(environ or {})
        # As operators should run them: with a role of its own, in whichever database. So a missing right shows.
        dsn = f"{_PREFIXES[kind]}POSTGRES_DSN"
        program = Program(
            name=f"{kind}-{next(self._numbers)}",
            argv=[sys.executable, "-m", module or f"services.{kind}"],
            environ=said | {dsn: self.deployment.dsn_of(kind, said[dsn])},
            folder=ROOT,
            ready_port=port,
        )
        service = Service(kind, Process(program, settings.run, settings.logs), port)
        among.append(service)
        return service

    def _environ(self, kind: str, port: int) -> dict[str, str]:
        theirs = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        said = {
            "KAFKA_BOOTSTRAP_SERVERS": self.deployment.stack.kafka.address,
            "POSTGRES_DSN": self.deployment.dsn,
            "TOKEN_KEY": TOKEN_KEY,
            "HTTP_PORT": str(port),
            "SESSION_TIMEOUT_MS": str(SESSION_MS),
            "TRANSACTION_TIMEOUT_MS": str(SESSION_MS),
            "IDLE_IN_TRANSACTION_TIMEOUT_MS": str(SESSION_MS),
            "LOCK_TIMEOUT_MS": str(SESSION_MS),
            # One token presses far more often here than a person does. Tests of the threshold (R19) set their own.
            "ZOHO_THRESHOLD_PER_MINUTE": "0",
        }
        return theirs | {_PREFIXES[kind] + name: value for name, value in said.items()}
