"""Reports: findings, days and lists of timers, one tenant at a time."""

import asyncio
import json
from datetime import date
from typing import Final, Literal

import asyncpg

from services.command_api.desk.attended import attended_on
from services.command_api.desk.commands import Position
from services.command_api.desk.questions import TimerFilter, TimerKey, ViolationFilter, ViolationKey
from services.command_api.desk.rows import (
    DayRow,
    DaysRow,
    HistoryRow,
    ReadsAwayError,
    TimerRow,
    TimersFound,
    ViolationRow,
)
from services.command_api.store.database import Database, query
from services.command_api.store.reads import timer_of
from shared.events.ids import slot_of, slot_of_timer
from shared.events.outcome import State
from shared.packing.lines import whole

# A query for each set of filters, because an optional condition uses no index.
_FIND_VIOLATIONS: Final = query("find_violations")
_FIND_VIOLATIONS_BY_RULE: Final = query("find_violations_by_rule")
_FIND_VIOLATIONS_OF_OWNER: Final = query("find_violations_of_owner")
_FIND_VIOLATIONS_OF_OWNER_BY_RULE: Final = query("find_violations_of_owner_by_rule")
_FIND_DAYS: Final = query("find_days")
_FIND_WORK_DAYS: Final = query("find_work_days")
_FIND_HISTORY: Final = query("find_history")
_FIND_CURRENT_TIMERS: Final = query("find_current_timers")
# By which condition each list of timers finds its index. The first that fits is the narrowest, but for the owner, who
# goes before all: the last timer that a page looked at is in its cursor, and a person gets their own alone.
TIMER_LEADS: Final = {
    "open_of_owner": "t.slot = $6 AND t.owner = $7 AND t.state = $8 AND t.state <> 'STOPPED'",
    "owner": "t.slot = $6 AND t.owner = $7",
    "reference": "t.reference = $11",
    "running": "t.state = 'RUNNING'",
    "paused": "t.state = 'PAUSED'",
    "job": "t.job_id = $10",
    "account": "t.account_id = $9",
    "flag": "t.flags <> '{}'",
    "tenant": "true",
}
_FIND_TIMERS: Final = {
    name: query("find_timers").replace("AND true", f"AND {lead}") for name, lead in TIMER_LEADS.items()
}

# How many timers one page looks at, at most. What no index knows is asked of timer after timer: a rare job of an owner,
# or one flag among many others. Each timer may lie in a block of its own, and an answer has a second.
LOOKED_AT_MAX: Final = 5000

# How many intervals of an owner's days are cut on the event loop, at most: some 7 ms. A year may have 36,600, and
# presses must not wait for all of them.
CUT_ON_LOOP_MAX: Final = 2000

# Before every timer and every rule.
_NO_TIMER: Final = -1
_NO_RULE: Final = ""


