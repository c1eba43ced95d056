"""Wiring: the parts of the feed, how they start and in which order they end. Decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from services.feed.callers import callers
from services.feed.callers.tokens import TokenRows
from services.feed.calls import answers, feed
from services.feed.calls.room import Room
from services.feed.metrics import readings
from services.feed.settings import Settings
from services.feed.tail import Tail
from shared.outside.sources import Sources
from shared.process.alarms import Alarms
from shared.process.background import Background
from shared.process.bugs import BugGuard
from shared.process.clock import now
from shared.process.ending import ended_within
from shared.process.http.paths import whole_paths
from shared.process.http.probes import probes
from shared.process.metrics import metrics_route

_CLOSE_WITHIN_SECONDS: Final = 3.0


class FeedProcess:
    """All parts of one process. Make it on the loop that will run it. `alarms` are counted where the process logs."""

    def __init__(self, settings: Settings, alarms: Alarms) -> None:
        self._settings = settings
        self._tail = Tail(
            settings.kafka, bytes_max=settings.window_bytes_max, outcomes_max=settings.window_outcomes_max
        )
        self._tokens = TokenRows(
            settings.postgres_dsn.get_secret_value(), settings.postgres_tls, settings.postgres_within_seconds
        )
        self._outside = Sources(settings.issuers, settings.introspection, now)
        self._room = Room(settings.readers_max, settings.readers_of_tenant_max)
        self._alarms = alarms
        self._call = feed.FeedCall(
            callers=callers.Callers(
                settings.token_key.get_secret_value().encode(),
                self._tokens,
                now,
                fresh_seconds=callers.FRESH_SECONDS,
                outside=self._outside,
            ),
            window=lambda: self._tail.window,
            ends=self._tail.ends,
            room=self._room,
            now=now,
            keep_alive_seconds=settings.keep_alive_seconds,
            send_within_seconds=settings.send_within_seconds,
        )
        self._stays = True
        self._background = Background()
        self._log = structlog.get_logger()

    def app(self) -> Starlette:
        """Return the ASGI application. Its lifespan starts and ends the parts."""
        ready = {"stays": lambda: self._stays, "tail": lambda: self._tail.reading}
        metrics = readings(
            room=self._room,
            answered=self._call.answered,
            window=lambda: self._tail.window,
            lag=lambda: self._tail.lag,
            ready=ready,
            alarms=self._alarms,
        )
        app = Starlette(
            routes=whole_paths(
                [*feed.routes(self._call), *probes(self._background.alive, ready), metrics_route(metrics)]
            ),
            middleware=[Middleware(BugGuard, internal=lambda _: answers.failed(500))],
            exception_handlers={HTTPException: _answered},
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        return app

    @property
    def failed(self) -> bool:
        """Whether a bug ended the process."""
        return self._background.failed

    def leave(self) -> None:
        """Stop being ready, and go on serving; after the drain end all streams, whose readers go on elsewhere."""
        self._stays = False
        self._log.info("feed_leaving")
        asyncio.get_running_loop().call_later(self._settings.drain_seconds, self._end_streams)

    def _end_streams(self) -> None:
        if self._tail.window is not None:
            self._tail.window.close()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # Nothing here waits for a part or an issuer: the process is alive at once, and ready after Kafka was read.
        await self._tokens.open()
        self._background.begin("tail", self._tail.run())
        for work in self._outside.work():
            self._background.begin("issuer_keys", work)
        try:
            yield
        finally:
            await self._background.end(_CLOSE_WITHIN_SECONDS)
            await ended_within(_CLOSE_WITHIN_SECONDS, self._outside.close(), "outside")
            await self._tokens.close()
            self._log.info("feed_ended")


async def _answered(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return answers.failed(error.status_code, error.headers)
