"""Settle: what fell due for an owner up to a moment, in time order, as findings and changes."""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

from services.projector.domain.due.deadlines import Due, Outlook
from services.projector.domain.effect import ended
from services.projector.domain.endings import endings, finding_of
from services.projector.domain.sheet.evolve import with_changes
from services.projector.domain.sheet.state import OpenInterval, Timer, Timesheet
from shared.events.outcome import Change, Finding, State
from shared.events.policy_book import Timeline
from shared.events.rules import Rule
from shared.events.value import replace, value

# Queued presses come one after the other: for so long after the press that opened an interval, nothing falls due.
GRACE: Final = timedelta(seconds=60)
# How far ahead a deadline is looked for. After that time the owner is looked at again.
_AHEAD: Final = timedelta(days=8)


@value
class Settled:
    """What fell due, in time order, and the sheet after it."""

    sheet: Timesheet
    findings: tuple[Finding, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything fell due."""
        return bool(self.findings or self.changed)


def settle(
    sheet: Timesheet,
    timeline: Timeline,
    until: datetime,
    log_time: datetime,
    at_most: int,
    may_end: Container[int] = (),
) -> Settled:
    """Return what fell due for the sheet's owner up to `until`: `at_most` changes, and about as many findings.

    What is left out falls due again at the owner's next record. `log_time` is that of the record. In its first minute
    nothing falls due for an interval, except that findings open about a timer that `may_end` with the record's press.
    """
    findings: list[Finding] = []
    changed: list[Change] = []
    while len(changed) < at_most and len(findings) < at_most:
        first = _next(sheet, timeline, until, log_time, may_end)
        if not first:
            break
        for due in first[: at_most - max(len(changed), len(findings))]:
            found, change = _happened(sheet, timeline, due)
            sheet = with_changes(sheet, change, found, log_time)
            findings += found
            changed += change
    return Settled(sheet, tuple(findings), tuple(changed))


def next_due(sheet: Timesheet, timeline: Timeline, settled_to: datetime) -> datetime | None:
    """Return when the owner is to be looked at next, None: not before the owner's next press.

    A hint: a press may come first, and a policy or a fact may move it. `settle` computes anew.
    """
    running_now = sheet.running()
    if not running_now:
        return None
    ahead, alone = settled_to + _AHEAD, len(running_now) == 1
    look = Outlook(sheet, timeline, ahead, runs_alone=alone)
    # Days are dear to look at. So they are looked at up to the first limit of an interval's length.
    lengths = [_felt(at, running, settled_to) for _, running in running_now for at in look.lengths(running)]
    if lengths and min(lengths) < ahead:
        look = Outlook(sheet, timeline, min(lengths), runs_alone=alone)
    times = [
        _felt(due.at, running, settled_to)
        for timer, running in running_now
        for due in look.dues(timer, running, stops=True)
    ]
    if times:
        return min(times)
    return ahead if timeline.has_deadlines_at(settled_to) or _watched(sheet, timeline, settled_to) else None


def _watched(sheet: Timesheet, timeline: Timeline, settled_to: datetime) -> bool:
    """Return whether leave or an estimate, which no policy names, may make anything fall due later."""
    on_leave = (leave.granted and day > settled_to.date() for day, leave in sheet.leave.items())
    if sheet.leave and timeline.at(settled_to).is_on(Rule.DAY_OFF) and any(on_leave):
        return True
    estimated = (sheet.is_estimated(timer) for timer, _ in sheet.running())
    return bool(sheet.jobs) and timeline.at(settled_to).is_on(Rule.OVER_ESTIMATE) and any(estimated)


def _felt(at: datetime, running: OpenInterval, settled_to: datetime) -> datetime:
    """Return when something that is due at a moment falls due: not in the interval's first minute on the log."""
    return max(at, running.logged_at + GRACE, settled_to)


def _next(
    sheet: Timesheet, timeline: Timeline, until: datetime, log_time: datetime, may_end: Container[int]
) -> list[Due]:
    """Return what falls due first: all that does at one instant."""
    running_now = sheet.running()
    asked = [
        (timer, running, early)
        for timer, running in running_now
        if not (early := log_time < running.logged_at + GRACE) or timer.id in may_end
    ]
    if not asked:
        return []
    look, dues = Outlook(sheet, timeline, until, runs_alone=len(running_now) == 1), list[Due]()
    for timer, running, early in asked:
        # An end that is being taken back does not come again: a person's word goes before the system's guess.
        dues += look.dues(timer, running, stops=not early and timer.ended is None)
    if not dues:
        return []
    first = min(due.at for due in dues)
    return sorted(due for due in dues if due.at == first)


def _happened(sheet: Timesheet, timeline: Timeline, due: Due) -> tuple[list[Finding], list[Change]]:
    timer = sheet.timers[due.timer_id]
    if timer.open is None:
        return [], []  # stopped at this very instant
    match due.kind:
        case "1 ends":
            began = due.began or due.at
            return [finding_of(timer.id, due.rule, began, due.at)], []
        case "2 opens":
            return [finding_of(timer.id, due.rule, due.at)], _flagged(timer, due.rule)
        case "3 stops":
            return _stopped(timer, timer.open, timeline, due)


def _stopped(timer: Timer, running: OpenInterval, timeline: Timeline, due: Due) -> tuple[list[Finding], list[Change]]:
    found = endings(timer, due.at)
    if not running.has(Rule.LONG_RUNNING):
        found.append(finding_of(timer.id, due.rule, due.at, due.at))
    locked = timeline.at(due.at).locked_before
    return found, [ended(timer, due.at, State.STOPPED, "settle", [due.rule], locked_before=locked)]


def _flagged(timer: Timer, rule: str) -> list[Change]:
    if rule in timer.after.flags:
        return []
    after = replace(timer.after, flags=tuple(sorted({*timer.after.flags, rule})))
    return [Change(timer=timer.id, by="settle", after=after)]
