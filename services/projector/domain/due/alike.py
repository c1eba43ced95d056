"""Alike: an owner's running timers in groups, so that a look evaluates a few timers and not hundreds.

What is due for an interval follows from when it began and from its traits. Of two with the same traits, nothing is due
for the later one before it is due for the earlier one. So the first of a group stands for all, until something is due.

A sheet keeps its groups. They were made of certain timers, and a timer that changes is another value: then that timer
is put into its group again. Nothing else makes a group wrong, so no other code has to drop groups.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple, TypeVar

from services.projector.domain.due.days_off import CheckOuts
from services.projector.domain.due.together import Together, us_of
from services.projector.domain.endings import DAILY
from services.projector.domain.entry import BACKDATED_AFTER
from services.projector.domain.sheet.state import Grouped, OpenInterval, Timer, Timesheet
from shared.events.calendar import local_day
from shared.events.policies.book import Timeline
from shared.events.rules import Rule
from shared.events.value import replace, value

# With so few timers it is quicker to evaluate each.
FEW: Final = 3
# A look needs no day that ended longer ago: the days that it looks back, and two for any zone.
_ASKED_ABOUT: Final = timedelta(days=10)
# Groups that were made for a look serve those of the next days too.
_SERVE: Final = timedelta(days=3)
# How far ahead a deadline is looked for. After that time the owner is looked at again.
AHEAD: Final = timedelta(days=8)
_NOTHING: Final = timedelta()
Pair = tuple[Timer, OpenInterval]
_K = TypeVar("_K", bound=Hashable)


class Traits(NamedTuple):
    """What decides, beside its start, when something is due for an interval by its length, its days or attendance."""

    zone: str
    billable: bool
    is_long: bool
    # The findings of rules of a day: by which rule, on which day, and whether they last.
    told: tuple[tuple[str, date, bool], ...]
    # When it was on the log, if that was long after it began: a look needs its first days too.
    late_on: date | None
    checked_out_at: datetime | None


class OnJob(NamedTuple):
    """What decides, beside its start, when the estimate of its job is due for an interval."""

    job_id: str
    is_told: bool


class Member(NamedTuple):
    """A running timer of a group, and what made it a member."""

    timer: Timer
    running: OpenInterval
    start_us: int
    traits: Traits
    on_job: OnJob | None

    @property
    def pair(self) -> Pair:
        """The timer and its interval."""
        return self.timer, self.running

    @property
    def zoned(self) -> tuple[str, bool]:
        """What decides which time of the interval counts on a day."""
        return self.traits.zone, self.traits.billable


@value
class Peers:
    """Running timers that are alike, by their ids. Each property is computed when it is first needed."""

    members: Mapping[int, Member]

    @cached_property
    def first(self) -> Member:
        """The one that began first."""
        return min(self.members.values(), key=lambda member: member.start_us)

    @cached_property
    def latest(self) -> datetime:
        """When the last of them was opened, by the log."""
        return max([member.running.logged_at for member in self.members.values()])

    @cached_property
    def told_last(self) -> datetime | None:
        """When the last finding about any of them begins, None: there is none."""
        return max([told[-1].from_ for member in self.members.values() if (told := member.running.found)], default=None)

    @cached_property
    def together(self) -> Together:
        """How they add time together."""
        return Together(member.start_us for member in self.members.values())


@value
class Alike(Grouped):
    """The running timers among `timers` in groups, by what decides about them.

    They were made by these policies and these check-outs, for looks of `serves_from` and the days after.
    """

    timeline: Timeline
    check_outs: CheckOuts
    serves_from: datetime
    members: Mapping[int, Member]
    by_traits: Mapping[Traits, Peers]
    by_job: Mapping[OnJob, Peers]
    by_zone: Mapping[tuple[str, bool], Peers]


def late_on(running: OpenInterval) -> date | None:
    """Return the local day on which an interval was on the log, None: soon after it began.

    No look could ask about the days before that day in their time.
    """
    if running.logged_at - running.start <= BACKDATED_AFTER:
        return None
    return local_day(running.logged_at, running.zone)


def alike_in(sheet: Timesheet) -> Alike | None:
    """Return a sheet's running timers in groups, None: they are few, or other ones since."""
    known = sheet.grouped_now
    return known if isinstance(known, Alike) else None


