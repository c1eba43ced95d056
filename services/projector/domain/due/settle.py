"""Settle: what fell due for an owner up to a moment, in time order, as findings and changes."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from services.projector.domain.due.alike import AHEAD, Alike, Pair, Peers, alike_in, grouped
from services.projector.domain.due.days_off import is_watched
from services.projector.domain.due.deadlines import SHARED, Due, Outlook, Said
from services.projector.domain.effect import ended
from services.projector.domain.endings import endings, finding_of, last_end
from services.projector.domain.sheet.evolve import with_changes
from services.projector.domain.sheet.state import OpenInterval, Quiet, Timer, Timesheet
from shared.events.outcome import Change, Finding, State
from shared.events.policies.book import Timeline
from shared.events.rules import Rule
from shared.events.value import replace, value

# Queued presses come one after the other: in the minute after the press that opened an interval, nothing falls due.
GRACE: Final = timedelta(seconds=60)
# When something is due, and when it falls due.
_Felt = tuple[datetime, datetime]
_NOTHING: Final[Mapping[int, Container[str]]] = MappingProxyType({})


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

    def then(self, later: "Settled") -> "Settled":
        """Return both: `later` is what fell due on this sheet."""
        if not self.found:
            return later
        return Settled(later.sheet, (*self.findings, *later.findings), (*self.changed, *later.changed))


@value
class Late:
    """A press that came late. `since`: see `Outlook`. `anew`: of timers by id, the rules to look for once more.

    `anew` is None before the press is judged, when it has moved nothing yet.
    """

    since: datetime | None = None
    anew: Mapping[int, Container[str]] | None = None


IN_TIME: Final = Late()


@value
class Ahead:
    """When the owner of a sheet is to be looked at next, None: not before the owner's next press.

    A hint: a press may come first, and a policy or a fact may move it. `settle` computes anew, unless the sheet is the
    same and known to be quiet.
    """

    sheet: Timesheet
    due: datetime | None


def settle(
    sheet: Timesheet,
    timeline: Timeline,
    until: datetime,
    log_time: datetime,
    at_most: int,
    may_end: Container[int] = (),
    late: Late = IN_TIME,
) -> Settled:
    """Return what fell due for the sheet's owner up to `until`: `at_most` changes, and about as many findings.

    What is left out falls due again at the owner's next record. `log_time` is that of the record. In its first minute
    nothing falls due for an interval. But findings open about a timer that `may_end` with the record's press, and what
    a `late` press has moved is looked for anew.
    """
    if sheet.is_quiet(timeline, until):
        return Settled(sheet)
    return _one_by_one(
        sheet, timeline, until, log_time, at_most, lambda now: _next(now, timeline, until, log_time, may_end, late)
    )


def settle_in_order(
    sheet: Timesheet, timeline: Timeline, log_time: datetime, at_most: int, *, runs_on: int | None = None
) -> Settled:
    """Return what a tick tells: what fell due up to the log time, unless something earlier waits for its first minute.

    Otherwise what waits would be looked for when later things had happened, and a limit of a day would count those
    whole. A press does not wait. One timer may have to run on: nothing falls due for it.
    """
    if sheet.is_quiet(timeline, log_time):
        return Settled(sheet)

    def first(now: Timesheet) -> list[Due]:
        dues = _next(now, timeline, log_time, log_time, (), IN_TIME, runs_on)
        return [] if dues and _waits(now, timeline, log_time, dues[0].at) else dues

    return _one_by_one(sheet, timeline, log_time, log_time, at_most, first)


def stopped_meanwhile(
    sheet: Timesheet, timeline: Timeline, moment: datetime, log_time: datetime, at_most: int, runs_on: int | None = None
) -> Settled | None:
    """Return what a tick at the log time of a late press would tell, if it would stop a timer: not one that `runs_on`.

    Nearly always a tick has told it already. Without this, minutes and verdicts would depend on whether one had.
    `moment` is the press's own.
    """
    if moment == log_time or sheet.is_quiet(timeline, log_time) or not any(timeline.auto_close):
        return None
    told = settle_in_order(sheet, timeline, log_time, at_most, runs_on=runs_on)
    return told if any(change.closed is not None for change in told.changed) else None


def _one_by_one(
    sheet: Timesheet,
    timeline: Timeline,
    until: datetime,
    log_time: datetime,
    at_most: int,
    first_of: Callable[[Timesheet], Sequence[Due]],
) -> Settled:
    """Let what falls due first happen, and then what does on the sheet after it, until nothing does."""
    findings: list[Finding] = []
    changed: list[Change] = []
    while len(changed) < at_most and len(findings) < at_most:
        sheet = grouped(sheet, timeline, until)
        first = first_of(sheet)
        if not first:
            break
        for due in first[: at_most - max(len(changed), len(findings))]:
            found, change = _happened(sheet, timeline, due)
            sheet = with_changes(sheet, change, found, log_time)
            findings += found
            changed += change
    return Settled(sheet, tuple(findings), tuple(changed))


def look_ahead(sheet: Timesheet, timeline: Timeline, settled_to: datetime) -> Ahead:
    """Return when the owner is to be looked at next, and the sheet that knows until when nothing falls due."""
    sheet = grouped(sheet, timeline, settled_to)
    alike, running_now = alike_in(sheet), sheet.running()
    if not running_now:
        return Ahead(sheet, None)
    until = settled_to + AHEAD
    look = Outlook(sheet, timeline, until, runs_alone=len(running_now) == 1)
    dues = _ahead_of_each(look, running_now, settled_to) if alike is None else _ahead_of(look, alike, sheet, settled_to)
    if look.is_whole:
        sheet = replace(sheet, quiet=Quiet(timeline, settled_to, min(dues)[0] if dues else until))
    else:
        # Of an interval that began on an earlier day only the days ahead were looked at. Nothing was told of it yet.
        dues += [(due.at, running.logged_at + GRACE) for due, running in _waiting(sheet, timeline, settled_to)]
    if dues:
        return Ahead(sheet, min(dues)[1])
    later = timeline.has_deadlines_at(settled_to) or _watched(sheet, timeline, settled_to)
    return Ahead(sheet, until if later else None)


def _ahead_of_each(look: Outlook, running_now: Sequence[Pair], settled_to: datetime) -> list[_Felt]:
    """Return what is ahead of a few timers."""
    # Of each: not before when what is due for it falls due.
    not_before = [max(running.logged_at + GRACE, settled_to) for _, running in running_now]
    dues: list[_Felt] = []
    for (_, running), felt in zip(running_now, not_before, strict=True):
        dues += [(at, max(at, felt)) for at, _, _, _ in look.by_length(running, stops=True)]
    # A look at days is expensive, so it goes no further than the first limit of an interval's length.
    if dues:
        look.stop_at(min([felt for _, felt in dues]))
    for (timer, running), felt in zip(running_now, not_before, strict=True):
        dues += [(at, max(at, felt)) for at, _, _, _ in look.by_day(timer, running)]
    return dues


def _ahead_of(look: Outlook, alike: Alike, sheet: Timesheet, settled_to: datetime) -> list[_Felt]:
    """Return the same of groups: of each, what is ahead of its first."""
    dues: list[_Felt] = []
    for peers in alike.by_traits.values():
        dues += _felt(peers, lambda _, running: look.by_length(running, stops=True), settled_to)
    if dues:
        look.stop_at(min([felt for _, felt in dues]))
    for peers in alike.by_traits.values():
        dues += _felt(peers, look.by_day, settled_to)
    for peers in _estimated(sheet, alike):
        dues += _felt(peers, look.by_job, settled_to)
    return dues


def _felt(peers: Peers, said: Callable[[Timer, OpenInterval], Iterable[Said]], settled_to: datetime) -> Sequence[_Felt]:
    """Return when something is due for a group, by what is `said` of its first, and when it falls due for any of it."""
    dues = [at for at, _, _, _ in said(*peers.first.pair)]
    if not dues or peers.latest + GRACE <= min(dues):
        return [(at, max(at, settled_to)) for at in dues]
    # In the first minute of one of them another may be first.
    return [
        (at, max(at, member.running.logged_at + GRACE, settled_to))
        for member in peers.members.values()
        for at, _, _, _ in said(*member.pair)
    ]


def _estimated(sheet: Timesheet, alike: Alike) -> list[Peers]:
    """Return the groups by job of the jobs with an estimate."""
    return [peers for on, peers in alike.by_job.items() if sheet.job(on.job_id).estimate is not None]


def _watched(sheet: Timesheet, timeline: Timeline, settled_to: datetime) -> bool:
    """Return whether leave, attendance or an estimate, which no policy names, may make anything fall due later."""
    terms = timeline.at(settled_to)
    on_leave = (leave.granted and day > settled_to.date() for day, leave in sheet.leave.items())
    if sheet.leave and Rule.DAY_OFF in terms.on and any(on_leave):
        return True
    if sheet.attendance and Rule.OUTSIDE_ATTENDANCE in terms.on and is_watched(sheet, settled_to):
        return True
    estimated = (sheet.is_estimated(timer) for timer, _ in sheet.running())
    return bool(sheet.jobs) and Rule.OVER_ESTIMATE in terms.on and any(estimated)


def _next(
    sheet: Timesheet,
    timeline: Timeline,
    until: datetime,
    log_time: datetime,
    may_end: Container[int],
    late: Late,
    runs_on: int | None = None,
) -> list[Due]:
    """Return what falls due first: all that does at one instant."""
    alike = alike_in(sheet) if late is IN_TIME else None
    running_now = sheet.running() if alike is None else _asked_of(alike, sheet, timeline, until)
    anew = _NOTHING if late.anew is None else late.anew
    asked = [
        (timer, running, early)
        for timer, running in running_now
        if not (early := log_time < running.logged_at + GRACE) or timer.id in may_end or timer.id in anew
        if timer.id != runs_on
    ]
    if not asked and late.anew is None:
        return []
    alone = len(running_now if alike is None else alike.members) == 1
    look, dues = Outlook(sheet, timeline, until, runs_alone=alone, since=late.since), list[Due]()
    for timer, running, early in asked:
        # An automatic end that is being taken back does not come again: a person's press goes before it.
        found = look.dues(timer, running, stops=not early and timer.ended is None)
        dues += found if not early or timer.id in may_end else (due for due in found if due.rule in anew[timer.id])
    if late.since is not None and late.anew is not None:
        dues += _of_those_ended(look, sheet, late.since)
    if not dues:
        return []
    first = min(due.at for due in dues)
    return sorted(due for due in dues if due.at == first)


def _waits(sheet: Timesheet, timeline: Timeline, log_time: datetime, moment: datetime) -> bool:
    """Return whether something that is due before a moment waits for the first minute of its interval to pass."""
    return any(due.at < moment for due, _ in _waiting(sheet, timeline, log_time))


def _waiting(sheet: Timesheet, timeline: Timeline, log_time: datetime) -> Iterator[tuple[Due, OpenInterval]]:
    """Return what was due up to a moment and waits for the first minute of its interval to pass."""
    running_now = sheet.running()
    look = Outlook(sheet, timeline, log_time, runs_alone=len(running_now) == 1)
    for timer, running in running_now:
        if log_time < running.logged_at + GRACE:
            for due in look.dues(timer, running, stops=True):
                yield due, running


def _of_those_ended(look: Outlook, sheet: Timesheet, since: datetime) -> Iterator[Due]:
    """Return the crossings in intervals that nobody has ended after a late press. They stay ended."""
    for timer, end in sheet.ended_by_nobody(since):
        dues = look.dues(timer, end.interval, stops=False)
        yield from (due for due in dues if due.rule in SHARED and due.at < end.at)


def _asked_of(alike: Alike, sheet: Timesheet, timeline: Timeline, until: datetime) -> Collection[Pair]:
    """Return the timers of the groups of which anything is due up to `until` for the first."""
    look = Outlook(sheet, timeline, until, runs_alone=len(alike.members) == 1)
    due = [
        *(peers for peers in alike.by_traits.values() if any(look.dues(*peers.first.pair, stops=True))),
        *(peers for peers in _estimated(sheet, alike) if any(look.by_job(*peers.first.pair))),
    ]
    return {id_: member.pair for peers in due for id_, member in peers.members.items()}.values()


def _happened(sheet: Timesheet, timeline: Timeline, due: Due) -> tuple[list[Finding], list[Change]]:
    timer = sheet.timers[due.timer_id]
    if timer.open is None:
        return _told_since(timer, due)
    match due.kind:
        case "1 ends":
            began = due.began or due.at
            return [finding_of(timer.id, due.rule, began, due.at)], []
        case "2 opens":
            return [finding_of(timer.id, due.rule, due.at)], _flagged(timer, due.rule)
        case "3 stops":
            return _stopped(timer, timer.open, timeline, due)


def _told_since(timer: Timer, due: Due) -> tuple[list[Finding], list[Change]]:
    """Return a finding about an interval that has ended, with its end; none if it ended at this very instant."""
    end = timer.ended
    if end is None or due.at >= end.at:
        return [], []
    to = last_end(due.rule, due.at, end.interval, end.at)
    return [finding_of(timer.id, due.rule, due.at, to)], _flagged(timer, due.rule)


def _stopped(timer: Timer, running: OpenInterval, timeline: Timeline, due: Due) -> tuple[list[Finding], list[Change]]:
    found = endings(timer, due.at)
    if not running.has(Rule.LONG_RUNNING):
        found.append(finding_of(timer.id, due.rule, due.at, due.at))
    # Time is added to its days when the stop is told, so what is locked by then counts, as for a press.
    locked = timeline.latest.locked_before
    return found, [ended(timer, due.at, State.STOPPED, "settle", [due.rule], locked_before=locked)]


def _flagged(timer: Timer, rule: str) -> list[Change]:
    if rule in timer.after.flags:
        return []
    after = replace(timer.after, flags=tuple(sorted({*timer.after.flags, rule})))
    return [Change(timer=timer.id, by="settle", after=after)]
