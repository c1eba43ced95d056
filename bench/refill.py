"""Catching up: an empty database filled from the judged stream, against COPY of the same rows into the same tables.

Outcomes of the real fold, of starts and stops, are put on a topic once. Each round empties the tables, lets the
projector's own code catch up, and then empties them again for the COPY, with every index in place. So both write the
same rows on the same server within seconds of each other, and the median of their ratios is printed.
"""

import argparse
import asyncio
import io
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from bench.rebuilding import OUTCOMES_TO_AN_EVENT, projected_by_the_peer, rebuilt
from bench.rig.cpu import seconds_of
from bench.rules.days import BEGINS
from deploy.local.machine import on_free_ports
from deploy.local.stack import Stack
from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.helpers.helper import helping
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery
from services.projector.kafka.outcomes import KafkaJudgedStream, KafkaOutcomeLog
from services.projector.loop.partition.recover import catch_up
from services.projector.ports import ToPublish
from services.projector.settings import Settings as ProjectorSettings
from services.projector.store.postgres import PostgresStore, open_pool
from services.stint_cli.brokers import Brokers
from services.stint_cli.deployment.migrate import migrate
from services.stint_cli.deployment.topics import ensure_topics
from shared.events.codec import Press
from shared.events.envelope import Envelope
from shared.events.ids import ID_EPOCH, make_short, partition_of, slot_of
from shared.events.models import Actor, AnyEvent, TimerStarted, TimerStopped
from shared.events.outcome import outcome_key
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy, Preset
from shared.events.topics import OUTCOMES
from shared.kafka.clients import KafkaAddress, durable_producer
from shared.kafka.kept_producer import KeptProducer

