"""The helper: `python -m services.projector fill`. Reads lines of JSON on stdin, and writes lines of JSON on stdout.

`{"work": 7, "fill": 3}` asks for partition 3, and `{"drop": 7}` takes that back. Answers are
`{"work": 7, "outcomes_next": 5000}` after each commit, `{"work": 7, "skipped": [17, "no_body"]}`, and at the end
`{"work": 7, "failed": null}`, or why it failed.
The process ends with its stdin, and so with the process that started it, however that ends.
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import structlog

from services.projector.helpers.bulk import BESIDE_THE_FOLD, BulkStore, open_bulk_pool
from services.projector.kafka.outcomes import KafkaStreamInPieces
from services.projector.loop.partition.recover import catch_up
from services.projector.ports import Advance
from services.projector.settings import Settings
from shared.process.logs import told

# Of one process. While one waits for Postgres, rows of the other are made.
PARTITIONS_AT_ONCE: Final = 2
# More than two pieces have at a time.
_NEW_OBJECTS: Final = 1_000_000

_log = structlog.get_logger()


class Helper:
    """Takes partitions to the end of the judged stream."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, left_out: Sequence[str]) -> None:
        self._settings = settings
        self._pool = pool
        self._left_out = left_out
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
        store = _ToldStore(self._pool, self._left_out, work)
        failed = None
        try:
            at = await store.checkpoint(kpart)
            await catch_up(at, stream, store, lambda offset, reason: _say(work, skipped=[offset, reason]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the owner meets it too, and knows what to do
            failed = told(error)
            _log.warning("helper_gave_up", partition=kpart, error=failed)
        finally:
            await stream.stop()
            self._tasks.pop(work, None)
            _say(work, failed=failed)


class _ToldStore(BulkStore):
    """A store that tells each commit of one work."""

    def __init__(self, pool: asyncpg.Pool, left_out: Sequence[str], work: int) -> None:
        super().__init__(pool, left_out)
        self._work = work

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction, or nothing. See `ports.Store`."""
        await super().commit(advances)
        for advance in advances:
            _say(self._work, outcomes_next=advance.to.outcomes_next)


def _say(work: int, **line: Any) -> None:  # noqa: ANN401 - anything that JSON has
    sys.stdout.write(json.dumps({"work": work, **line}) + "\n")
    sys.stdout.flush()


async def filled(settings: Settings, argv: Sequence[str]) -> int:
    """Help until stdin ends, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.projector fill")
    parser.add_argument("--read-models-only", action="store_true")
    only = parser.parse_args(argv).read_models_only
    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    # A crash of Postgres may cost a schema that is not in force its last pieces, with their checkpoints.
    options = {"synchronous_commit": "off"} if only else {}
    try:
        pool = await open_bulk_pool(settings, PARTITIONS_AT_ONCE, application_name="stint-helper", **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _log.warning("helper_gave_up", error=told(error))
        return 1
    # What a piece leaves behind is freed with it, and no cycle is part of that. To look for cycles among the tens of
    # thousands of values of a piece would be a third of the work.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    try:
        await Helper(settings, pool, BESIDE_THE_FOLD if only else ()).run(asked)
    except BrokenPipeError:
        pass  # the owner has ended
    finally:
        pool.terminate()
    return 0
