"""Gaps: offsets that no reader is given, because a transaction ended there.

They run on a stack of their own: every test that drains a shared topic would wait for a gap at its end.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from services.projector.kafka.events import KafkaEventLog
from services.projector.kafka.outcomes import _PIECE_BYTES, KafkaOutcomeLog, KafkaStreamInPieces
from services.projector.ports import Span
from services.projector.texts import feed
from services.projector.texts.feed import TextsFeed
from services.projector.texts.projection import Texts
from services.stint_cli.policies import read_policies
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, TEXTS
from shared.kafka.clients import durable_producer
from shared.kafka.kept_producer import KeptProducer
from shared.kafka.policy_reader import PolicyReader
from tests.support.stack.crew import SESSION_MS
from tests.support.stack.deployments import Deployment, deployed
from tests.support.stack.stacks import stack_in
from tests.support.stack.until import eventually

pytestmark = pytest.mark.real

# A reader that waits for a missing record gives up after ten seconds.
AT_ONCE_SECONDS = 8.0


class Stranger:
    """A foreign writer in transactions, such as a connector or a stream processor."""

    def __init__(self, deployment: Deployment) -> None:
        self._servers = deployment.kafka.bootstrap_servers
        self._producer = Producer({"bootstrap.servers": self._servers, "transactional.id": "stranger"})
        self._producer.init_transactions(30)

    async def writes(
        self, topic: str, kpart: int, *values: bytes | None, key: bytes = b"k", abort: bool = False
    ) -> None:
        """Write values in one transaction, and commit or abort it."""
        await asyncio.to_thread(self._write, topic, kpart, values, key, abort=abort)

    async def deletes(self, topic: str, kpart: int, before: int) -> None:
        """Delete the head of a partition, as retention does."""
        admin = AdminClient({"bootstrap.servers": self._servers})
        [deleted] = admin.delete_records([TopicPartition(topic, kpart, before)]).values()
        await asyncio.to_thread(deleted.result, 30)

    def _write(self, topic: str, kpart: int, values: Sequence[bytes | None], key: bytes, *, abort: bool) -> None:
        self._producer.begin_transaction()
        for value in values:
            self._producer.produce(topic, value, key, kpart)
        self._producer.flush(30)
        if abort:
            self._producer.abort_transaction(30)
        else:
            self._producer.commit_transaction(30)


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    with stack_in(tmp_path_factory.mktemp("gaps")) as stack:
        async with deployed(stack) as deployment:
            yield deployment


@pytest.fixture(scope="module")
async def stranger(own: Deployment) -> Stranger:
    return await asyncio.to_thread(Stranger, own)


@pytest.fixture
async def events(own: Deployment) -> AsyncIterator[KafkaEventLog]:
    log = KafkaEventLog(own.kafka, "gaps", SESSION_MS)
    yield log
    await log.stop()


@pytest.fixture
async def outcomes(own: Deployment) -> AsyncIterator[KafkaOutcomeLog]:
    log = KafkaOutcomeLog(own.kafka, KeptProducer(lambda: durable_producer(own.kafka), [OUTCOMES]))
    yield log
    await log.stop()


async def found(events: KafkaEventLog, kpart: int, *offsets: int) -> list[int | None]:
    """Return the offset of the first record at or after each offset."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        records = [await events.first_from(kpart, offset) for offset in offsets]
    return [None if record is None else record.offset for record in records]


async def test_the_first_record_after_a_gap_is_found(stranger: Stranger, events: KafkaEventLog) -> None:
    """After the last record there is none to find."""
    await stranger.writes(EVENTS, 0, b"at 0")
    await stranger.writes(EVENTS, 0, b"at 2", b"at 3")
    assert await events.span(0) == Span(0, 5)
    assert await found(events, 0, 0, 1, 2, 3, 4, 5) == [0, 2, 2, 3, None, None]


async def test_an_aborted_transaction_leaves_its_records_and_a_gap(stranger: Stranger, events: KafkaEventLog) -> None:
    """Our readers do not wait for transactions: a transaction that never ends would stop its partition."""
    await stranger.writes(EVENTS, 1, b"at 0", abort=True)
    await stranger.writes(EVENTS, 1, b"at 2")
    assert await found(events, 1, 0, 1, 3) == [0, 2, None]


