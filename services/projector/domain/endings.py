"""Endings: findings about an interval end with it. Each is told again, once, with its end and its amount."""

from datetime import datetime
from typing import Final

from services.projector.domain.sheet.state import OpenInterval, Timer
from shared.events.calendar import local_day, window
from shared.events.durations import microseconds
from shared.events.outcome import Finding
from shared.events.rules import Rule

# Findings that end at the next local midnight. The new day may have a finding of its own.
DAILY: Final = frozenset({Rule.DAY_OFF, Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP, Rule.OVERFULL_DAY})


def finding_of(timer_id: int, rule: str, from_: datetime, to: datetime | None = None) -> Finding:
    """Return a finding. Its amount is the time between, None without `to`."""
    amount = None if to is None else microseconds(from_, to)
    return Finding(timer_id=timer_id, rule=rule, from_=from_, to=to, amount_us=amount)


def endings(timer: Timer, at: datetime) -> list[Finding]:
    """Return how the findings about a timer's running interval end when the interval ends at `at`.

    One that ended before, at midnight, stays as it is. One that begins after `at` did not happen after all: it gets no
    time.
    """
    # A sheet that was read back may have one more than the live sheet: R15 of an earlier interval whose end was taken
    # back, up to that end, when this interval begins where it does. Only midnight ends a finding before its interval.
    if timer.open is None:
        return []
    return [
        finding_of(
            timer.id, found.rule, found.from_, max(found.from_, last_end(found.rule, found.from_, timer.open, at))
        )
        for found in timer.open.found
        if found.to is None or (found.rule in DAILY and found.to > at and found.lasted)
    ]


def midnight_after(from_: datetime, running: OpenInterval) -> datetime:
    """Return when the local day of a finding ends."""
    return window(local_day(from_, running.zone), running.zone)[1]


def last_end(rule: str, from_: datetime, interval: OpenInterval, at: datetime) -> datetime:
    """Return when a finding about an interval ends at the latest, if the interval ends at `at`."""
    # One outcome holds only a part of much that falls due at once, so the end at midnight may not be told yet.
    return min(at, midnight_after(from_, interval)) if rule in DAILY else at
