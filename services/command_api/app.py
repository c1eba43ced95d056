"""Wiring: the parts of the command API, how they start and in which order they end. Decides nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.command_api import dialects
from services.command_api.auth.clients import KnownClients
from services.command_api.auth.identities import TokenIdentities
from services.command_api.auth.quotas import ClientQuotas
from services.command_api.desk.commands import Dialect
from services.command_api.desk.desk import Desk, Quotas
from services.command_api.desk.intake.counted import CountedRecorder
from services.command_api.desk.intake.ports import Intake
from services.command_api.desk.tally import CountedSubmitter, Tally
from services.command_api.dialects.kafka.calls import Commands
from services.command_api.guards import origins
from services.command_api.guards.bodies import BodyLimits
from services.command_api.inbox.feed import CommandsFeed
from services.command_api.metrics import readings
from services.command_api.openapi import pages
from services.command_api.partition_check import PartitionCheck
from services.command_api.settings import Settings
from services.command_api.store.database import Database
from services.command_api.store.directory import Directory
from services.command_api.store.people import PersonRows
from services.command_api.store.reads import PostgresReads
from services.command_api.store.reports import PostgresReports
from services.command_api.store.threshold import SharedThreshold, counted_in
from services.command_api.submit.clock_check import ClockCheck
from services.command_api.submit.policies import SentPolicies
from services.command_api.submit.presses import Presses
from services.command_api.submit.replies import ReplyReader, Waiters
from services.command_api.submit.sender import Sender
from services.command_api.sweep import keep_sweeping
from shared.events.topics import DEAD, EVENTS, POLICIES, TEXTS
from shared.kafka.clients import durable_producer, lone_consumer, repeating_producer
from shared.kafka.kept_producer import KeptProducer
from shared.kafka.policy_reader import PolicyReader
from shared.kafka.post import Post
from shared.outside.sources import Sources
from shared.process.alarms import Alarms
from shared.process.background import Background
from shared.process.bugs import BugGuard, Guarded
from shared.process.clock import now
from shared.process.ending import ended_within
from shared.process.http.front import Front
from shared.process.http.paths import whole_paths
from shared.process.http.probes import Check, probes
from shared.process.metrics import Readings, metrics_route

CLOSE_WITHIN_SECONDS: Final = 3.0
LOOK_AGAIN_SECONDS: Final = 0.02
# Counts of one caller never run side by side, and each takes about a millisecond.
COUNTING_CONNECTIONS_MAX: Final = 4


class Api:
    """All parts of one process. Make it on the loop that will run it. `alarms` are counted where the process logs."""

    def __init__(self, settings: Settings, alarms: Alarms) -> None:
        self._settings = settings
        kafka = settings.kafka
        self._database = Database(
            settings.postgres_dsn.get_secret_value(),
            tls=settings.postgres_tls,
            connections_max=settings.postgres_connections_max,
            within_seconds=settings.postgres_within_seconds,
        )
        self._counts = Database(
            settings.postgres_dsn.get_secret_value(),
            tls=settings.postgres_tls,
            connections_max=COUNTING_CONNECTIONS_MAX,
            within_seconds=settings.zoho_threshold_within_seconds,
            writes=True,
        )
        self._threshold = SharedThreshold(
            counted_in(
                self._counts,
                per_minute=settings.zoho_threshold_per_minute,
                lock_seconds=settings.zoho_threshold_lock_seconds,
            ),
            within_seconds=settings.zoho_threshold_within_seconds,
        )
        reads = PostgresReads(self._database)
        self._clock = ClockCheck(settings.clock_off_seconds_max)
        self._producer = KeptProducer(lambda: durable_producer(kafka), (EVENTS, TEXTS, POLICIES))
        self._sender = Sender(
            self._producer,
            publish_within_seconds=settings.publish_within_seconds,
            # Its records have expired by then, so a new producer loses nothing.
            stalled_after_seconds=settings.expiry_seconds,
            records_max=settings.unacked_records_max,
            bytes_max=settings.unacked_bytes_max,
            ack_times=self._clock.compare,
        )
        self._waiters = Waiters(settings.waiters_max)
        self._replies = ReplyReader(lambda: lone_consumer(kafka), self._waiters)
        self._policies = PolicyReader(kafka)
        self._outside = Sources(settings.issuers, settings.introspection, now)
        self._partitions = PartitionCheck(self._producer.partitions, reads)
        self._alarms = alarms
        self._tally = Tally()
        self._presses = self._made_presses(reads)
        self.desk = self._made_desk(reads)
        self._repeating = KeptProducer(lambda: repeating_producer(kafka), (DEAD,))
        self._commands = self._made_commands()
        self._limits: BodyLimits | None = None
        self._background = Background()
        self._ready = self._checks()
        self._stays = True
        self._log = structlog.get_logger()

    def _checks(self) -> Mapping[str, Check]:
        """Return what must hold while the process is ready, by name. Never Postgres: presses do not need it."""
        return {
            "stays": lambda: self._stays,
            "replies": lambda: self._replies.positioned,
            "producer": lambda: self._sender.fine,
            "policies": lambda: self._policies.caught_up,
            "clock": lambda: self._clock.agrees,
            "partitions": self._partitions.agree,
        }

    def _made_presses(self, reads: PostgresReads) -> Presses:
        return Presses(
            sender=self._sender,
            waiters=self._waiters,
            reply_partition=self._replies.partition,
            policies=self._policies,
            reads=reads,
            now=now,
            expiry_seconds=self._settings.expiry_seconds,
        )

    def _made_commands(self) -> CommandsFeed:
        settings = self._settings
        intake = Intake(
            clients=KnownClients(Directory(self._database), fresh_seconds=settings.token_fresh_seconds),
            recorder=CountedRecorder(self._presses, self._tally, asyncio.get_running_loop().time),
            letters=Post(self._repeating),
            policies_read=lambda: self._policies.has_begun,
            answer_within_seconds=settings.answer_within_seconds,
            backdate_days_max=settings.backdate_days_max,
            tally=self._tally,
        )
        return CommandsFeed(
            settings.kafka,
            settings.commands_group_id,
            session_timeout_ms=settings.session_timeout_ms,
            at_once=settings.commands_at_once,
            take=Commands(intake).take,
        )

    def _made_desk(self, reads: PostgresReads) -> Desk:
        settings = self._settings
        return Desk(
            identities=TokenIdentities(
                Directory(self._database),
                settings.token_key.get_secret_value().encode(),
                now,
                tokens_max=settings.tokens_max,
                fresh_seconds=settings.token_fresh_seconds,
                outside=self._outside,
            ),
            threshold=self._threshold,
            quotas=self._made_quotas(),
            submitter=CountedSubmitter(
                self._presses.submit, self._presses.first_answer, self._tally, asyncio.get_running_loop().time
            ),
            policies=self._policies,
            policy_log=SentPolicies(
                reader=self._policies,
                sender=self._sender,
                now=now,
                within_seconds=settings.publish_within_seconds,
            ),
            reads=reads,
            reports=PostgresReports(self._database),
            people=PersonRows(self._database),
            tally=self._tally,
            now=now,
            answer_within_seconds=settings.answer_within_seconds,
            backdate_days_max=settings.backdate_days_max,
        )

    def _made_quotas(self) -> Mapping[Dialect, Quotas]:
        settings, clock = self._settings, asyncio.get_running_loop().time
        limits: Mapping[Dialect, tuple[int, float]] = {
            "thebase": (settings.thebase_requests_burst, settings.thebase_requests_per_second),
            "native": (settings.native_requests_burst, settings.native_requests_per_second),
        }
        return {
            dialect: ClientQuotas(burst=burst, per_second=per_second, clock=clock)
            for dialect, (burst, per_second) in limits.items()
        }

    def app(self) -> Starlette:
        """Return the ASGI application. Its lifespan starts and ends the parts."""
        # Routes are tried in this order. Presses are not looked for: the front knows them.
        routes = whole_paths(
            [
                *dialects.routes(self.desk, zoho_errors_as_200=self._settings.zoho_errors_as_200),
                *probes(self._background.alive, self._ready),
                metrics_route(self._readings()),
                *pages.routes(),
            ]
        )
        app = Guarded(
            routes=routes,
            middleware=[
                *origins.layers(self._settings.cors_origins),
                Middleware(BugGuard, internal=_internal),
                Middleware(self._limited),
                Middleware(Front, routes=routes, in_words=_in_the_dialects_words),
            ],
            exception_handlers={HTTPException: _answered},
            lifespan=self._lifespan,
        )
        # No dialect has redirects, and their Location would be made of the Host header that the caller sent.
        app.router.redirect_slashes = False
        return app

    def _readings(self) -> Readings:
        return readings(
            tally=self._tally,
            waiters=self._waiters,
            sender=self._sender,
            ready=self._ready,
            partitions=self._producer.partitions,
            alarms=self._alarms,
        )

    @property
    def failed(self) -> bool:
        """Whether a bug ended the process."""
        return self._background.failed

    def leave(self) -> None:
        """Stop being ready, and go on serving: balancers should choose the replicas that stay."""
        self._stays = False
        self._log.info("command_api_leaving")

    def _limited(self, app: ASGIApp) -> ASGIApp:
        self._limits = BodyLimits(
            app, bytes_max=self._settings.max_body_bytes, within_seconds=self._settings.body_within_seconds
        )
        return self._limits

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # Nothing here waits for Kafka or Postgres: the process is alive at once, and ready after both were reached.
        await self._database.open()
        await self._counts.open()
        self._background.begin("producer", self._producer.run())
        self._background.begin("replies", self._replies.run())
        self._background.begin("policies", self._policies.run())
        sweeps = (self._sender.sweep, self._waiters.sweep, self._threshold.sweep, self._sweep_bodies)
        self._background.begin("sweeps", keep_sweeping(*sweeps))
        self._background.begin("partitions", self._partitions.run())
        if self._settings.commands_at_once:
            self._background.begin("post", self._repeating.run())
            self._background.begin("commands", self._commands.run())
        for work in self._outside.work():
            self._background.begin("issuer_keys", work)
        try:
            await self._ready_or_late()
            yield
        finally:
            # By now no request is in flight. First wait a moment for acks, then end the rest.
            await self._sender.close(CLOSE_WITHIN_SECONDS)
            await self._background.end(CLOSE_WITHIN_SECONDS)
            for producer in (self._producer, self._repeating):
                await producer.close()
            await ended_within(CLOSE_WITHIN_SECONDS, self._outside.close(), "outside")
            for database in (self._database, self._counts):
                if not await ended_within(CLOSE_WITHIN_SECONDS, database.close(), "database"):
                    database.terminate()
            self._log.info("command_api_ended")

    async def _ready_or_late(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.listen_when_ready_within_seconds):
                while self._stays and not all(check() for check in self._ready.values()):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _sweep_bodies(self, now: float) -> None:
        if self._limits is not None:
            self._limits.sweep(now)


def _in_the_dialects_words(request: Request, error: HTTPException) -> Response:
    return dialects.error_response(request, error.status_code, error.headers)


async def _answered(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _in_the_dialects_words(request, error)


def _internal(request: Request) -> Response:
    return dialects.error_response(request, 500, None)
