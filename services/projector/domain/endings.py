"""Endings: the findings about an interval end with it, each once, and are told again with their time and amount."""

from datetime import datetime

from services.projector.domain.sheet.state import Timer
from shared.events.durations import microseconds
from shared.events.outcome import Finding


def finding_of(timer_id: int, rule: str, from_: datetime, to: datetime | None = None) -> Finding:
    """Return a finding. Its amount is the time between, None without `to`."""
    amount = None if to is None else microseconds(from_, to)
    return Finding(timer_id=timer_id, rule=rule, from_=from_, to=to, amount_us=amount)


def endings(timer: Timer, at: datetime) -> list[Finding]:
    """Return how the findings about a timer's running interval end when the interval ends at `at`.

    One that ended before, at midnight, stands. One that begins after `at` turned out not to have happened: no time.
    """
    if timer.open is None:
        return []
    return [
        finding_of(timer.id, found.rule, found.from_, max(found.from_, at))
        for found in timer.open.found
        if found.to is None or (found.to > at and found.lasted)
    ]
