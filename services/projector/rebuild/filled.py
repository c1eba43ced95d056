"""The store that is filled: the projector's own rows and the projector's own queries, so that both give the same bytes.

A commit moves the checkpoint of the new tables and writes their rows in one transaction. So a rebuild that is killed at
any moment has lost nothing, and goes on from its checkpoints.
"""

from collections.abc import Callable, Sequence

import asyncpg

from services.projector.helpers.bulk import BESIDE_THE_FOLD, BulkStore
from services.projector.ports import Advance
from services.projector.store.rows import Rows


class FilledStore(BulkStore):
    """The new tables, on a pool whose sessions have them in the path and were given to `make_incoming`.

    `reached` is called after each commit, with a partition and how far its judged stream is read.
    """

    def __init__(self, pool: asyncpg.Pool, reached: Callable[[int, int], None]) -> None:
        # These tables stand outside the versions of the read models, and have all of it already.
        super().__init__(pool, left_out=BESIDE_THE_FOLD)
        self._reached = reached

    async def commit_rows(self, advances: Sequence[Advance], rows: Rows) -> None:
        """Commit what outcomes come to, and tell how far that is."""
        await super().commit_rows(advances, rows)
        for advance in advances:
            self._reached(advance.to.kpart, advance.to.outcomes_next)
