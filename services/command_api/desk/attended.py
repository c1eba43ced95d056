"""Attended: from when to when an owner worked on each local day, and how long not in between. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.events.calendar import split
from shared.events.durations import microseconds


@dataclass(frozen=True, slots=True)
class Attended:
    """One local day: the first moment that was worked, the last, and the time between them in which nothing was."""

    first_at: datetime
    last_at: datetime
    pause_us: int


def attended_on(intervals: Iterable[tuple[datetime, datetime, str]]) -> dict[date, Attended]:
    """Return each day that has a part of closed intervals: start, end, and the zone that cuts it into days.

    Intervals side by side are one time of work: what one of them covers is no pause.
    """
    parts: dict[date, list[tuple[datetime, datetime]]] = defaultdict(list)
    for start, end, zone_name in intervals:
        begins = start
        for part in split(start, end, zone_name):
            ends = begins + timedelta(microseconds=part.us)
            parts[part.on].append((begins, ends))
            begins = ends
    return {on: _attended(sorted(worked)) for on, worked in parts.items()}


def _attended(worked: list[tuple[datetime, datetime]]) -> Attended:
    first_at, last_at = worked[0]
    pause_us = 0
    for begins, ends in worked[1:]:
        pause_us += max(0, microseconds(last_at, begins))
        last_at = max(last_at, ends)
    return Attended(first_at, last_at, pause_us)
