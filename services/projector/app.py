"""Wiring: the parts of the projector, how they start and in which order they end. Decides nothing."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import asyncpg
import structlog
from starlette.applications import Starlette

from services.projector import health
from services.projector.clock.clock import DeadlineClock
from services.projector.health import watch_progress
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery
from services.projector.kafka.events import KafkaEventLog
from services.projector.kafka.outcomes import KafkaOutcomeLog
from services.projector.kafka.replies import KafkaReplies
from services.projector.kafka.ticks import KafkaTicks
from services.projector.lag import Lag
from services.projector.loop.keeper import Keeper
from services.projector.loop.projector import Projector
from services.projector.metrics import ALARM_NAMES, FoldTally, Parts, readings
from services.projector.ports import Store
from services.projector.settings import Settings
from services.projector.store.deadlines import PostgresDeadlines
from services.projector.store.policies import PolicyRows
from services.projector.store.postgres import PostgresStore, open_pool
from services.projector.store.queries import query
from services.projector.texts.eraser import Eraser
from services.projector.texts.feed import TextsFeed
from services.projector.texts.projection import Texts
from services.projector.texts.tombstones import KafkaTombstones
from shared.events.policies.book import PolicyBook
from shared.events.topics import EVENTS, OUTCOMES, REPLIES, TEXTS
from shared.kafka.clients import AIOKafkaProducer, KafkaAddress, durable_producer, quick_producer
from shared.kafka.kept_producer import KeptProducer
from shared.kafka.policy_reader import PolicyReader
from shared.process.alarms import Alarms
from shared.process.backoff import Setbacks
from shared.process.clock import now
from shared.process.ending import ended_within
from shared.process.http.paths import whole_paths
from shared.process.metrics import metrics_route
from shared.sql import POSTGRES_FAILED

_log = structlog.get_logger()

_CLOSE_WITHIN_SECONDS: Final = 3.0
_RETRY_AFTER_SECONDS: Final = 0.5
_LOOK_AGAIN_SECONDS: Final = 0.05
_STUCK_AFTER_SECONDS: Final = 60.0


class MonotonicClock:
    """The machine's own clock. The fold never sees it."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)


