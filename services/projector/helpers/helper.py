"""The helper: a process that reads requests from its owner on a socket, and writes answers to it, as lines of JSON.

`{"work": 7, "fill": 3}` requests partition 3, and `{"drop": 7}` cancels that request. Answers are
`{"work": 7, "outcomes_next": 5000}` after each commit, `{"work": 7, "skipped": [17, "no_body"]}`, and at the end
`{"work": 7, "failed": null}`, or why it failed.
The helper ends when the socket is closed, and so with its owner, however the owner ends.
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
from services.projector.settings import Settings
from shared.process.logs import loggable
from shared.sql import POSTGRES_FAILED

# Of one process. While one waits for Postgres, rows of the other are made.
PARTITIONS_AT_ONCE: Final = 2
# More than two pieces hold at one time.
_NEW_OBJECTS: Final = 1_000_000

_log = structlog.get_logger()


class Helper:
    """Takes partitions to the end of the judged stream, and reports to its owner."""

    def __init__(
        self, settings: Settings, pool: asyncpg.Pool, left_out: Sequence[str], owner: asyncio.StreamWriter
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._left_out = left_out
        self._owner = owner
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self, requests: asyncio.StreamReader) -> None:
        """Do what is requested, until the owner closes its end."""
        try:
            while line := await requests.readline():
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
        store = BulkStore(self._pool, self._left_out, lambda at: self._answer(work, outcomes_next=at.outcomes_next))
        failed = None
        try:
            at = await store.checkpoint(kpart)
            await catch_up(at, stream, store, partial(self._skipped, work), read_quickly, store.gather)
        except Exception as error:  # noqa: BLE001 - whatever it is, the owner meets it too, and handles it
            failed = loggable(error)
            _log.warning("helper_gave_up", partition=kpart, error=failed)
        finally:
            await stream.stop()
            self._tasks.pop(work, None)
            self._answer(work, failed=failed)

    def _skipped(self, work: int, offset: int, reason: str) -> None:
        self._answer(work, skipped=[offset, reason])

    def _answer(self, work: int, **line: Any) -> None:  # noqa: ANN401 - anything that JSON has
        self._owner.write(json.dumps({"work": work, **line}).encode() + b"\n")


def helping(settings: Settings, beside: str | None = None) -> Callable[[socket.socket], None]:
    """Return the work of a helper, for `Nursery`. With a schema `beside` the live one, the helper fills only that."""
    return lambda owner: asyncio.run(_help(settings, owner, beside))


async def _help(settings: Settings, line: socket.socket, beside: str | None) -> None:
    requests, owner = await asyncio.open_unix_connection(sock=line)
    # A schema that is not live may lose its last pieces, with their checkpoints, when Postgres crashes.
    options = {} if beside is None else {"search_path": f"{beside},public", "synchronous_commit": "off"}
    try:
        pool = await open_bulk_pool(settings, PARTITIONS_AT_ONCE, application_name="stint-helper", **options)
    except POSTGRES_FAILED as error:
        _log.warning("helper_gave_up", error=loggable(error))
        return
    # The values of a piece are freed with it, and none of them is in a cycle. Collecting cycles among tens of thousands
    # of values would be a third of the work.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    try:
        await Helper(settings, pool, () if beside is None else BESIDE_THE_FOLD, owner).run(requests)
    except ConnectionError:
        pass  # the owner has ended
    finally:
        pool.terminate()
