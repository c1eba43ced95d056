"""The helper: reads lines of JSON from the process that has it, on a socket, and writes lines of JSON to it.

`{"work": 7, "fill": 3}` asks for partition 3, and `{"drop": 7}` takes that back. Answers are
`{"work": 7, "outcomes_next": 5000}` after each commit, `{"work": 7, "skipped": [17, "no_body"]}`, and at the end
`{"work": 7, "failed": null}`, or why it failed.
The process ends with its socket, and so with the process that has it, however that ends.
"""

import asyncio
import gc
import json
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import asyncpg
import structlog

from services.projector.helpers.bulk import BESIDE_THE_FOLD, BulkStore, open_bulk_pool
from services.projector.helpers.quick_reader import read_quickly
from services.projector.kafka.outcomes import KafkaStreamInPieces
from services.projector.loop.partition.recover import catch_up
from services.projector.ports import Advance
from services.projector.settings import Settings
from services.projector.store.rows import Rows
from shared.process.logs import told

# Of one process. While one waits for Postgres, rows of the other are made.
PARTITIONS_AT_ONCE: Final = 2
# More than two pieces have at a time.
_NEW_OBJECTS: Final = 1_000_000

_log = structlog.get_logger()


class Helper:
    """Takes partitions to the end of the judged stream, and tells its owner."""

    def __init__(
        self, settings: Settings, pool: asyncpg.Pool, left_out: Sequence[str], owner: asyncio.StreamWriter
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._left_out = left_out
        self._owner = owner
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self, asked: asyncio.StreamReader) -> None:
        """Do what is asked, until no more can be."""
        try:
            while line := await asked.readline():
                match json.loads(line):
                    case {"work": int(work), "fill": int(kpart)}:
                        self._tasks[work] = asyncio.create_task(self._fill(work, kpart), name=f"fill {kpart}")
                    case {"drop": int(work)} if work in self._tasks:
                        self._tasks[work].cancel()
                    case _:
                        pass
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _fill(self, work: int, kpart: int) -> None:
        stream = KafkaStreamInPieces(self._settings.kafka)
        store = _ToldStore(self._pool, self._left_out, lambda offset: self._say(work, outcomes_next=offset))
        failed = None
        try:
            at = await store.checkpoint(kpart)
            await catch_up(at, stream, store, partial(self._skipped, work), read_quickly, store.gather)
        except Exception as error:  # noqa: BLE001 - whatever it is, the owner meets it too, and knows what to do
            failed = told(error)
            _log.warning("helper_gave_up", partition=kpart, error=failed)
        finally:
            await stream.stop()
            self._tasks.pop(work, None)
            self._say(work, failed=failed)

    def _skipped(self, work: int, offset: int, reason: str) -> None:
        self._say(work, skipped=[offset, reason])

    def _say(self, work: int, **line: Any) -> None:  # noqa: ANN401 - anything that JSON has
        self._owner.write(json.dumps({"work": work, **line}).encode() + b"\n")


class _ToldStore(BulkStore):
    """A store that tells where the judged stream is read on, after each commit."""

    def __init__(self, pool: asyncpg.Pool, left_out: Sequence[str], reached: Callable[[int], object]) -> None:
        super().__init__(pool, left_out)
        self._reached = reached

    async def commit_rows(self, advances: Sequence[Advance], rows: Rows) -> None:
        """Commit what outcomes come to, and tell how far that is."""
        await super().commit_rows(advances, rows)
        for advance in advances:
            self._reached(advance.to.outcomes_next)


def helping(settings: Settings, beside: str | None = None) -> Callable[[socket.socket], None]:
    """Return what a process does that helps: see `Nursery`. With a schema `beside` the live one it fills that alone."""
    return lambda owner: asyncio.run(_helped(settings, owner, beside))


async def _helped(settings: Settings, line: socket.socket, beside: str | None) -> None:
    asked, owner = await asyncio.open_unix_connection(sock=line)
    # A crash of Postgres may cost a schema that is not in force its last pieces, with their checkpoints.
    options = {} if beside is None else {"search_path": f"{beside},public", "synchronous_commit": "off"}
    try:
        pool = await open_bulk_pool(settings, PARTITIONS_AT_ONCE, application_name="stint-helper", **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _log.warning("helper_gave_up", error=told(error))
        return
    # What a piece leaves behind is freed with it, and no cycle is part of that. To look for cycles among the tens of
    # thousands of values of a piece would be a third of the work.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    try:
        await Helper(settings, pool, () if beside is None else BESIDE_THE_FOLD, owner).run(asked)
    except ConnectionError:
        pass  # the owner has ended
    finally:
        pool.terminate()