class ProjectorProcess:
    """All parts of one process. `store_on` makes the store, so that tests can put crash points around it.

    Without `alarms` none are counted, and without a `nursery` there are no helpers.
    """

    def __init__(
        self,
        settings: Settings,
        store_on: Callable[[asyncpg.Pool], Store] = PostgresStore,
        *,
        alarms: Alarms | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self.failed = False
        self._nursery = nursery
        self._settings = settings
        self._store_on = store_on
        self._kafka = settings.kafka
        self._producer = KeptProducer(lambda: durable_producer(self._kafka), (EVENTS, OUTCOMES))
        self._events = KafkaEventLog(self._kafka, settings.group_id, settings.session_timeout_ms)
        self._projector: Projector | None = None
        self._parts = Parts(
            tally=FoldTally(now),
            alarms=alarms or Alarms(ALARM_NAMES),
            checks={
                "begun": lambda: self._projector is not None,
                "joined": lambda: self._events.joined,
                "producer": lambda: self._producer.there,
            },
            partitions=self._producer.partitions,
            now=now,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def app(self) -> Starlette:
        """Return the ASGI application that serves health and metrics. Its lifespan starts and ends the parts."""
        routes = health.routes(lambda: self._projector, lambda: self._events.joined, self._alive)
        return Starlette(routes=whole_paths([*routes, metrics_route(readings(self._parts))]), lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # Nothing here waits for Kafka or Postgres: the process is alive at once, and ready after both were reached.
        self._begin("projector", self._project())
        self._begin("producer", self._producer.run())
        try:
            yield
        finally:
            if self._projector is not None:
                await ended_within(self._settings.grace_seconds, self._projector.stop(), "projector")
            for task in self._tasks[1:] if self._projector is not None else self._tasks:
                task.cancel()
            if not await ended_within(self._settings.grace_seconds, asyncio.wait(self._tasks), "tasks"):
                self._tasks[0].cancel()
            await self._producer.close()
            _log.info("projector_ended")

    async def _project(self) -> None:
        async with AsyncExitStack() as ending:
            pool = await self._pool()
            ending.push_async_callback(_closed, "pool", pool.close)
            self._projector = await self._assemble(pool, ending)
            await self._events.start(self._projector.keeper)
            self._begin("progress", watch_progress(self._projector.keeper, self._events))
            keeper = self._projector.keeper
            self._parts.lag = Lag(self._events, lambda: keeper.ours)
            self._begin("lag", self._parts.lag.run())
            ending.push_async_callback(self._events.stop)
            await self._projector.run()

    async def _assemble(self, pool: asyncpg.Pool, ending: AsyncExitStack) -> Projector:
        policies = self._begin_policies(pool)
        self._begin_texts(pool, ending)
        self._parts.replies = KafkaReplies(self._begin_producer("replies", quick_producer, REPLIES, ending))
        await self._producer.get()
        outcomes = KafkaOutcomeLog(self._kafka, self._producer)
        ending.push_async_callback(outcomes.stop)
        helpers = HelperProcesses(self._nursery, self._settings.catch_up_processes)
        ending.push_async_callback(helpers.stop)
        partitions = await self._agreed_partitions(pool)
        while not policies.caught_up:  # noqa: ASYNC110 - there is no event to wait for, and this runs once
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        projector = Projector(
            partitions=partitions,
            log=self._events,
            outcomes=outcomes,
            replies=self._parts.replies,
            store=self._store_on(pool),
            book=policies.book,
            policies=policies,
            clock=MonotonicClock(),
        )
        projector.keeper.helpers = helpers
        projector.count = self._parts.tally.count
        self._parts.projector = projector
        self._begin_clock(projector.keeper, policies.book, PostgresDeadlines(pool, partitions), ending)
        return projector

    def _begin_policies(self, pool: asyncpg.Pool) -> PolicyReader:
        rows = PolicyRows(pool)
        policies = PolicyReader(self._kafka, rows.add)
        self._begin("policies", policies.run())
        self._begin("policy_rows", rows.run())
        return policies

    def _begin_texts(self, pool: asyncpg.Pool, ending: AsyncExitStack) -> None:
        settings = self._settings
        self._parts.texts = Texts(pool)
        feed = TextsFeed(self._kafka, settings.texts_group_id, settings.session_timeout_ms, self._parts.texts)
        self._begin("texts", feed.run())
        tombstones = self._begin_producer("tombstones", durable_producer, TEXTS, ending)
        self._begin("eraser", Eraser(pool, KafkaTombstones(tombstones)).run())

    def _begin_clock(
        self, keeper: Keeper, book: PolicyBook, deadlines: PostgresDeadlines, ending: AsyncExitStack
    ) -> None:
        ticks = self._begin_producer("ticks", durable_producer, EVENTS, ending)
        clock = DeadlineClock(
            deadlines=deadlines,
            ticks=KafkaTicks(ticks),
            book=book,
            live=lambda: [kpart for kpart in sorted(keeper.ours) if keeper.live(kpart) is not None],
            clock=MonotonicClock(),
            now=now,
        )
        self._parts.clock = clock
        self._begin("clock", clock.run())

    def _begin_producer(
        self, name: str, make: Callable[[KafkaAddress], AIOKafkaProducer], topic: str, ending: AsyncExitStack
    ) -> KeptProducer:
        producer = KeptProducer(lambda: make(self._kafka), (topic,))
        self._begin(name, producer.run())
        ending.push_async_callback(producer.close)
        return producer

    async def _pool(self) -> asyncpg.Pool:
        setbacks = Setbacks("postgres_not_there")
        while True:
            try:
                return await open_pool(self._settings)
            except POSTGRES_FAILED as error:
                setbacks.failed(error)
                await asyncio.sleep(_RETRY_AFTER_SECONDS)

    async def _agreed_partitions(self, pool: asyncpg.Pool) -> int:
        """Return P, after topic and Postgres agree on it. Another P would look for owners on the wrong partitions."""
        setbacks = Setbacks("partitions_not_agreed")
        while True:
            has: int = self._producer.partitions[EVENTS]
            try:
                made = await pool.fetchval(query("read_partitions"))
            except POSTGRES_FAILED as error:
                # Postgres is away, or its tables are not made yet.
                setbacks.failed(error)
            else:
                if made == has:
                    return has
                setbacks.failed(
                    RuntimeError(f"the deployment was made with {made} partitions, and the topic has {has}")
                )
            await asyncio.sleep(_RETRY_AFTER_SECONDS)

    def _alive(self) -> bool:
        return self._projector is None or time.monotonic() - self._projector.polled_at < _STUCK_AFTER_SECONDS

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._when_ended)
        self._tasks.append(task)

    def _when_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        # These tasks never end by themselves. This one met a bug, and only a new process helps.
        _log.error("background_failed", task=task.get_name(), exc_info=error)
        self.failed = True
        signal.raise_signal(signal.SIGTERM)


async def _closed(name: str, close: Callable[[], Awaitable[object]]) -> None:
    await ended_within(_CLOSE_WITHIN_SECONDS, close(), name)
