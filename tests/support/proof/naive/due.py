"""The naive fold's deadlines: `docs/contract.md` §6, "Findings open and close" and "What falls due", read aloud.

Every instant is found by asking what is true at an instant: a limit by halving the time in which it is reached,
skipping the time in which the limit cannot be reached yet.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

from tests.support.proof.naive.days import day_of, day_span
from tests.support.proof.naive.outcome import Row
from tests.support.proof.naive.rules import limit_of, setting

LASTING: Final = ("R08", "R15", "R20", "R09", "R10", "R11", "R12", "R16", "R17")
DAILY: Final = ("R09", "R10", "R11", "R17")
# Rules whose limit an owner's timers reach together.
SHARED: Final = ("R11", "R12", "R17")
_DAY: Final = timedelta(days=1)
_US: Final = timedelta(microseconds=1)
_DAYS_LOOKED: Final = timedelta(days=8)
_LATE: Final = timedelta(days=2)
_LATE_LOOKED: Final = timedelta(days=63)
_MINUTE: Final = timedelta(seconds=60)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

Documents = list[tuple[datetime, Row]]
# At, timer, rule, what happens (1 ends, 2 opens, 3 stops the timer), and when an ending finding began.
Deadline = tuple[datetime, int, str, str, datetime | None]
Happening = tuple[datetime, str, str, datetime | None]
# Rules of timers that are looked for anew, None: no press is being settled after.
Anew = AbstractSet[tuple[int, str]] | None


@dataclass
class Owner:
    """All that falls due can depend on: an owner's timers with their intervals, facts, findings, and the policies."""

    timers: list[tuple[Row, list[Row]]]
    facts: dict[tuple[str, str], Row]
    known_at: dict[tuple[str, str], datetime]
    findings: dict[tuple[int, str, datetime], Row]
    documents: Documents
    # Of a late press: when it counts. Intervals that ended after it count up to a moment, the others whole.
    late: datetime | None = None

    def running(self) -> Iterator[tuple[Row, Row]]:
        """Yield each running timer with its open interval."""
        for timer, intervals in self.timers:
            if intervals[-1]["end"] is None:
                yield timer, intervals[-1]

    def ended_by_nobody(self, after: datetime) -> Iterator[tuple[Row, Row]]:
        """Yield each timer that no press has ended, and that ended after a moment, with its last interval."""
        for timer, intervals in self.timers:
            last = intervals[-1]
            if last["end"] is not None and last["end"] > after and last["by"] != "press":
                yield timer, last

    def policy(self, moment: datetime) -> Row:
        """Return the document in force at a moment."""
        return [
            document for begins, document in self.documents if begins <= moment or document is self.documents[0][1]
        ][-1]

    def found(self, timer: Row, interval: Row) -> list[Row]:
        """Return the findings about a timer's last interval."""
        return [
            one
            for (timer_id, rule, begins), one in self.findings.items()
            if timer_id == timer["id"] and rule in LASTING and begins >= interval["start"] and not one["refused"]
        ]

    def day_off(self, policy: Row, day: date, moment: datetime) -> bool:
        """Say whether the owner does not work on a day, as far as is known at a moment."""
        leave = ("leave", day.isoformat())
        if leave in self.facts and self.facts[leave]["granted"] and self.known_at[leave] <= moment:
            return True
        weekends = [w for w in policy.get("weekend") or [] if w["from"] <= day.isoformat()]
        days = max(weekends, key=lambda w: w["from"])["days"] if weekends else ""
        number = (day.weekday() + 1) % 7 + 1
        return str(number) in days or any(h["day"] == day.isoformat() for h in policy.get("holidays") or [])

    def windows(self) -> Iterator[tuple[date, datetime, datetime | None, datetime]]:
        """Yield the windows of attendance: day, check-in, check-out, and when the log had it."""
        for (kind, about), fact in self.facts.items():
            if kind == "attendance":
                come, left = (
                    at and datetime.fromisoformat(at).astimezone(UTC)
                    for at in (fact["checked_in_at"], fact["checked_out_at"])
                )
                yield date.fromisoformat(fact["on"]), come, left, self.known_at[kind, about]

    def covered(self, moment: datetime, zone: str) -> bool:
        """Say whether a window of the moment's day, or of the day before, covers it."""
        day = day_of(moment, zone)
        return any(
            day - on in (_DAY, 0 * _DAY) and begins <= moment and (ends is None or moment < ends)
            for on, begins, ends, _ in self.windows()
        )

    def outside(self, moment: datetime, zone: str) -> bool:
        """Say whether there is a check-in on the day and the owner is not there."""
        day = day_of(moment, zone)
        return any(on == day for on, *_ in self.windows()) and not self.covered(moment, zone)

    def worked(self, day: date, moment: datetime, *, billable: bool) -> int:
        """Return the time of a day up to a moment, closed intervals whole."""
        time_of_day, _ = self._time_of(day, billable=billable)
        return time_of_day(moment)

    def reached(self, day: date, since: datetime, until: datetime, limit_us: int, *, billable: bool) -> datetime | None:
        """Return the first microsecond in [since, until) at which the time of a day is at or over a limit."""
        return _first(since, until, limit_us, *self._time_of(day, billable=billable))

    def _time_of(self, day: date, *, billable: bool) -> tuple[Callable[[datetime], int], int]:
        """Return the time of a day by the moment up to which it counts, and how many intervals may make it grow."""
        whole, growing = 0, []
        for timer, intervals in self.timers:
            for interval in intervals if timer["billable"] or not billable else ():
                begins, ends = day_span(day, interval["zone"])
                begins = max(begins, interval["start"])
                if begins >= ends:
                    continue  # on other days
                if self._grows(interval):
                    growing.append((begins, ends, interval))
                else:
                    whole += max(0, (min(ends, interval["end"]) - begins) // _US)

        def time_of_day(moment: datetime) -> int:
            grown: list[int] = [(min(ends, self._upto(one, moment)) - begins) // _US for begins, ends, one in growing]
            return whole + sum(max(0, time) for time in grown)

        return time_of_day, len(growing)

    def estimate(self, job: str | None) -> tuple[int, datetime] | None:
        """Return the estimate of a job in microseconds, and when the log had it."""
        key = ("estimate", job or "")
        return (self.facts[key]["seconds"] * 1_000_000, self.known_at[key]) if key in self.facts else None

    def worked_on(self, job: str, moment: datetime) -> int:
        """Return the time on a job up to a moment, closed intervals whole."""
        total = 0
        for timer, intervals in self.timers:
            if timer["job_id"] == job:
                total += sum(max(0, (self._upto(i, moment) - i["start"]) // _US) for i in intervals)
        return total

    def growing_on(self, job: str) -> int:
        """Return how many intervals may make the time on a job grow."""
        return sum(self._grows(i) for timer, intervals in self.timers if timer["job_id"] == job for i in intervals)

    def _upto(self, interval: Row, moment: datetime) -> datetime:
        end: datetime | None = interval["end"]
        if end is None:
            return moment
        return min(end, moment) if self._grows(interval) else end

    def _grows(self, interval: Row) -> bool:
        """Say whether the moment up to which it counts matters to an interval."""
        return interval["end"] is None or (self.late is not None and interval["end"] > self.late)


def _first(
    since: datetime, until: datetime, limit_us: int, time_at: Callable[[datetime], int], growing: int
) -> datetime | None:
    """Return the first microsecond in [since, until) at which a time that only grows is at or over a limit.

    No more than `growing` intervals make it grow at once, so each must last for its part of what is missing.
    """
    if since >= until or time_at(until - _US) < limit_us:
        return None
    low, high = since, until - _US
    while (missing := limit_us - time_at(low)) > 0:
        low += -(-missing // growing) * _US
        middle = low + (high - low) // _US // 2 * _US
        if time_at(middle) >= limit_us:
            high = middle
        else:
            low = middle + _US
    return low


def what_is_due(
    owner: Owner, until: datetime, log_time: datetime, may_end: set[int], anew: Anew, runs_on: int | None = None
) -> list[Deadline]:
    """Return all that is due first: at, timer, rule, kind, and when an ending finding began.

    Where no press is in hand, nothing overtakes what waits for the first minute of its interval to pass.
    """
    due, waits = list[Deadline](), list[datetime]()
    for timer, interval in owner.running():
        early = log_time < interval["logged"] + _MINUTE
        if early and not may_end and anew is None:
            waits += [at for at, *_ in of_interval(owner, timer, interval, until, stops=True)]
        if timer["id"] == runs_on:
            continue
        here = of_interval(owner, timer, interval, until, stops=not early)
        whole = not early or timer["id"] in may_end
        due += [one for one in here if whole or (timer["id"], one[2]) in (anew or ())]
    # What nobody has ended stays ended, and what was found about it is looked for again.
    for timer, interval in () if owner.late is None or anew is None else owner.ended_by_nobody(owner.late):
        here = of_interval(owner, timer, interval, until, stops=False)
        due += [one for one in here if one[2] in SHARED and one[0] < interval["end"]]
    first = min((one[0] for one in due), default=None)
    if first is None or any(at < first for at in waits):
        return []
    return sorted((one for one in due if one[0] == first), key=lambda one: one[1:4])


def of_interval(owner: Owner, timer: Row, interval: Row, until: datetime, *, stops: bool) -> Iterator[Deadline]:
    """Yield what is due for one interval up to a moment."""
    if until <= interval["start"]:
        return
    found = owner.found(timer, interval)
    for at, rule, kind, began in (
        *_ends(found, interval),
        *limits(owner, interval, found, until, stops=stops),
        *_of_days(owner, timer, interval, found, until),
        *_check_outs(owner, interval, found, until),
        *_estimates(owner, timer, interval, found, until),
    ):
        if at <= until:
            yield at, timer["id"], rule, kind, began


def _told(found: list[Row], rule: str, begins: datetime, ends: datetime) -> bool:
    """Say whether a finding of the rule that begins in [begins, ends) is among those of an interval, and has lasted."""
    return any(
        one["rule"] == rule and begins <= one["from"] < ends and (one["to"] is None or one["to"] > one["from"])
        for one in found
    )


def _ends(found: list[Row], interval: Row) -> Iterator[Happening]:
    for one in found:
        if one["to"] is None and one["rule"] in DAILY:
            _, midnight = day_span(day_of(one["from"], interval["zone"]), interval["zone"])
            yield midnight, one["rule"], "1", one["from"]


def limits(owner: Owner, interval: Row, found: list[Row], until: datetime, *, stops: bool) -> Iterator[Happening]:
    """Yield what is due by the length of an interval."""
    start = interval["start"]
    long = _length(owner, start, until, "long_running_seconds")
    if long is not None and not _told(found, "R16", start, _NEVER):
        yield long, "R16", "2", None
    limit = _length(owner, start, until, "auto_close_seconds")
    if stops and limit is not None and "was" not in interval:
        yield limit, "R16", "3", None


def _of_days(owner: Owner, timer: Row, interval: Row, found: list[Row], until: datetime) -> Iterator[Happening]:
    start, zone = interval["start"], interval["zone"]
    for day in _days_looked_at(interval, until):
        begins, ends = day_span(day, zone)
        since, upto = max(begins, start), min(ends, until + _US)
        new = {rule for rule in ("R09", "R11", "R17") if not _told(found, rule, begins, ends)}
        if "R09" in new and start < begins < ends and _off(owner, day, begins):
            yield begins, "R09", "2", None
        if "R11" in new and timer["billable"] and (over := _over_cap(owner, day, since, upto)) is not None:
            yield over, "R11", "2", None
        if "R17" in new and begins < ends and (full := _overfull(owner, day, since, upto, ends - begins)) is not None:
            yield full, "R17", "2", None


def _days_looked_at(interval: Row, until: datetime) -> Iterator[date]:
    """Yield the local days of an interval: those of the last eight days, and all before it was on the log, if late."""
    start, logged, zone = interval["start"], interval["logged"], interval["zone"]
    recent = day_of(start if until - start < _DAYS_LOOKED else until - _DAYS_LOOKED, zone)
    late = day_of(logged, zone) if logged - start > _LATE else None
    day, last = day_of(start, zone), day_of(until, zone)
    while day <= last:
        if recent <= day or (late is not None and late - _LATE_LOOKED <= day <= late):
            yield day
        day += _DAY


def _off(owner: Owner, day: date, begins: datetime) -> bool:
    policy = owner.policy(begins)
    return setting(policy, "R09") != "off" and owner.day_off(policy, day, begins)


def _check_outs(owner: Owner, interval: Row, found: list[Row], until: datetime) -> Iterator[Happening]:
    if any(one["rule"] == "R10" and one["to"] is None for one in found):
        return
    for on, _, left, known in owner.windows():
        if left is None or not interval["start"] < left <= until:
            continue
        if not 0 <= (day_of(left, interval["zone"]) - on).days <= 1:
            continue
        out = max(left, known)  # told later, it counts from then on
        if day_of(out, interval["zone"]) != day_of(left, interval["zone"]) or owner.covered(out, interval["zone"]):
            continue
        told = [one for one in found if one["rule"] == "R10" and one["from"] <= out]
        if not any(one["to"] is None or out < one["to"] for one in told) and setting(owner.policy(out), "R10") != "off":
            yield out, "R10", "2", None


def _estimates(owner: Owner, timer: Row, interval: Row, found: list[Row], until: datetime) -> Iterator[Happening]:
    estimate, start, job = owner.estimate(timer["job_id"]), interval["start"], timer["job_id"]
    if estimate is None or _told(found, "R12", start, _NEVER):
        return
    limit_us, known_at = estimate
    for begins, ends, policy in _pieces(owner, max(start, known_at), until + _US):
        used_up = _first(begins, ends, limit_us, lambda moment: owner.worked_on(job, moment), owner.growing_on(job))
        if used_up is not None and setting(policy, "R12") != "off":
            yield used_up, "R12", "2", None
            return


def _pieces(owner: Owner, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, Row]]:
    edges = [since, *(begins for begins, _ in owner.documents[1:] if since < begins < until), until]
    for begins, ends in pairwise(edges):
        if begins < ends:
            yield begins, ends, owner.policy(begins)


def _over_cap(owner: Owner, day: date, since: datetime, ends: datetime) -> datetime | None:
    for begins, to, policy in _pieces(owner, since, ends):
        cap = limit_of(policy, "R11", "billable_seconds_per_day")
        if cap is not None:
            at = owner.reached(day, begins, to, cap * 1_000_000, billable=True)
            if at is not None:
                return at
    return None


def _overfull(owner: Owner, day: date, since: datetime, ends: datetime, length: timedelta) -> datetime | None:
    pieces = [(begins, to) for begins, to, policy in _pieces(owner, since, ends) if setting(policy, "R17") != "off"]
    reached = (owner.reached(day, begins, to, length // _US, billable=False) for begins, to in pieces)
    return next((at for at in reached if at is not None), None)


def _length(owner: Owner, start: datetime, until: datetime, limit: str) -> datetime | None:
    for begins, to, policy in _pieces(owner, start, until + _US):
        seconds = limit_of(policy, "R16", limit)
        if seconds is not None and max(start + timedelta(seconds=seconds), begins) < to:
            return max(start + timedelta(seconds=seconds), begins)
    return None
