"""Terms: what one policy asks of presses, worked out once. A press asks a dozen of these questions.

The policy of a tenant changes a few times a year, and a document has to be searched: a rule's mode may be its own or
its preset's, a limit counts while its rule is on, of several weekends the newest does.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from shared.events.durations import US_PER_SECOND
from shared.events.policy import Mode, OverlapMode, Policy
from shared.events.rules import Rule
from shared.events.value import value

_SWITCHES: Final = frozenset({OverlapMode.PAUSE_PREVIOUS, OverlapMode.STOP_PREVIOUS})

# Which days of the week are the weekend from a local date on, the newest first. As Python counts: 1 is Monday.
_Weekends = tuple[tuple[date, frozenset[int]], ...]


class Days:
    """Local days, in four bytes each: every document that was ever set has its holidays in memory."""

    __slots__ = ("_ordinals",)

    def __init__(self, days: Iterable[date]) -> None:
        self._ordinals = array("i", sorted({day.toordinal() for day in days}))

    def __contains__(self, day: date) -> bool:
        """Return whether a day is among them."""
        ordinal = day.toordinal()
        place = bisect_left(self._ordinals, ordinal)
        return place < len(self._ordinals) and self._ordinals[place] == ordinal

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same days."""
        return isinstance(other, Days) and self._ordinals == other._ordinals

    def __hash__(self) -> int:
        """Return the same for the same days."""
        return hash(self._ordinals.tobytes())


class _Modes(dict[Rule, Mode]):
    """The mode of each rule. Nobody changes it, so it has a hash."""

    def __hash__(self) -> int:  # type: ignore[override]
        """Return the same for the same modes."""
        return hash(frozenset(self.items()))


@value
class Terms:
    """The answers of one document. A limit that is not set, or whose rule is off, is None.

    `on` are the rules that are judged at all. `modes` has the mode of each but R13, which has `overlap`.
    """

    zone: str
    timers_disabled: bool
    on: frozenset[Rule]
    modes: Mapping[Rule, Mode]
    overlap: OverlapMode
    weekends: _Weekends
    holidays: Days
    # R11: how much billable time a local day may have.
    daily_cap_us: int | None
    # R15: how far back an interval may begin, and the first local day that is not locked.
    max_backdate: timedelta | None
    locked_before: date | None
    # R16: the length at which an interval is flagged, and the one at which the system stops its timer.
    long_running: timedelta | None
    auto_close: timedelta | None
    # Whether R09 is judged and the document has days off.
    has_days_off: bool

    def is_day_off(self, day: date) -> bool:
        """Return whether a local day is weekend or a holiday, whatever R09's mode is."""
        for since, days in self.weekends:
            if since <= day:
                return day.isoweekday() in days or day in self.holidays
        return day in self.holidays

    @property
    def switches(self) -> bool:
        """Whether a timer that begins ends the owner's others (R13)."""
        return self.overlap in _SWITCHES

    @property
    def has_deadlines(self) -> bool:
        """Whether this document makes anything fall due for an interval that runs on."""
        limits = (self.auto_close, self.long_running, self.daily_cap_us)
        return self.has_days_off or any(limit is not None for limit in limits)


def terms_of(policy: Policy) -> Terms:
    """Return what a document asks of presses."""
    modes = _Modes({rule: policy.mode(rule) for rule in Rule if rule is not Rule.OVERLAP})
    on: set[Rule] = {rule for rule, mode in modes.items() if mode is not Mode.OFF}
    if policy.overlap_mode is not OverlapMode.ALLOW:
        on.add(Rule.OVERLAP)
    cap, past, long = policy.rules.R11, policy.rules.R15, policy.rules.R16
    capped, locks, closes = Rule.OVER_DAILY_CAP in on, Rule.PAST_TIME in on, Rule.LONG_RUNNING in on
    cap_seconds = cap.billable_seconds_per_day if cap is not None and capped else None
    return Terms(
        zone=policy.zone,
        timers_disabled=policy.timers_disabled,
        on=frozenset(on),
        modes=modes,
        overlap=policy.overlap_mode,
        weekends=_weekends(policy),
        holidays=Days(holiday.day for holiday in policy.holidays),
        daily_cap_us=None if cap_seconds is None else cap_seconds * US_PER_SECOND,
        max_backdate=_length(past.max_backdate_seconds) if past is not None and locks else None,
        locked_before=past.locked_before if past is not None and locks else None,
        long_running=_length(long.long_running_seconds) if long is not None and closes else None,
        auto_close=_length(policy.auto_close_seconds),
        has_days_off=bool(policy.weekend or policy.holidays) and Rule.DAY_OFF in on,
    )


def _length(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _weekends(policy: Policy) -> _Weekends:
    """Of two that begin on one day, the one that the document names first counts."""
    newest_first = sorted(policy.weekend, key=lambda weekend: weekend.from_, reverse=True)
    return tuple((weekend.from_, _days_of_the_week(weekend.days)) for weekend in newest_first)


@lru_cache(maxsize=128)
def _days_of_the_week(days: str) -> frozenset[int]:
    # One object for all documents that say the same.
    return frozenset(map(_as_python_counts, days.split(",")))


def _as_python_counts(day: str) -> int:
    """Return a day of the week for which a document has 1 on Sunday, with 1 on Monday and 7 on Sunday."""
    return int(day) - 1 or 7
