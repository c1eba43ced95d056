"""Rows: what outcomes change in each table. Pure, and the same for fresh outcomes and for those of the stream.

Values come as columns, in the order of the parameters of the query that writes them.
"""

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.jobs import added_us
from services.projector.ports import Advance, Look
from services.projector.store.history import history_of
from shared.events.ids import slot_of, slot_of_timer
from shared.events.models import WORK
from shared.events.outcome import PROVISIONAL, Change, DayPart, Fact, Finding, Outcome, TimerAfter
from shared.packing.bodies import pack

Columns = list[list[Any]]

_work_of: Final = attrgetter(*WORK)
# Written to `provisional` by a commit that changes only a flag: the row keeps its end. JSON's null, and not SQL's.
_AS_IT_IS: Final = "null"
_NOBODYS: Final = UUID(int=0)


@dataclass(slots=True)
class Rows:
    """The rows of one commit, each table's under its key, so that one commit writes each row once.

    `left_out` names queries whose rows are not wanted. A body is packed when its outcome is added, unless
    `insert_outcomes` is left out: packing is a sixth of the work. No outcome is held, so its memory is freed while it
    is still in the processor's cache.
    """

    left_out: Container[str] = ()
    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    dead_letters: list[tuple[Any, ...]] = field(default_factory=list)
    history: list[tuple[Any, ...]] = field(default_factory=list)
    timers: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    intervals: dict[tuple[int, int], tuple[Any, ...]] = field(default_factory=dict)
    day_totals: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    job_totals: dict[tuple[Any, ...], int] = field(default_factory=dict)
    work_totals: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    changed_after_lock: set[tuple[Any, ...]] = field(default_factory=set)
    violations: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict)
    # The newest content of each fact, since when it is known, and whether this commit had another content before it.
    facts: dict[tuple[Any, ...], tuple[dict[str, Any], datetime, bool]] = field(default_factory=dict)
    deadlines: dict[tuple[int, str, str], tuple[int, datetime | None]] = field(default_factory=dict)
    # The days of ends that a late press may take back; None: this commit has left the timer without such an end.
    _provisional: dict[int, list[dict[str, Any]] | None] = field(default_factory=dict)
    _started_by: dict[int, UUID] = field(default_factory=dict)
    _opened_at: dict[tuple[int, int], datetime] = field(default_factory=dict)

    def add(self, kpart: int, written: Kept) -> None:
        """Add the rows of one outcome."""
        outcome = written.outcome
        if "insert_outcomes" not in self.left_out:
            self.outcomes.append(_row(kpart, written))
        if outcome.verdict == "unreadable":
            self.dead_letters.append((kpart, outcome.source_offset, outcome.log_time, outcome.reason))
        self.history += history_of(outcome)
        for finding in outcome.findings:
            self._add_finding(outcome, finding)
        for change in outcome.changed:
            self._add_change(outcome, change)
        if outcome.fact is not None:
            self._add_fact(outcome, outcome.fact)
        if outcome.tenant is not None and outcome.owner is not None:
            self._move_deadline((kpart, outcome.tenant, outcome.owner), outcome.source_offset, outcome.due)

    def look(self, kpart: int, look: Look) -> None:
        """Move an owner's deadline, without an outcome."""
        self._move_deadline((kpart, look.tenant, look.owner), look.source_offset, look.due_at)

    def _move_deadline(self, whose: tuple[int, str, str], source_offset: int, due_at: datetime | None) -> None:
        # When one commit has two deadlines of an owner, the later one on the log counts.
        if (before := self.deadlines.get(whose)) is None or before[0] < source_offset:
            self.deadlines[whose] = (source_offset, due_at)

    def _add_change(self, outcome: Outcome, change: Change) -> None:
        timer_id, after = change.timer, change.after
        slot, tenant, owner = slot_of_timer(timer_id), outcome.tenant, after.owner
        self._put_timer(outcome, slot, change, after)
        if (closed := change.closed) is not None:
            key = (timer_id, closed.seq)
            ended = (closed.start, closed.end, closed.zone, self._opened_at.get(key), closed.reason)
            self.intervals[key] = (slot, timer_id, closed.seq, tenant, owner, *ended)
            self._add_time(outcome, slot, after, closed.days, 1)
            if closed.was is not None:
                self._add_time(outcome, slot, after, closed.was.days, -1)
            if after.job_id is not None:
                job = (slot, tenant, owner, after.job_id)
                self.job_totals[job] = self.job_totals.get(job, 0) + added_us(closed)
        if (opened := change.opened) is not None:
            key = (timer_id, opened.seq)
            self._opened_at[key] = outcome.log_time
            begun = (opened.start, None, opened.zone, outcome.log_time, None)
            self.intervals[key] = (slot, timer_id, opened.seq, tenant, owner, *begun)

    def _put_timer(self, outcome: Outcome, slot: int, change: Change, timer: TimerAfter) -> None:
        self.timers[timer.id] = (
            *(slot, timer.id, outcome.tenant, timer.owner, *_work_of(timer)),
            *(timer.state.value, timer.started_at, timer.stopped_at, timer.total_us, timer.last_at),
            # Arrays of arrays must be rectangles in Postgres, so flags travel as text. No flag has a comma.
            ",".join(timer.flags),
            # Used on insert only: then the start is in this commit, and sets it first.
            self._started_by.setdefault(timer.id, outcome.event_id or _NOBODYS),
            *(outcome.source_offset, self._provisional_end(outcome, change), timer.reference),
        )

    def _provisional_end(self, outcome: Outcome, change: Change) -> str | None:
        """Return an end that may be taken back; None: there is none; `null`: only a flag changes, the end stays."""
        if change.by in PROVISIONAL and change.closed is not None:
            days = [{"on": part.on.isoformat(), "us": part.us} for part in change.closed.days]
            self._provisional[change.timer] = days
        elif change.by != "settle":
            self._provisional[change.timer] = None
        elif change.timer not in self._provisional:
            return _AS_IT_IS
        days_of_end = self._provisional[change.timer]
        return (
            None if days_of_end is None else json.dumps({"source_offset": outcome.source_offset, "days": days_of_end})
        )

    def _add_time(self, outcome: Outcome, slot: int, timer: TimerAfter, days: Sequence[DayPart], sign: int) -> None:
        self._add_to_totals(self.day_totals, (slot, outcome.tenant, timer.owner), timer, days, sign)
        for kind, about in (("account", timer.account_id), ("job", timer.job_id)):
            if about is not None:
                self._add_to_totals(self.work_totals, (slot, outcome.tenant, kind, about), timer, days, sign)

    def _add_to_totals(
        self,
        totals: dict[tuple[Any, ...], list[int]],
        whose: tuple[Any, ...],
        timer: TimerAfter,
        days: Sequence[DayPart],
        sign: int,
    ) -> None:
        for part in days:
            us = sign * part.us
            total = totals.setdefault((*whose, part.on), [0, 0])
            total[0] += us
            if timer.billable:
                total[1] += us
            if part.after_lock:
                self.changed_after_lock.add((*whose, part.on))

    def _totals(self, totals: dict[tuple[Any, ...], list[int]]) -> list[tuple[Any, ...]]:
        return [(*key, *total, key in self.changed_after_lock) for key, total in totals.items()]

    def _add_finding(self, outcome: Outcome, finding: Finding) -> None:
        key = (slot_of_timer(finding.timer_id), finding.timer_id, finding.rule, finding.from_)
        told = (finding.to, finding.amount_us, finding.refused)
        began = (outcome.tenant, outcome.owner, outcome.event_id, outcome.policy_revision)
        # A finding is written again when it ends, by another press. Its last end and amount count; the press that began
        # it stays. A refused press at the same instant changes nothing of a finding that counts.
        if (before := self.violations.get(key)) is not None:
            if finding.refused:
                return
            began = before[-len(began) :]
        self.violations[key] = (*key, *told, *began)

    def _add_fact(self, outcome: Outcome, fact: Fact) -> None:
        tenant, owner = outcome.tenant or "", outcome.owner or ""
        key = (slot_of(tenant, owner), tenant, owner, fact.kind, fact.about)
        body, changed = dict(fact.body), False
        if (before := self.facts.get(key)) is not None:
            if fact.kind == "profile":
                body = before[0] | body
            elif body != before[0]:
                changed = True
            elif fact.kind != "texts_erased":
                return  # a repeat: the fact counts from its first time
        self.facts[key] = body, outcome.log_time, changed

    def tables(self) -> dict[str, Sequence[tuple[Any, ...]]]:
        """Return the queries that have something to write, with their rows, in the order of their tables."""
        tables: dict[str, Sequence[tuple[Any, ...]]] = {
            "insert_outcomes": self.outcomes,
            "insert_dead_letters": self.dead_letters,
            "upsert_timers": list(self.timers.values()),
            "upsert_intervals": [self.intervals[key] for key in sorted(self.intervals)],
            "add_day_totals": self._totals(self.day_totals),
            "add_job_totals": [(*key, total_us) for key, total_us in self.job_totals.items()],
            "add_work_totals": self._totals(self.work_totals),
            "insert_history": self.history,
            "insert_violations": list(self.violations.values()),
            "learn_facts": [
                (*key, json.dumps(body), known_at, changed) for key, (body, known_at, changed) in self.facts.items()
            ],
            "move_deadlines": [(*key, due_at) for key, (_, due_at) in self.deadlines.items()],
        }
        return {name: rows for name, rows in tables.items() if rows and name not in self.left_out}

    def writes(self) -> Sequence[tuple[str, Columns]]:
        """Return the same, as columns."""
        return [(name, columns(rows)) for name, rows in self.tables().items()]


def _row(kpart: int, written: Kept) -> tuple[Any, ...]:
    outcome = written.outcome
    values = (outcome.event_id, outcome.tenant, outcome.log_time)
    return kpart, outcome.source_offset, *values, *_kept(written)


def _kept(written: Kept) -> tuple[str, bytes | None]:
    """Return an outcome's body as its row has it: as text, or packed.

    Nearly every outcome has a timer, and is packed. Facts stay text, because SQL searches them for erasures.
    """
    return (written.body.decode(), None) if written.outcome.timer is None else ("", pack(written.body))


def rows_of(advances: Sequence[Advance], left_out: Container[str] = ()) -> Rows:
    """Return all rows of a commit."""
    rows = Rows(left_out)
    for advance in advances:
        for written in advance.outcomes:
            rows.add(advance.to.kpart, written)
        for look in advance.looks:
            rows.look(advance.to.kpart, look)
    return rows


def columns(rows: Sequence[tuple[Any, ...]]) -> Columns:
    """Turn rows into columns, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
