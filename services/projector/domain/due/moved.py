"""Moved: crossings that a late press moves, because an owner's timers share the time of their days and jobs.

A crossing that was told lies where the presses until then had put it. A press that counts before it, of another timer,
adds time or takes time away: then the crossing is at another instant, or nowhere. What was told is never withdrawn, so
it is told again as a finding without time, and what is due is looked for once more (docs/adr/0035). So it is in an
interval that nobody has ended: an automatic stop or a switch did (docs/adr/0043).
"""

from collections.abc import Sequence
from datetime import datetime

from services.projector.domain.due.alike import alike_in
from services.projector.domain.due.deadlines import SHARED, looked_since
from services.projector.domain.due.settle import Late, Settled, settle
from services.projector.domain.endings import finding_of
from services.projector.domain.sheet.evolve import with_changes
from services.projector.domain.sheet.state import FoundOpen, OpenInterval, Timer, Timesheet
from shared.events.outcome import Change, Finding
from shared.events.policies.book import Timeline
from shared.events.rules import Rule
from shared.events.value import replace


def came_late(sheet: Timesheet, changed: Sequence[Change], at: datetime) -> bool:
    """Return whether a press that counts at `at` adds time or takes it away before what is known already."""
    if not changed or (changed[-1].opened is None and changed[-1].closed is None):
        return False
    for interval in sheet.closed:
        if interval.end > at:
            return True
    if (alike := alike_in(sheet)) is not None:
        return any(peers.told_last is not None and peers.told_last > at for peers in alike.by_traits.values())
    # Findings are in the order in which they begin.
    for timer in sheet.timers.values():
        if timer.open is not None and timer.open.found and timer.open.found[-1].from_ > at:
            return True
    return False


def settle_anew(sheet: Timesheet, timeline: Timeline, at: datetime, log_time: datetime, at_most: int) -> Settled:
    """Return what fell due up to `log_time`, and what became of crossings that a press at `at` may have moved.

    `sheet` is the one after the press. In an interval's first minute, too, those of its rules that are judged anew are
    looked for.
    """
    since = looked_since(at, log_time)
    gone = _judged_anew(sheet, timeline, since, log_time)[:at_most]
    anew: dict[int, set[str]] = {}
    for finding in gone:
        anew.setdefault(finding.timer_id, set()).add(finding.rule)
    late = Late(since, anew)
    settled = settle(with_changes(sheet, (), gone, log_time), timeline, log_time, log_time, at_most, late=late)
    return replace(settled, findings=_but_what_stands(sheet, since, gone, settled.findings)) if gone else settled


def _judged_anew(sheet: Timesheet, timeline: Timeline, since: datetime, log_time: datetime) -> Sequence[Finding]:
    """Return the findings about crossings after `since` up to the log, told again without time: the earliest first."""
    told = [
        finding_of(timer.id, found.rule, found.from_, found.from_)
        for timer, interval in _concerned(sheet, since)
        for found in interval.found
        if since < found.from_ <= log_time and found.rule in SHARED and found.lasted
        if _is_known(sheet, timeline, timer, interval, found)
    ]
    return sorted(told, key=lambda one: (one.from_, one.timer_id, one.rule))


def _concerned(sheet: Timesheet, since: datetime) -> list[tuple[Timer, OpenInterval]]:
    """Return the intervals whose crossings a press moves: those that run, and those that nobody has ended after it."""
    return [*sheet.running(), *((timer, end.interval) for timer, end in sheet.ended_by_nobody(since))]


def _is_known(sheet: Timesheet, timeline: Timeline, timer: Timer, interval: OpenInterval, found: FoundOpen) -> bool:
    """Return whether the limit that a finding is about is known to a look.

    Of an estimate that was replaced since, nothing is. And a press is judged by the document of its time on the log,
    where a look goes by that of each instant.
    """
    if found.from_ == interval.start and timeline.place(interval.logged_at) != timeline.place(found.from_):
        return False
    if found.rule != Rule.OVER_ESTIMATE or timer.after.job_id is None:
        return True
    estimate = sheet.job(timer.after.job_id).estimate
    return estimate is not None and estimate.known_at <= found.from_


def _but_what_stands(
    before: Timesheet, since: datetime, gone: Sequence[Finding], found: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Return what there is to tell: no finding that was gone and came back exactly as it had been told `before`."""
    told = {(one.timer_id, one.rule, one.from_): one for one in (*gone, *found)}
    asked = {(one.timer_id, one.rule, one.from_) for one in gone}
    for timer, interval in _concerned(before, since):
        for was in interval.found:
            key = timer.id, was.rule, was.from_
            if key in asked and told[key].to == was.to:
                del told[key]
    return tuple(told.values())