async def test_a_log_that_holds_nothing_but_a_gap_holds_no_record(stranger: Stranger, events: KafkaEventLog) -> None:
    await stranger.writes(EVENTS, 2, b"at 0")
    await stranger.deletes(EVENTS, 2, before=1)
    assert await events.span(2) == Span(1, 2)
    assert await found(events, 2, 0, 1, 2) == [None, None, None]
    await stranger.writes(EVENTS, 2, b"at 2")
    assert await found(events, 2, 0, 1) == [2, 2]


async def test_an_empty_partition_holds_no_record(events: KafkaEventLog) -> None:
    assert await found(events, 3, 0) == [None]


async def test_the_judged_stream_is_read_over_its_gaps_with_its_nulls(
    stranger: Stranger, outcomes: KafkaOutcomeLog
) -> None:
    await stranger.writes(OUTCOMES, 0, b"at 0", None)
    await stranger.writes(OUTCOMES, 0, b"at 3", abort=True)
    assert await outcomes.span(0) == Span(0, 5)
    async with asyncio.timeout(AT_ONCE_SECONDS):
        assert await outcomes.read(0, 0, 5) == [(0, b"at 0"), (1, None), (3, b"at 3")]
        assert await outcomes.read(0, 1, 3) == [(1, None)]
        assert await outcomes.read(0, 2, 3) == []
        assert await outcomes.read(0, 4, 5) == []


async def test_a_helper_reads_over_gaps_and_no_more_in_a_piece_than_memory_has(
    own: Deployment, stranger: Stranger
) -> None:
    """Outcomes may be a hundred times as large as most are, so a piece ends by its bytes too."""
    large = b" " * 600_000
    await stranger.writes(OUTCOMES, 1, b"at 0", None)
    await stranger.writes(OUTCOMES, 1, *[large] * 48, abort=True)
    stream = KafkaStreamInPieces(own.kafka)
    try:
        assert await stream.span(1) == Span(0, 52)
        pieces = [await stream.read(1, 0, 52)]
        while pieces[-1][-1][0] < 50:
            pieces.append(await stream.read(1, pieces[-1][-1][0] + 1, 52))
        assert await stream.read(1, 51, 52) == []
    finally:
        await stream.stop()
    assert [one for piece in pieces for one in piece] == [
        (0, b"at 0"),
        (1, None),
        *((at, large) for at in range(3, 51)),
    ]
    # These records pack to next to nothing, so one fetch brings them all.
    sizes = [sum(len(value or b"") for _, value in piece) for piece in pieces]
    assert max(sizes) <= _PIECE_BYTES + len(large)
    assert len(pieces) > 1


async def test_the_policies_are_caught_up_over_a_gap_at_their_end(own: Deployment, stranger: Stranger) -> None:
    """A press may name the revision that a gap took. No reader waits for it longer than a moment."""
    await own.tenant()
    await stranger.writes(POLICIES, 0, b"no policy", key=b"stranger")
    reader = PolicyReader(own.kafka)
    with pytest.raises(ConnectionError):
        await reader.end()
    reading = asyncio.create_task(reader.run())
    try:

        async def caught_up() -> bool:
            return reader.caught_up

        await eventually(caught_up, "the policies are caught up")
        end = await reader.end()
        assert reader.book.position == end - 1
        await stranger.writes(POLICIES, 0, b"no policy", key=b"stranger")
        assert await reader.reach(await reader.end() - 1, seconds=AT_ONCE_SECONDS)
        tenant = await own.tenant()
        assert await reader.reach(tenant.revision, seconds=AT_ONCE_SECONDS)
        assert reader.latest(tenant.name) is not None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_command_reads_the_policies_up_to_a_gap_at_their_end(own: Deployment, stranger: Stranger) -> None:
    tenant = await own.tenant()
    await stranger.writes(POLICIES, 0, b"no policy", key=b"stranger")
    async with asyncio.timeout(AT_ONCE_SECONDS):
        book = await read_policies(own.kafka)
    assert book.latest_revision(tenant.name) == tenant.revision
    assert book.position > tenant.revision + 1  # the record that is no policy, and the gap after it


async def test_a_feed_of_texts_is_not_replaced_because_of_a_gap(
    own: Deployment, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LOOK_EVERY_SECONDS", 0.2)
    texts = Texts(own.pool)
    with capture_logs() as said:
        reading = asyncio.create_task(TextsFeed(own.kafka, "gaps.texts", SESSION_MS, texts).run())
        try:
            await stranger.writes(TEXTS, 0, b"no text")

            async def passed_by() -> bool:
                return texts.unreadable > 0

            await eventually(passed_by, "the stranger's record is passed")
            await asyncio.sleep(2)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    assert [line for line in said if line["event"] == "texts_feed_lost"] == []
