"""Tables in memory: what each `.sql` file of the projector's store does to rows, with keys and constraints.

Where it differs from Postgres: `test_tables` compares the two after the same commits, and finds no difference.
A `Tables` is never changed once it is committed. A transaction works on a copy, so a snapshot and a dump cost nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.projector.domain.sheet.evolve import LASTING, learned
from services.projector.domain.sheet.jobs import Job
from services.projector.domain.sheet.ledger import KnownOutcome, OwnerKey
from services.projector.domain.sheet.state import (
    DAYS_BEFORE,
    ClosedInterval,
    DayWorked,
    FoundOpen,
    OpenInterval,
    Profile,
    ProvisionalEnd,
    Timer,
    Timesheet,
)
from services.projector.ports import (
    Advance,
    Checkpoint,
    DueOwner,
    Found,
    ReadRefusedError,
    RunningOwner,
    ToPublish,
    Wanted,
    WriteRefusedError,
)
from services.projector.store.rows import rows_of
from shared.events.outcome import DayPart, Fact, State, TimerAfter, digest_of_body, key_of_body
from shared.packing.bodies import body_of
from tests.support.proof.naive.tables import KEYS, text_of
from tests.world.columns import COLUMNS, NULLABLE

Row = tuple[Any, ...]

_REMEMBERED: Final = timedelta(days=31)


@dataclass
class Tables:
    """All tables that the fold writes."""

    checkpoint: dict[int, Checkpoint]
    rows: dict[str, dict[Row, Row]] = field(default_factory=lambda: {name: {} for name in COLUMNS})
    # When something next falls due, by partition, tenant and owner. It is in no dump: see docs/adr/0017.
    deadlines: dict[Row, datetime] = field(default_factory=dict)
    # The policy revision under which each partition's running owners were looked at. It is in no dump either.
    looked: dict[int, int] = field(default_factory=dict)

    def copy(self) -> "Tables":
        """Return a copy that a transaction may change."""
        rows = {name: dict(rows) for name, rows in self.rows.items()}
        return Tables(dict(self.checkpoint), rows, dict(self.deadlines), dict(self.looked))

    def write(self, advances: Sequence[Advance]) -> None:
        """Run the queries that a commit runs. Raises WriteRefusedError as Postgres would, with half of it done."""
        for name, columns in rows_of(advances).writes():
            write = _WRITES[name]
            for row in zip(*columns, strict=True):
                write(self, row)

    def read(self, wanted: Wanted) -> Found:
        """Do what `read_touched` and `found_in` do."""
        for text in (part for _, *whose in wanted.owners for part in whose):
            if "\0" in text:
                raise ReadRefusedError("22021")
        timers = self.rows["timer"]
        since: dict[Row, datetime] = dict(wanted.owners)
        for key, moment in wanted.timers.items():
            if (row := timers.get(key)) is not None:
                owner = (row[0], row[2], row[3])
                since[owner] = min(since.get(owner, moment), moment)
        sheets: dict[OwnerKey, Timesheet] = {}
        for (slot, tenant, owner_id), moment in since.items():
            whose = (slot, tenant, owner_id)
            mine = [r for r in timers.values() if (r[0], r[2], r[3]) == whose]
            worked = [r for r in self.rows["interval"].values() if (r[0], r[3], r[4]) == whose and r[6] is not None]
            lately = {r[1] for r in worked if r[6] > moment}
            touched = {
                r[1]: self._timer(r)
                for r in mine
                if r[9] == "RUNNING" or (r[0], r[1]) in wanted.timers or (r[1] in lately and r[17] is not None)
            }
            ended = [*(r for r in worked if r[6] > moment), *_overlaps(wanted, whose, touched, worked)]
            closed = tuple(dict.fromkeys(map(self._closed, ended)))
            profile = self.rows["owner_fact"].get((*whose, "profile", ""))
            known = None if profile is None else Profile(**profile[5])
            sheet = Timesheet(tenant, owner_id, known, touched, closed, moment)
            sheets[tenant, owner_id] = self._with_facts(self._with_days(sheet, whose, wanted), whose)
        return Found(sheets, self._verdicts(set(wanted.events)))

    def knows_any_of(self, news: Wanted) -> bool:
        """Do what `news` in `advance_checkpoints` does."""
        return bool(self._verdicts(set(news.events))) or not self.rows["timer"].keys().isdisjoint(news.drawn)

    def _closed(self, interval: Row) -> ClosedInterval:
        timer = dict(zip(COLUMNS["timer"], self.rows["timer"][interval[:2]], strict=True))
        (start, end, zone), billable, job_id = interval[5:8], timer["billable"], timer["job_id"]
        return ClosedInterval(interval[1], start, end, zone, billable=billable, job_id=job_id)

    def _with_days(self, sheet: Timesheet, whose: Row, wanted: Wanted) -> Timesheet:
        last = (t.ended.interval if t.ended is not None else t.open for t in sheet.timers.values())
        starts = [interval.start.date() - DAYS_BEFORE for interval in last if interval is not None]
        first = min([wanted.days_since, *starts])
        days = [row for row in self.rows["day_total"].values() if row[:3] == whose and row[3] >= first]
        worked = {row[3]: DayWorked(row[4], row[5]) for row in days}
        jobs = {key[3] for key in wanted.jobs if key[:3] == whose}
        jobs |= {timer.after.job_id for timer in sheet.timers.values() if timer.after.job_id is not None}
        totals = self.rows["job_total"]
        on_jobs = {job: Job(totals[*whose, job][4] if (*whose, job) in totals else 0) for job in jobs}
        return replace(sheet, days=worked, days_since=first, jobs=on_jobs, all_jobs=False)

    def _with_facts(self, sheet: Timesheet, whose: Row) -> Timesheet:
        for row in self.rows["owner_fact"].values():
            if row[:3] == whose and row[3] in {"leave", "attendance", "estimate"}:
                sheet = learned(sheet, Fact(kind=row[3], about=row[4], body=row[5]), row[6])
        return sheet

    def _verdicts(self, asked: set[tuple[int, UUID]]) -> dict[tuple[int, UUID], KnownOutcome]:
        rows = sorted(row for row in self.rows["outcome"].values() if (row[0], row[2]) in asked)
        return {(row[0], row[2]): KnownOutcome(digest_of_body(row[5]), row[4], row[5].encode()) for row in rows}

    def _timer(self, row: Row) -> Timer:
        last = max(r for r in self.rows["interval"].values() if r[:2] == row[:2])
        said = dict(zip(COLUMNS["timer"], row, strict=True))
        end = None if said["provisional"] is None else json.loads(said["provisional"])
        for column in ("slot", "tenant", "provisional", "started_by", "source_offset"):
            del said[column]
        said |= {"state": State(said["state"]), "flags": tuple(_listed(said["flags"]))}
        found = [
            FoundOpen(r[2], r[3], r[4])
            for r in self.rows["violation"].values()
            if r[:2] == row[:2] and r[2] in LASTING and r[3] >= last[5] and not r[6]
        ]
        found.sort(key=lambda one: (one.from_, one.rule))
        interval, after = OpenInterval(last[2], last[5], last[7], last[8], tuple(found)), TimerAfter(**said)
        if last[6] is None:
            return Timer(after, interval, last[2])
        if end is None or end["source_offset"] != row[16]:
            return Timer(after, None, last[2])
        told = tuple(DayPart(on=date.fromisoformat(day["on"]), us=day["us"]) for day in end["days"])
        return Timer(after, None, last[2], ProvisionalEnd(interval, last[6], told))

    def unpublished(self, kpart: int, published: int, limit: int) -> list[ToPublish]:
        """Do what `read_unpublished` does."""
        rows = sorted(row[1:] for row in self.rows["outcome"].values() if row[0] == kpart and row[1] >= published)
        return [ToPublish(row[0], key_of_body(row[4]), row[4].encode()) for row in rows[:limit]]

    def due(self, now: datetime) -> list[DueOwner]:
        """Return the rows of `deadline` up to a moment, in order."""
        return sorted(
            DueOwner(at, tenant, owner, kpart) for (kpart, tenant, owner), at in self.deadlines.items() if at <= now
        )

    def running(self, kpart: int, tenants: Sequence[str]) -> list[RunningOwner]:
        """Return the owners of a partition and some tenants who have a running timer, in order."""
        rows = (row for row in self.rows["timer"].values() if row[9] == "RUNNING" and row[2] in tenants)
        return sorted({RunningOwner(r[0], r[2], r[3]) for r in rows if r[0] % len(self.checkpoint) == kpart})

    def prune(self, kpart: int, now: datetime) -> int:
        """Do what `prune_outcomes` does. Return how many outcomes were deleted."""
        at = self.checkpoint[kpart]
        if at.last_log_time is None:
            return 0
        limit = min(at.last_log_time, now) - _REMEMBERED
        outcomes = self.rows["outcome"]
        gone = [k for k, r in outcomes.items() if r[0] == kpart and r[1] < at.published and r[4] < limit]
        for key in gone:
            del outcomes[key]
        return len(gone)

    def dump(self) -> dict[str, str]:
        """Return every table as text, as `tests.support.proof.tables.dump` does for the real ones."""
        said = ("kpart", "next_offset", "last_event_id", "last_log_time", "policy_rev")
        checkpoints = [{name: _shown(getattr(at, name)) for name in said} for at in self.checkpoint.values()]
        tables = {"checkpoint": text_of("checkpoint", checkpoints)}
        for name, rows in self.rows.items():
            named = [dict(zip(COLUMNS[name], map(_shown, row), strict=True)) for row in rows.values()]
            if name == "timer":
                named = [row | {"flags": _listed(row["flags"]), **_parsed(row, "provisional")} for row in named]
            tables[name] = text_of(name, named)
        return {name: tables[name] for name in KEYS}

    # One function for each query. It gets one row of what `unnest` returns.

    def _insert_outcome(self, row: Row) -> None:
        *said, body, packed = row
        self._insert("outcome", (*said, body_of(body, packed)))

    def _insert_dead_letter(self, row: Row) -> None:
        self._insert("dead_letter", row)

    def _upsert_timer(self, row: Row) -> None:
        before = self.rows["timer"].get(row[:2])
        if before is not None:
            # `started_by`, and all that a start says, is written once.
            row = (*before[:9], row[9], before[10], *row[11:15], before[15], *row[16:18], before[18])
            if row[17] == "null":  # a flag alone was told: an end that may be taken back stays so
                kept = None if before[17] is None else json.dumps(json.loads(before[17]) | {"source_offset": row[16]})
                row = (*row[:17], kept, row[18])
        self._put("timer", row)

    def _upsert_interval(self, row: Row) -> None:
        before = self.rows["interval"].get(row[:3])
        row = row if before is None else (*before[:6], row[6], before[7], before[8] or row[8], row[9])
        _refuse_if(row[6] is not None and row[6] < row[5], "23514")
        others = (r for r in self.rows["interval"].values() if r[:2] == row[:2] and r[2] != row[2])
        _refuse_if(row[6] is None and any(r[6] is None for r in others), "23505")
        self._put("interval", row)

    def _add_day_total(self, row: Row) -> None:
        before = self.rows["day_total"].get(row[:4])
        worked = row[4:] if before is None else (row[4] + before[4], row[5] + before[5], row[6] or before[6])
        self._put("day_total", (*row[:4], *worked))

    def _add_job_total(self, row: Row) -> None:
        before = self.rows["job_total"].get(row[:4])
        self._put("job_total", (*row[:4], row[4] if before is None else row[4] + before[4]))

    def _add_work_total(self, row: Row) -> None:
        before = self.rows["work_total"].get(row[:5])
        worked = row[5:] if before is None else (row[5] + before[5], row[6] + before[6], row[7] or before[7])
        self._put("work_total", (*row[:5], *worked))

    def _insert_history(self, row: Row) -> None:
        self._insert("timer_history", row)

    def _insert_violation(self, row: Row) -> None:
        before = self.rows["violation"].get(row[:4])
        # Whose the finding is, and what began it, is written once. A refusal changes nothing of one that counts.
        if before is None or not row[6]:
            self._put("violation", (*row[:7], *(before or row)[7:]))

    def _move_deadline(self, row: Row) -> None:
        *key, due_at = row
        _refuse_if(any("\0" in text for text in key[1:]), "22021")
        if due_at is None:
            self.deadlines.pop(tuple(key), None)
        else:
            self.deadlines[tuple(key)] = due_at

    def _learn_fact(self, row: Row) -> None:
        before = self.rows["owner_fact"].get(row[:5])
        _refuse_if("\\u0000" in row[5], "22P05")
        body, known_at, changed = json.loads(row[5]), row[6], row[7]
        if before is not None and row[3] == "profile":
            body = before[5] | body
        elif before is not None and before[5] == body and not changed and row[3] != "texts_erased":
            known_at = before[6]
        self._put("owner_fact", (*row[:5], body, known_at))

    def _insert(self, table: str, row: Row) -> None:
        _refuse_if(row[: len(KEYS[table])] in self.rows[table], "23505")
        self._put(table, row)

    def _put(self, table: str, row: Row) -> None:
        for column, value in zip(COLUMNS[table], row, strict=True):
            _refuse_if(value is None and column not in NULLABLE[table], "23502")
            _refuse_if(isinstance(value, str) and "\0" in value, "22021")
        self.rows[table][row[: len(KEYS[table])]] = row


_WRITES: Final[dict[str, Callable[[Tables, Row], None]]] = {
    "insert_outcomes": Tables._insert_outcome,
    "insert_dead_letters": Tables._insert_dead_letter,
    "upsert_timers": Tables._upsert_timer,
    "upsert_intervals": Tables._upsert_interval,
    "add_day_totals": Tables._add_day_total,
    "add_job_totals": Tables._add_job_total,
    "add_work_totals": Tables._add_work_total,
    "insert_history": Tables._insert_history,
    "insert_violations": Tables._insert_violation,
    "learn_facts": Tables._learn_fact,
    "move_deadlines": Tables._move_deadline,
}


def _overlaps(wanted: Wanted, whose: Row, timers: dict[int, Timer], worked: Sequence[Row]) -> Iterator[Row]:
    """Yield, for each press of long ago, the first interval that it overlaps."""
    for slot, tenant, owner, timer_id, moment in wanted.overlaps:
        pressed = timers.get(timer_id)
        if (slot, tenant, owner) != whose and (tenant is not None or pressed is None):
            continue
        at = moment if pressed is None else max(moment, pressed.last_at)
        others = [r for r in worked if r[1] != timer_id and r[6] > max(at, r[5])]
        if others:
            yield min(others, key=lambda r: (max(r[5], at), r[1], r[2]))


def _refuse_if(wrong: bool, sqlstate: str) -> None:  # noqa: FBT001 - a sentence: refuse if it is wrong
    if wrong:
        raise WriteRefusedError(sqlstate)


def _shown(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    return str(value) if isinstance(value, UUID) else value


def _parsed(row: dict[str, Any], column: str) -> dict[str, Any]:
    return {column: None if row[column] is None else json.loads(row[column])}


def _listed(flags: str) -> list[str]:
    return flags.split(",") if flags else []
