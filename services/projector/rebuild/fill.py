"""Fill: outcomes into the new tables, most of them from the judged stream, the last ones from the table `outcome`.

Rows and queries are the projector's own, so both schemas get the same bytes. A commit moves the checkpoint of the new
tables and writes their rows in one transaction. So a rebuild that is killed at any moment has lost nothing, and goes on
from its checkpoints.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import asyncpg
import structlog

from services.projector.domain.outcomes import Kept
from services.projector.helpers.bulk import BESIDE_THE_FOLD, BulkStore
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.quick_reader import read_quickly
from services.projector.kafka.outcomes import KafkaStreamInPieces
from services.projector.loop.partition.recover import FAR_BEHIND, LogWentBackError, after, catch_up
from services.projector.ports import Advance, Checkpoint, Span
from services.projector.rebuild.at_once import at_once
from services.projector.rebuild.messages import STAYS, RebuildError, failed, in_one_line
from services.projector.rebuild.queries import query
from services.projector.store.postgres import Connection
from shared.events.outcome import NewerOutcomeError, UnreadableOutcomeError, read_outcome
from shared.events.topics import OUTCOMES
from shared.kafka.clients import KafkaAddress, KafkaError
from shared.packing.bodies import DamagedBodyError, UnknownDictionaryError, body_of

_OF_A_NEWER_RELEASE: Final = f"of a newer release: rebuild with that release. {STAYS}"

_log = structlog.get_logger()


class _StreamToRebuildFrom(KafkaStreamInPieces):
    """The judged stream. A message about a failure to read it names Kafka: the same errors come from Postgres too."""

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now. Raises RebuildError."""
        with _failures_named():
            return await super().span(kpart)

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets. Raises RebuildError."""
        with _failures_named():
            return await super().read(kpart, start, end)


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise RebuildError(f"{failed('Kafka', error)} {STAYS}") from error


class Filling:
    """Takes partitions to the end of the judged stream, several at once. Reports progress after each commit.

    A partition that is far from the end is given to a helper, because one process makes rows on one core. The few
    outcomes that come while people press are not worth a process.
    """

    def __init__(
        self, kafka: KafkaAddress, pool: asyncpg.Pool, helpers: HelperProcesses, report: Callable[[int, int], None]
    ) -> None:
        # The tables beside the fold are not part of a version of the read models, and have these rows already.
        self.store = BulkStore(pool, BESIDE_THE_FOLD, lambda at: self._reached(at.kpart, at.outcomes_next))
        self._stream = _StreamToRebuildFrom(kafka)
        self._helpers = helpers
        self._report = report
        # How far each partition is read, and where its stream begins and ends.
        self._read: dict[int, int] = {}
        self._begin: dict[int, int] = {}
        self._end: dict[int, int] = {}

    async def stop(self) -> None:
        """Close the reader, and end the helpers."""
        await asyncio.gather(self._stream.stop(), self._helpers.stop())

    async def to_the_end(self, kparts: Sequence[int]) -> int:
        """Fill up to where the stream ends when a partition is begun; return how many outcomes came.

        Raises RebuildError for what the stream holds or lacks and while Kafka is away, and what Postgres raises.
        """
        for kpart in kparts:
            span = await self._stream.span(kpart)
            self._begin[kpart], self._end[kpart] = span.begin, span.end
            self._read[kpart] = (await self.store.checkpoint(kpart)).outcomes_next
        self._report_all()
        before = sum(self._read.values())
        await at_once(*(self._fill(kpart) for kpart in kparts))
        return sum(self._read.values()) - before

    async def _fill(self, kpart: int) -> None:
        if self._end[kpart] - self._read[kpart] >= FAR_BEHIND:
            await self._helpers.catch_up(kpart, _skipped, partial(self._reached, kpart))
        at = await self.store.checkpoint(kpart)
        try:
            reached = await catch_up(at, self._stream, self.store, _skipped, read_quickly, self.store.gather)
        except NewerOutcomeError:
            offset = await self._first_newer(kpart)
            which = "An outcome" if offset is None else f"The outcome at offset {offset}"
            raise RebuildError(f"{which} of partition {kpart} of {OUTCOMES} is {_OF_A_NEWER_RELEASE}") from None
        except LogWentBackError as error:
            raise RebuildError(
                f"Partition {kpart} of {OUTCOMES} is not whole: {in_one_line(error)}. See the alarm `log_went_back` in "
                "docs/operations.md. With the whole stream back, `stint rebuild --resume` goes on."
            ) from error
        self._reached(kpart, reached.outcomes_next)

    async def _first_newer(self, kpart: int) -> int | None:
        """Return where the first outcome of a newer release stands, behind what is filled; None: it is gone."""
        offset, end = (await self.store.checkpoint(kpart)).outcomes_next, (await self._stream.span(kpart)).end
        while records := await self._stream.read(kpart, offset, end):
            if (found := next((at for at, body in records if _is_newer(body)), None)) is not None:
                return found
            offset = records[-1][0] + 1
        return None

    def _reached(self, kpart: int, outcomes_next: int) -> None:
        self._read[kpart] = outcomes_next
        self._end[kpart] = max(self._end[kpart], outcomes_next)
        self._report_all()

    def _report_all(self) -> None:
        done = sum(self._read[kpart] - begin for kpart, begin in self._begin.items())
        self._report(done, sum(self._end[kpart] - begin for kpart, begin in self._begin.items()))


async def take_the_rest(conn: Connection, store: BulkStore) -> None:
    """Write what the live tables have and the new ones lack, from the table `outcome`, in the caller's transaction.

    Takes every committed outcome, published or not. Raises RebuildError for a row that is damaged or of a newer
    release. Also when the new tables are further on: the live ones were restored from a dump, and their projectors have
    not caught up.
    """
    advances: list[Advance] = []
    for row in await conn.fetch(query("both_checkpoints")):
        at = Checkpoint(row["kpart"], next_offset=row["next_offset"], outcomes_next=row["outcomes_next"])
        if at.next_offset > row["live_offset"]:
            raise RebuildError(
                f"The live tables of partition {at.kpart} are behind the judged stream. "
                "Wait until its projector has caught up (`stint doctor`), then `stint rebuild --resume`."
            )
        rest = await conn.fetch(query("rest"), at.kpart, at.next_offset, row["live_offset"])
        if kept := [_kept(at.kpart, one) for one in rest]:
            advances.append(Advance(at.next_offset, after(at, kept[-1], at.outcomes_next), kept))
    if advances:
        await store.write(conn, advances)


def _kept(kpart: int, row: asyncpg.Record) -> Kept:
    try:
        body = body_of(row["body"], row["packed"])
        return Kept(read_outcome(body), body.encode())
    except (DamagedBodyError, UnreadableOutcomeError):
        raise RebuildError(
            f"The row of the outcome {kpart}:{row['source_offset']} is damaged, and the judged stream has not told it "
            "yet. See the alarm `recovery_failed` in docs/operations.md."
        ) from None
    except (NewerOutcomeError, UnknownDictionaryError):
        raise RebuildError(f"The outcome {kpart}:{row['source_offset']} is {_OF_A_NEWER_RELEASE}") from None


def _is_newer(body: bytes | None) -> bool:
    try:
        read_outcome(body or b"")
    except NewerOutcomeError:
        return True
    except UnreadableOutcomeError:
        return False
    return False


def _skipped(offset: int, reason: str) -> None:
    _log.warning("outcome_record_skipped", stream_offset=offset, reason=reason)
