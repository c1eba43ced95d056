"""Reports: findings and days, one tenant at a time."""

from datetime import date
from typing import Final

import asyncpg

from services.command_api.desk.commands import Position
from services.command_api.desk.questions import ViolationFilter, ViolationKey
from services.command_api.desk.rows import DayRow, DaysRow, ReadsAwayError, ViolationRow
from services.command_api.store.database import Database, query
from shared.events.ids import slot_of

# A query for each set of filters, because an optional condition uses no index.
_FIND_VIOLATIONS: Final = query("find_violations")
_FIND_VIOLATIONS_BY_RULE: Final = query("find_violations_by_rule")
_FIND_VIOLATIONS_OF_OWNER: Final = query("find_violations_of_owner")
_FIND_VIOLATIONS_OF_OWNER_BY_RULE: Final = query("find_violations_of_owner_by_rule")
_FIND_DAYS: Final = query("find_days")

# Before every timer and every rule.
_NO_TIMER: Final = -1
_NO_RULE: Final = ""


class PostgresReports:
    """The queries of `desk.Reports`. All raise ReadsAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def violations(
        self, tenant: str, asked: ViolationFilter, after: ViolationKey | None, limit: int
    ) -> list[ViolationRow]:
        """Return up to `limit + 1` findings in their order, after `after`."""
        # A page begins at one place of an index. `since` would be a second one, and every page would begin there.
        at, timer, said = asked.since, _NO_TIMER, _NO_RULE
        if after is not None:
            at, timer, said = after.from_at, after.timer_id, after.rule
        page = (tenant, limit + 1, asked.until, at, timer, asked.rule or said)
        if asked.owner is None:
            sql = _FIND_VIOLATIONS if asked.rule is None else _FIND_VIOLATIONS_BY_RULE
            found = await self._database.rows(sql, *page)
        else:
            sql = _FIND_VIOLATIONS_OF_OWNER if asked.rule is None else _FIND_VIOLATIONS_OF_OWNER_BY_RULE
            found = await self._database.rows(sql, *page, slot_of(tenant, asked.owner), asked.owner)
        return [ViolationRow(**dict(row)) for row in found]

    async def days(self, tenant: str, owner: str, first: date, last: date) -> DaysRow:
        """Return an owner's local days from `first` to `last`, both included, all as of one position."""
        row = await self._database.row(_FIND_DAYS, slot_of(tenant, owner), tenant, owner, first, last)
        if row is None:
            raise ReadsAwayError  # the topics job has not made the checkpoints yet
        return _days(row)


def _days(row: asyncpg.Record) -> DaysRow:
    folded = row["next_offset"] - 1
    columns = (row[name] or () for name in ("days", "totals_us", "billables_us", "changed"))
    return DaysRow(
        zone=row["zone"],
        position=Position(row["kpart"], folded) if folded >= 0 else None,
        days=tuple(DayRow(*values) for values in zip(*columns, strict=True)),
    )