class PostgresReports:
    """The queries of `desk.Reports`. All raise ReadsAwayError."""

    def __init__(self, database: Database, *, looked_at_max: int = LOOKED_AT_MAX) -> None:
        self._database = database
        self._looked_at_max = looked_at_max
        # One long row at a time: they share one interpreter with the presses, and two are no faster than one.
        self._cutting = asyncio.Lock()

    async def violations(
        self, tenant: str, asked: ViolationFilter, after: ViolationKey | None, limit: int
    ) -> list[ViolationRow]:
        """Return up to `limit + 1` findings in their order, after `after`."""
        # A page begins at one place of an index. `since` would be a second one, and every page would begin there.
        at, timer, rule = asked.since, _NO_TIMER, _NO_RULE
        if after is not None:
            at, timer, rule = after.from_at, after.timer_id, after.rule
        page = (tenant, limit + 1, asked.until, at, timer, asked.rule or rule)
        if asked.owner is None:
            sql = _FIND_VIOLATIONS if asked.rule is None else _FIND_VIOLATIONS_BY_RULE
            found = await self._database.rows(sql, *page)
        else:
            sql = _FIND_VIOLATIONS_OF_OWNER if asked.rule is None else _FIND_VIOLATIONS_OF_OWNER_BY_RULE
            found = await self._database.rows(sql, *page, slot_of(tenant, asked.owner), asked.owner)
        return [ViolationRow(**dict(row)) for row in found]

    async def timers(self, tenant: str, asked: TimerFilter, after: TimerKey | None, limit: int) -> TimersFound:
        """Return up to `limit` timers, started last first, after `after`. There may be fewer, with more to come."""
        # A page begins at one place of an index, here too. Nothing that starts at `until` itself is wanted.
        at, timer = (asked.until, _NO_TIMER) if after is None else (after.started_at, after.timer_id)
        slot = None if asked.owner is None else slot_of(tenant, asked.owner)
        has = (slot, asked.owner, asked.state, asked.account_id, asked.job_id, asked.reference, asked.flag)
        sql = _FIND_TIMERS[lead_of(asked)]
        found = await self._database.rows(sql, tenant, limit + 1, at, timer, asked.since, *has, self._looked_at_max)
        fit = [timer_of(row) for row in found if row["fits"]]
        if len(fit) > limit:
            return TimersFound(fit[:limit], fit[limit - 1].key)
        looked_at_all = not found or found[-1]["nth"] < self._looked_at_max
        return TimersFound(fit, None if looked_at_all else TimerKey(found[-1]["started_at"], found[-1]["id"]))

    async def current(self, tenant: str, owner: str, limit: int) -> list[TimerRow]:
        """Return up to `limit` running and paused timers of an owner: opened last first, then the higher id."""
        whose = (slot_of(tenant, owner), tenant, owner)
        return [timer_of(row) for row in await self._database.rows(_FIND_CURRENT_TIMERS, *whose, limit)]

    async def history(self, timer_id: int, after: int, limit: int) -> list[HistoryRow]:
        """Return lines of a timer's history behind offset `after`, in order."""
        rows = await self._database.rows(_FIND_HISTORY, slot_of_timer(timer_id), timer_id, after, limit)
        return [HistoryRow(**{**row, "told": whole(json.loads(row["told"]))}) for row in rows]

    async def days(self, tenant: str, owner: str, first: date, last: date) -> DaysRow:
        """Return an owner's local days from `first` to `last`, both included, all as of one position."""
        row = await self._database.row(_FIND_DAYS, slot_of(tenant, owner), tenant, owner, first, last)
        if row is None:
            raise ReadsAwayError  # the topics job has not made the checkpoints yet
        if len(row["starts"] or ()) <= CUT_ON_LOOP_MAX:
            return _days(row)
        async with self._cutting:
            return await asyncio.to_thread(_days, row)

    async def work_days(
        self, tenant: str, kind: Literal["account", "job"], about: str, first: date, last: date
    ) -> DaysRow:
        """Return the local days of all timers of an account or a job, from `first` to `last`, both included."""
        rows = await self._database.rows(_FIND_WORK_DAYS, tenant, kind, about, first, last)
        return DaysRow(None, None, tuple(DayRow(**dict(row)) for row in rows))


def lead_of(asked: TimerFilter) -> str:
    """Return the name of the condition by which a list of timers finds its index."""
    fits = {
        "open_of_owner": asked.state in {State.RUNNING, State.PAUSED} and asked.owner is not None,
        "owner": asked.owner is not None,
        "reference": asked.reference is not None,
        "running": asked.state is State.RUNNING,
        "paused": asked.state is State.PAUSED,
        "job": asked.job_id is not None,
        "account": asked.account_id is not None,
        "flag": asked.flag is not None,
    }
    return next((name for name, yes in fits.items() if yes), "tenant")


def _days(row: asyncpg.Record) -> DaysRow:
    folded = row["next_offset"] - 1
    attended = attended_on(zip(row["starts"] or (), row["ends"] or (), row["zones"] or (), strict=True))
    days = zip(row["days"] or (), row["totals_us"] or (), row["billables_us"] or (), row["changed"] or (), strict=True)
    return DaysRow(
        zone=row["zone"],
        position=Position(row["kpart"], folded) if folded >= 0 else None,
        days=tuple(
            DayRow(on, total_us, billable_us, changed, attended.get(on)) for on, total_us, billable_us, changed in days
        ),
    )
