"""Filling the new tables: what is said meanwhile, and what is said of a stream or a row that cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import asyncpg
import pytest

from services.projector.domain.outcomes import Kept
from services.projector.helpers.helpers import HelperProcesses
from services.projector.ports import Checkpoint, Span
from services.projector.rebuild import fill
from services.projector.rebuild.fill import Filling, _kept
from services.projector.rebuild.messages import RebuildError
from shared.kafka.clients import KafkaAddress, KafkaError
from shared.packing.bodies import UnknownDictionaryError, pack
from tests.support.story.partition import LOG, fold

READ, END = 2, 7
STAYS = "What is filled stays: `stint rebuild --resume` goes on there."


def a_filling(told: list[tuple[int, int]]) -> Filling:
    """Return one that has no helpers, and whose Kafka and Postgres are nowhere."""
    no_helpers, nowhere = HelperProcesses(None, 0), KafkaAddress(bootstrap_servers="nowhere:9092")
    return Filling(nowhere, cast("asyncpg.Pool", None), no_helpers, lambda done, total: told.append((done, total)))


async def test_how_much_there_is_to_fill_is_said_before_any_of_it_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first outcomes of a large rebuild take a while, and nothing else says that it has begun."""
    told: list[tuple[int, int]] = []
    filling = a_filling(told)

    async def span(_: int) -> Span:
        return Span(0, END)

    async def checkpoint(kpart: int) -> Checkpoint:
        return Checkpoint(kpart, outcomes_next=READ)

    async def filled(_: int) -> None:
        assert told == [(2 * READ, 2 * END)]

    monkeypatch.setattr(filling._stream, "span", span)
    monkeypatch.setattr(filling.store, "checkpoint", checkpoint)
    monkeypatch.setattr(filling, "_fill", filled)
    assert await filling.to_the_end([0, 1]) == 0


@dataclass(frozen=True)
class Written:
    """A record of the judged stream."""

    offset: int
    value: bytes | None


class Reader:
    """Stands in for Kafka: the judged stream of one partition, or how it fails."""

    def __init__(self, records: Sequence[Written], begin: int = 0, error: Exception | None = None) -> None:
        self._records = records
        self._begin = begin
        self._error = error

    async def span(self, _: int) -> Span:
        """Return which offsets there are."""
        if self._error is not None:
            raise self._error
        return Span(self._begin, self._records[-1].offset + 1)

    async def read_on(self, _: int, start: int, end: int, *__: int) -> Sequence[Written]:
        """Return two records at a time, so that a partition is several pieces."""
        return [one for one in self._records if start <= one.offset < end][:2]

    async def stop(self) -> None:
        """Nothing is open."""


class Store:
    """Stands in for the tables that are filled, and for one piece after the other on its way into them."""

    def __init__(self) -> None:
        self.at = Checkpoint(3)

    async def checkpoint(self, _: int) -> Checkpoint:
        """Return how far the partition is filled."""
        return self.at

    def gather(self, _: int) -> "Store":
        """Begin a piece."""
        return self

    def add(self, _: Kept) -> None:
        """Take an outcome."""

    async def commit(self, _: int, to: Checkpoint) -> None:
        """Move the checkpoint."""
        self.at = to


async def said_of(reader: Reader, store: Store) -> str:
    """Return why the stream of partition 3 could not be filled to its end."""
    filling: Any = a_filling([])
    filling._stream._reader, filling.store = reader, store
    with pytest.raises(RebuildError) as end:
        await filling.to_the_end([3])
    return str(end.value)


OUTCOMES = fold(LOG)
NEWER = OUTCOMES[4].replace(b'{"v":1', b'{"v":2')


async def test_an_outcome_of_a_newer_release_on_the_stream_is_named_by_its_offset() -> None:
    """The pieces before its own are filled. The stream has gaps, and records of others: here a whole piece of them."""
    bodies = [OUTCOMES[0], b"foreign", None, OUTCOMES[1], OUTCOMES[2], b"", b"foreign", None, OUTCOMES[3], NEWER]
    store = Store()
    said = await said_of(Reader([Written(10 + 3 * at, body) for at, body in enumerate(bodies)]), store)
    assert said == (
        f"The outcome at offset 37 of partition 3 of timer.outcomes.v1 is of a newer release: rebuild with that "
        f"release. {STAYS}"
    )
    assert (store.at.next_offset, store.at.outcomes_next) == (3, 26)


async def test_a_stream_without_its_beginning_is_named_by_its_partition() -> None:
    said = await said_of(Reader([Written(5, OUTCOMES[0])], begin=5), Store())
    assert said.startswith("Partition 3 of timer.outcomes.v1 is not whole: outcomes_next 0 lies outside")
    assert "`log_went_back`" in said


@pytest.mark.parametrize("error", [TimeoutError(), KafkaError("no leader"), ConnectionResetError("reset")], ids=repr)
async def test_a_stream_that_cannot_be_read_is_kafkas_failure(error: Exception) -> None:
    """The same errors of Postgres pass as they are."""
    said = await said_of(Reader([Written(0, OUTCOMES[0])], error=error), Store())
    assert said.startswith(f"Kafka failed: {type(error).__name__}: ")
    assert said.endswith(STAYS)


DAMAGED = "The row of the outcome 3:42 is damaged"
OF_A_NEWER_RELEASE = "The outcome 3:42 is of a newer release: rebuild with that release. " + STAYS


@pytest.mark.parametrize(
    ("body", "packed", "said"),
    [
        ("", b"damaged", DAMAGED),
        ('{"v":1}', None, DAMAGED),
        ("", pack(OUTCOMES[0])[:-1], DAMAGED),
        (NEWER.decode(), None, OF_A_NEWER_RELEASE),
        ("", pack(NEWER), OF_A_NEWER_RELEASE),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_place(body: str, packed: bytes | None, said: str) -> None:
    with pytest.raises(RebuildError) as end:
        _kept(3, cast("asyncpg.Record", {"source_offset": 42, "body": body, "packed": packed}))
    assert str(end.value).startswith(said)


def test_a_row_that_a_newer_release_packed_is_named_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> str:
        raise UnknownDictionaryError("dictionary 7")

    monkeypatch.setattr(fill, "body_of", unknown)
    with pytest.raises(RebuildError) as end:
        _kept(3, cast("asyncpg.Record", {"source_offset": 42, "body": "", "packed": b"."}))
    assert str(end.value) == OF_A_NEWER_RELEASE
