"""The naive fold's look ahead: when the clock is to look at an owner next."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.proof.naive.due import Owner, limits, of_interval
from tests.support.proof.naive.outcome import Row
from tests.support.proof.naive.rules import limit_of, setting

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(seconds=60)
_LIMITS: Final = (
    ("R11", "billable_seconds_per_day"),
    ("R16", "long_running_seconds"),
    ("R16", "auto_close_seconds"),
)


def next_look(owner: Owner, log_time: datetime) -> datetime | None:
    """Return when the owner is to be looked at next."""
    until = log_time + 8 * _DAY
    # Up to where an interval reaches a length, its days are looked at: they may lie further back than eight from then.
    lengths = _times(
        owner,
        log_time,
        lambda timer, running: limits(owner, running, owner.found(timer, running), until, stops=True),
    )
    until = min([until, *(falls for _, falls in lengths)])
    times = _times(owner, log_time, lambda timer, running: of_interval(owner, timer, running, until, stops=True))
    # An interval in its first minute was not looked at yet, and may have begun days before.
    begun = _times(owner, log_time, lambda timer, running: of_interval(owner, timer, running, log_time, stops=True))
    times += [(at, falls) for at, falls in begun if falls > log_time]
    if times:
        return min(times)[1]  # what is due later waits for what is due first
    policy = owner.policy(log_time)
    off = (policy.get("weekend") or policy.get("holidays")) and setting(policy, "R09") != "off"
    watched = any(limit_of(policy, *which) for which in _LIMITS) or off
    estimated = setting(policy, "R12") != "off" and any(owner.estimate(timer["job_id"]) for timer, _ in owner.running())
    leave = setting(policy, "R09") != "off" and any(
        kind == "leave" and fact["granted"] and about > log_time.date().isoformat()
        for (kind, about), fact in owner.facts.items()
    )
    goes = setting(policy, "R10") != "off" and any(
        left is not None and left > log_time and (left.date() - on).days <= 2 for on, _, left, _ in owner.windows()
    )
    return until if (watched or estimated or leave or goes) and any(owner.running()) else None


def _times(owner: Owner, log_time: datetime, dues: Callable[[Row, Row], Iterator[Any]]) -> list[tuple[datetime, ...]]:
    """Return when something is due for running timers, and when it falls due."""
    return [
        (at, max(at, interval["logged"] + _MINUTE, log_time))
        for timer, interval in owner.running()
        for at, *_ in dues(timer, interval)
    ]