OUTCOMES_AT_ALL: Final = 100_000
ROUNDS: Final = 3
PARTITIONS: Final = 4
OWNERS: Final = 2_000
MUST: Final = 0.5
REBUILD_MUST: Final = 60
# A batch that fits into a request with room to spare.
AT_ONCE: Final = 150
# In the order in which a commit writes them.
TABLES: Final = ("outcome", "timer", "interval", "day_total", "job_total", "work_total", "timer_history", "violation")
EMPTIED: Final = ("dead_letter", "owner_fact", "deadline", *TABLES)


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds for the same rows: by catching up, and by COPY.

    `worked` is what the processor did for the projector and its helpers.
    """

    caught_up: float
    worked: float
    copied: float

    @property
    def ratio(self) -> float:
        """Return the speed of catching up, where that of COPY is 1."""
        return self.copied / self.caught_up

    def told(self, how_many: int) -> str:
        """Return a line about both."""
        ours, copy = how_many / self.caught_up, how_many / self.copied
        worked_us = self.worked / how_many * 1e6
        return f"caught up {ours:,.0f}/s ({worked_us:.0f} us of projector), COPY {copy:,.0f}/s: {self.ratio:.2f}"


def folded(how_many: int) -> dict[int, list[ToPublish]]:
    """Return the outcomes of starts and stops by the real fold, of each partition: an owner's hour after the other."""
    policy = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")
    record = PolicyRecord(replaces=None, set_by="bench", set_at=BEGINS - timedelta(days=1), document=policy)
    book = PolicyBook()
    book.apply(0, b"acme", record.model_dump_json(by_alias=True).encode(), record.set_at)
    ledgers = {kpart: Ledger(kpart, PARTITIONS, Known({}, {}, {}, -1)) for kpart in range(PARTITIONS)}
    kept: dict[int, list[ToPublish]] = {kpart: [] for kpart in ledgers}
    said = {"tenant": "acme", "actor": Actor(client="crm", role="machine"), "dialect": "native", "digest": "0" * 64}
    for number in range(how_many // 2):
        hour, of_owner = divmod(number, OWNERS)
        owner, at = f"owner-{of_owner}", BEGINS + timedelta(hours=hour, seconds=of_owner)
        slot = slot_of("acme", owner)
        kpart = partition_of(slot, PARTITIONS)
        timer = make_short((at - ID_EPOCH) // timedelta(milliseconds=1), slot, 0)
        start = TimerStarted.model_validate(said | {"owner": owner, "job_id": f"job-{of_owner % 50}"})
        pressed: list[tuple[AnyEvent, timedelta]] = [
            (start, timedelta()),
            (TimerStopped.model_validate(said), timedelta(minutes=50)),
        ]
        for event, later in pressed:
            offset = len(kept[kpart])
            envelope = Envelope(UUID(int=(kpart << 40) + offset + 1), event.type, at + later, 0, subject=timer)
            one = fold_entry(ledgers[kpart], LoggedPress(offset, at + later, Press(envelope, event)), book)
            if not isinstance(one, Kept) or one.outcome.verdict != "accepted":
                raise AssertionError(f"a press of the bench came out as {one}")
            kept[kpart].append(ToPublish(offset, outcome_key(one.outcome), one.body))
    return kept


@asynccontextmanager
async def deployed(home: Path) -> AsyncIterator[tuple[ProjectorSettings, str]]:
    """Give a stack of its own, with tables and topics: the settings of a projector on it, and the superuser's DSN."""
    with Stack(on_free_ports(home)) as stack:
        kafka = KafkaAddress(bootstrap_servers=stack.kafka.address)
        conn = await asyncpg.connect(stack.postgres.dsn)
        try:
            async with Brokers(kafka) as brokers:
                await migrate(conn)
                await ensure_topics(brokers, conn, PARTITIONS)
        finally:
            await conn.close()
        yield (
            ProjectorSettings(postgres_dsn=SecretStr(stack.postgres.dsn), kafka_bootstrap_servers=stack.kafka.address),
            stack.postgres.superuser_dsn,
        )


async def publish(kafka: KafkaAddress, kept: dict[int, list[ToPublish]]) -> None:
    """Put outcomes on the judged stream."""
    producer = KeptProducer(lambda: durable_producer(kafka), (OUTCOMES,))
    running = asyncio.create_task(producer.run())
    log = KafkaOutcomeLog(kafka, producer)
    for kpart, ready in kept.items():
        for begin in range(0, len(ready), AT_ONCE):
            await log.publish(kpart, ready[begin : begin + AT_ONCE])
    running.cancel()
    await log.stop()
    await producer.close()


async def emptied(pool: asyncpg.Pool) -> None:
    """Empty all tables that outcomes fill, and write what is pending, so that each part starts alike."""
    await pool.execute(f"TRUNCATE {', '.join(EMPTIED)}")
    await pool.execute("UPDATE checkpoint SET next_offset = 0, last_event_id = NULL, published = 0, outcomes_next = 0")


async def caught_up(settings: ProjectorSettings, pool: asyncpg.Pool, nursery: Nursery) -> None:
    """Catch up all partitions at once, as the keeper takes them up."""
    stream, store = KafkaJudgedStream(settings.kafka), PostgresStore(pool)
    helpers = HelperProcesses(nursery, settings.catch_up_processes)

    async def one(kpart: int) -> None:
        await helpers.catch_up(kpart, _unheard)
        await catch_up(await store.checkpoint(kpart), stream, store, _unheard)

    try:
        await asyncio.gather(*(one(kpart) for kpart in range(PARTITIONS)))
    finally:
        await helpers.stop()
        await stream.stop()


def _unheard(*_: object) -> None:
    pass


async def taken_out(pool: asyncpg.Pool) -> dict[str, bytes]:
    """Return the rows of each table as COPY writes them."""
    rows = {}
    for table in TABLES:
        out = io.BytesIO()
        await pool.copy_from_table(table, output=out)
        rows[table] = out.getvalue()
    return rows


async def copied(pool: asyncpg.Pool, rows: dict[str, bytes]) -> None:
    """Put rows back with COPY: one session, one table after the other, all indexes in place."""
    async with pool.acquire() as conn, conn.transaction():
        for table, values in rows.items():
            await conn.copy_to_table(table, source=io.BytesIO(values))


async def one_round(settings: ProjectorSettings, pool: asyncpg.Pool, superuser_dsn: str, nursery: Nursery) -> Round:
    """Catch up and COPY once, one after the other."""
    await _settled(pool, superuser_dsn)
    began, worked = time.perf_counter(), _worked(nursery)
    await caught_up(settings, pool, nursery)
    took, worked = time.perf_counter() - began, _worked(nursery) - worked
    rows = await taken_out(pool)
    await _settled(pool, superuser_dsn)
    began = time.perf_counter()
    await copied(pool, rows)
    return Round(took, worked, time.perf_counter() - began)


def _worked(nursery: Nursery) -> float:
    return time.process_time() + seconds_of(nursery.pid)


async def _settled(pool: asyncpg.Pool, superuser_dsn: str) -> None:
    await emptied(pool)
    conn = await asyncpg.connect(superuser_dsn)
    try:
        await conn.execute("CHECKPOINT")
    finally:
        await conn.close()


async def measured(how_many: int, rounds: int, say: Callable[[str], object]) -> tuple[float, float, float]:
    """Measure on a stack of its own. Return the speed of catching up to COPY's, and of a rebuild to its peer's.

    The last one twice: from the start of both programs to their end, and after their start.
    """
    kept = folded(how_many)
    caught, refilled, started = list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory(prefix="stint-bench-") as home:
        async with deployed(Path(home)) as (settings, superuser_dsn):
            await publish(settings.kafka, kept)
            # A projector has made its nursery when it started.
            with Nursery(helping(settings)) as nursery:
                for _ in range(rounds):
                    pool = await open_pool(settings)
                    one = await one_round(settings, pool, superuser_dsn, nursery)
                    say(f"{one.told(how_many)}\n")
                    caught.append(one.ratio)
                    await emptied(pool)
                    await caught_up(settings, pool, nursery)
                    await pool.close()
                    rebuild = await rebuilt(settings)
                    peer = await projected_by_the_peer(superuser_dsn, how_many // OUTCOMES_TO_AN_EVENT)
                    refilled.append(rebuild.speed / peer.speed)
                    started.append(rebuild.speed_once_started / peer.speed_once_started)
                    say(f"{rebuild}\neventsourcing {peer}: {refilled[-1]:.0f} ({started[-1]:.0f} after the start)\n")
    return median(caught), median(refilled), median(started)


def main() -> int:
    """Print the ratios. Return 1 when one is below what it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.refill")
    parser.add_argument("--outcomes", type=int, default=OUTCOMES_AT_ALL)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    caught, refilled, started = asyncio.run(measured(asked.outcomes, asked.rounds, sys.stdout.write))
    sys.stdout.write(f"catching up, to COPY of the same rows: {caught:.2f} (must be {MUST} or more)\n")
    sys.stdout.write(
        f"rebuild, to a projection of `eventsourcing`: {refilled:.0f} (must be {REBUILD_MUST} or more), "
        f"{started:.0f} after the start of both\n"
    )
    return int(caught < MUST or refilled < REBUILD_MUST)


if __name__ == "__main__":
    sys.exit(main())
