"""Reads: the read models, one tenant at a time."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

import asyncpg
import structlog
from pydantic import ValidationError

from services.command_api.desk.rows import IntervalRow, OpenTimer, OutcomeRow, OwnerRow, RunningTimer, TimerRow
from services.command_api.store.database import Database, query
from services.command_api.store.lookout import Lookout
from services.command_api.store.owners import owner_of
from shared.events.ids import slot_of, slot_of_timer
from shared.events.outcome import State, digest_of_body
from shared.packing.bodies import DamagedBodyError, UnknownDictionaryError, body_of

_FIND_OPEN_TIMERS: Final = query("find_open_timers")
_FIND_OPEN_TIMERS_OF_OWNER: Final = query("find_open_timers_of_owner")
_FIND_TIMER: Final = query("find_timer")
_FIND_RUNNING_TIMER: Final = query("find_running_timer")
_FIND_OWNER: Final = query("find_owner")
_FIND_OUTCOME: Final = query("find_outcome")
_FIND_OUTCOME_ANYWHERE: Final = query("find_outcome_anywhere")
_FIND_NEXT_OFFSETS: Final = query("find_next_offsets")
_FIND_PARTITIONS: Final = query("find_partitions")

_log = structlog.get_logger()


class PostgresReads:
    """The queries of `desk.Reads`. All raise ReadsAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookout = Lookout(self._next_offsets)

    async def open_timers(self, tenant: str, limit: int, offset: int, owner: str | None = None) -> list[OpenTimer]:
        """Return up to `limit + 1` open timers by id, of all owners or of one."""
        page = (tenant, limit + 1, offset)
        if owner is None:
            rows = await self._database.rows(_FIND_OPEN_TIMERS, *page)
        else:
            rows = await self._database.rows(_FIND_OPEN_TIMERS_OF_OWNER, *page, slot_of(tenant, owner), owner)
        return [OpenTimer(row["id"], row["account_id"], row["started_at"], row["comment"]) for row in rows]

    async def timer(self, tenant: str, timer_id: int) -> TimerRow | None:
        """Return one timer with its texts and intervals."""
        row = await self._database.row(_FIND_TIMER, slot_of_timer(timer_id), timer_id, tenant)
        return None if row is None else timer_of(row, _intervals(row))

    async def running_timer(self, tenant: str, owner: str) -> RunningTimer | None:
        """Return the running timer of an owner: the one opened last, then the higher id."""
        row = await self._database.row(_FIND_RUNNING_TIMER, slot_of(tenant, owner), tenant, owner)
        return None if row is None else RunningTimer(**dict(row))

    async def owner(self, tenant: str, owner: str) -> OwnerRow:
        """Return what is known of an owner."""
        return owner_of(await self._database.row(_FIND_OWNER, slot_of(tenant, owner), tenant, owner))

    async def outcome(self, tenant: str, event_id: UUID, kpart: int | None) -> OutcomeRow | None:
        """Return the newest outcome of an event id, on partition `kpart` when it is given."""
        if kpart is None:
            row = await self._database.row(_FIND_OUTCOME_ANYWHERE, tenant, event_id)
        else:
            row = await self._database.row(_FIND_OUTCOME, tenant, event_id, kpart)
        return None if row is None else _outcome_of(row)

    async def next_offset(self, kpart: int) -> int | None:
        """Return the next offset that a partition will fold; None: there is no such partition."""
        return (await self._next_offsets([kpart])).get(kpart)

    async def wait_for(self, tenant: str, kpart: int, offset: int, seconds: float) -> bool:
        """Wait until the read models have passed `offset`; False: not in `seconds`. Raises NoSuchPartitionError too."""
        return await self._lookout.wait(tenant, kpart, offset, seconds)

    async def partitions(self) -> int | None:
        """Return how many partitions this deployment was made with; None: the topics job has not run."""
        row = await self._database.row(_FIND_PARTITIONS)
        return None if row is None else int(row["partitions"])

    async def _next_offsets(self, kparts: Sequence[int]) -> Mapping[int, int]:
        rows = await self._database.rows(_FIND_NEXT_OFFSETS, kparts)
        return {row["kpart"]: row["next_offset"] for row in rows}


def timer_of(row: asyncpg.Record, intervals: tuple[IntervalRow, ...] = ()) -> TimerRow:
    """Return the timer of a row, with intervals where its reader asked for them."""
    return TimerRow(
        id=row["id"],
        owner=row["owner"],
        account_id=row["account_id"],
        job_id=row["job_id"],
        project_id=row["project_id"],
        billable=row["billable"],
        work_date=row["work_date"],
        state=State(row["state"]),
        started_at=row["started_at"],
        stopped_at=row["stopped_at"],
        total_us=row["total_us"],
        flags=tuple(row["flags"]),
        comment=row["comment"],
        work_item=row["work_item"],
        intervals=intervals,
        position=row["position"],
        reference=row["reference"],
    )


def _outcome_of(row: asyncpg.Record) -> OutcomeRow:
    kpart, offset = row["kpart"], row["source_offset"]
    body, digest = "", None
    unread: Literal["newer", "damaged"] | None = None
    try:
        body = body_of(row["body"], row["packed"])
        digest = digest_of_body(body)
    except UnknownDictionaryError:
        unread = "newer"
    except (DamagedBodyError, ValidationError):
        body, unread = "", "damaged"
    if unread is not None:
        _log.error("outcome_unreadable", reason=unread, kpart=kpart, source_offset=offset)
    return OutcomeRow(kpart, offset, row["event_id"], digest, row["log_time"], body, unread)


def _intervals(row: asyncpg.Record) -> tuple[IntervalRow, ...]:
    intervals = zip(row["starts"] or (), row["ends"] or (), row["reasons"] or (), strict=True)
    return tuple(IntervalRow(start, end, reason) for start, end, reason in intervals)
