"""The database: transactions over tables in memory, with row locks, time-outs and a fence, like the store in SQL.

Where it differs from Postgres: only checkpoints are locked. A commit stages all of its rows at once, and a reader sees
the tables as the last commit left them. No deadlock and no serialization failure can happen.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.projector.ports import Advance, BusyError, Checkpoint, FencedError, KnownError
from tests.support.proof.checkers.history import CheckpointMove
from tests.world.tables import Tables

# `transaction_timeout` and `lock_timeout` of the projector's sessions.
TRANSACTION_SECONDS: Final = 2.0
LOCK_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.01


@dataclass(eq=False)
class Transaction:
    """One write transaction. It holds its checkpoints until it ends, by itself or by its time-out."""

    kparts: tuple[int, ...]
    open: bool = True
    # The tables when it staged its rows, and the tables with those rows.
    staged: tuple[Tables, Tables] | None = None


@dataclass
class Database:
    """One database of `partitions` partitions."""

    partitions: int
    compare_and_set: bool = True
    asks_whether_news: bool = True
    timeouts: bool = True
    away: bool = False
    # How often the fence held.
    fenced: int = 0
    # How often something was known of what was taken for news.
    known: int = 0
    tables: Tables = field(init=False)
    moves: list[CheckpointMove] = field(default_factory=list)
    past: list[Tables] = field(default_factory=list)
    _locks: dict[int, Transaction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = Tables({kpart: Checkpoint(kpart) for kpart in range(self.partitions)})

    def reach(self) -> None:
        """Raise when the database is away."""
        if self.away:
            raise ConnectionError("the database is away")

    async def begin(self, kparts: Iterable[int]) -> Transaction:
        """Lock some checkpoints in order. Wait while another transaction holds one of them."""
        self.reach()
        transaction = Transaction(tuple(sorted(kparts)))
        try:
            for kpart in transaction.kparts:
                await self._unlocked(kpart)
                self._locks[kpart] = transaction
        except BaseException:
            self.end(transaction)
            raise
        if self.timeouts:
            asyncio.get_running_loop().call_later(TRANSACTION_SECONDS, self.end, transaction)
        return transaction

    async def _unlocked(self, kpart: int) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + LOCK_SECONDS
        while kpart in self._locks:
            if loop.time() >= until and self.timeouts:
                raise BusyError(f"partition {kpart} is held by another transaction")
            await asyncio.sleep(_LOOK_SECONDS)
            self.reach()

    def end(self, transaction: Transaction) -> None:
        """Release what a transaction holds. What it has not committed is lost."""
        transaction.open = False
        for kpart in transaction.kparts:
            if self._locks.get(kpart) is transaction:
                del self._locks[kpart]

    def stage(self, transaction: Transaction, advances: Sequence[Advance]) -> None:
        """Run the statements of a commit: the compare-and-set first, then the rows. No other session sees them yet."""
        transaction.staged = (self.tables, self._after(advances))

    def _after(self, advances: Sequence[Advance]) -> Tables:
        staged = self.tables.copy()
        for advance in advances:
            at, to = staged.checkpoint[advance.to.kpart], advance.to
            if self.compare_and_set and at.next_offset != advance.read_at:
                self.fenced += 1
                raise FencedError(f"partition {to.kpart} is no longer where it was read")
            staged.checkpoint[to.kpart] = Checkpoint(
                kpart=to.kpart,
                next_offset=to.next_offset,
                last_event_id=to.last_event_id,
                last_log_time=to.last_log_time,
                policy_rev=to.policy_rev,
                published=max(at.published, to.published),
                outcomes_next=max(at.outcomes_next, to.outcomes_next),
            )
        if self.asks_whether_news and any(self.tables.knows_any_of(a.unread) for a in advances if a.unread is not None):
            self.known += 1
            raise KnownError("an event has a verdict already, or a drawn id a timer")
        staged.write(advances)
        return staged

    def commit(self, transaction: Transaction, advances: Sequence[Advance]) -> None:
        """Commit the staged rows. Raises ConnectionError if the transaction was ended meanwhile."""
        self.reach()
        if not transaction.open or transaction.staged is None:
            raise ConnectionError("the session ended within its transaction")
        before, after = transaction.staged
        # Another session may have committed other partitions meanwhile.
        self.tables = after if self.tables is before else self._after(advances)
        self.past.append(before)
        self.moves += [CheckpointMove(a.to.kpart, a.read_at, a.to.next_offset) for a in advances]

    def save_progress(self, at: Checkpoint) -> bool | None:
        """Do what `save_progress.sql` does with one partition. Return None while a commit holds the partition."""
        self.reach()
        if at.kpart in self._locks:
            return None
        now = self.tables.checkpoint[at.kpart]
        if now.next_offset != at.next_offset:
            return False
        self.tables = self.tables.copy()
        self.tables.checkpoint[at.kpart] = Checkpoint(
            kpart=now.kpart,
            next_offset=now.next_offset,
            last_event_id=now.last_event_id,
            last_log_time=now.last_log_time,
            policy_rev=now.policy_rev,
            published=max(now.published, at.published),
            outcomes_next=max(now.outcomes_next, at.outcomes_next),
        )
        return True

    def save_looked(self, kpart: int, revision: int) -> None:
        """Do what `save_looked.sql` does."""
        self.reach()
        self.tables = self.tables.copy()
        self.tables.looked[kpart] = max(revision, self.tables.looked.get(kpart, -1))

    def prune(self, kpart: int, now: datetime) -> int:
        """Do what `prune_outcomes.sql` does. Return how many outcomes were deleted."""
        self.reach()
        self.tables = self.tables.copy()
        return self.tables.prune(kpart, now)

    def restore(self, older: Tables) -> None:
        """Put an older dump in place of what is there."""
        self.tables = older
        # A dump holds no locks, and all sessions have ended.
        for transaction in list(self._locks.values()):
            self.end(transaction)
        self.moves += [
            CheckpointMove(kpart, at.next_offset, at.next_offset, restored=True)
            for kpart, at in older.checkpoint.items()
        ]