def grouped(sheet: Timesheet, timeline: Timeline, moment: datetime) -> Timesheet:
    """Return the sheet with its running timers in groups for a look at a moment, or without any when they are few."""
    if len(sheet.timers) <= FEW:
        return sheet if sheet.grouped is None else replace(sheet, grouped=None)
    known = sheet.grouped
    if (
        not isinstance(known, Alike)
        or known.timeline is not timeline
        or known.check_outs.attendance != sheet.attendance
        or not _NOTHING <= moment - known.serves_from < _SERVE
    ):
        check_outs = CheckOuts(sheet.attendance, timeline, moment + _SERVE + AHEAD)
        known = Alike({}, timeline, check_outs, moment, {}, {}, {}, {})
    return sheet if known.timers is sheet.timers else replace(sheet, grouped=_renewed(known, sheet))


def _renewed(known: Alike, sheet: Timesheet) -> Alike:
    """Return the groups with the timers of a sheet. Only those that changed are looked at."""
    before, timers = known.members, sheet.timers
    changed = [timer for id_, timer in timers.items() if (was := before.get(id_)) is None or was.timer is not timer]
    left = [
        before[id_] for id_ in (*(before.keys() - timers.keys()), *(timer.id for timer in changed)) if id_ in before
    ]
    come = [_member(known, timer, timer.open) for timer in changed if timer.open is not None]
    members = dict(before)
    for member in left:
        del members[member.timer.id]
    for member in come:
        members[member.timer.id] = member
    return Alike(
        timers,
        known.timeline,
        known.check_outs,
        known.serves_from,
        members,
        _moved(known.by_traits, ((one.traits, one) for one in left), ((one.traits, one) for one in come)),
        _moved(
            known.by_job,
            ((one.on_job, one) for one in left if one.on_job is not None),
            ((one.on_job, one) for one in come if one.on_job is not None),
        ),
        _moved(known.by_zone, ((one.zoned, one) for one in left), ((one.zoned, one) for one in come)),
    )


def _moved(
    groups: Mapping[_K, Peers], left: Iterable[tuple[_K, Member]], come: Iterable[tuple[_K, Member]]
) -> Mapping[_K, Peers]:
    """Return groups without the members that left, and with those that come."""
    touched: dict[_K, dict[int, Member]] = {}
    for key, member in left:
        if key not in touched:
            touched[key] = dict(groups[key].members)
        del touched[key][member.timer.id]
    for key, member in come:
        if key not in touched:
            touched[key] = dict(groups[key].members) if key in groups else {}
        touched[key][member.timer.id] = member
    moved = {**groups, **{key: Peers(members) for key, members in touched.items() if members}}
    for key, members in touched.items():
        if not members:
            moved.pop(key, None)
    return moved


def _member(known: Alike, timer: Timer, running: OpenInterval) -> Member:
    zone, job_id, moment, late = running.zone, timer.after.job_id, known.serves_from, late_on(running)
    told = tuple(
        (found.rule, day, found.to is None)
        for found in running.found
        if found.rule in DAILY and found.lasted
        for day in [local_day(found.from_, zone)]
        # A look needs the days before it was on the log for as long as it runs.
        if found.to is None or moment - found.from_ <= _ASKED_ABOUT or (late is not None and day <= late)
    )
    traits = Traits(
        zone,
        timer.after.billable,
        running.has(Rule.LONG_RUNNING),
        told,
        late,
        min(known.check_outs.due(running), default=None),
    )
    on_job = None if job_id is None else OnJob(job_id, running.has(Rule.OVER_ESTIMATE))
    return Member(timer, running, us_of(running.start), traits, on_job)
