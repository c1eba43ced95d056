"""The naive fold's books: what is known of a partition, and how a press or a deadline changes it."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from tests.support.proof.naive.days import days_between
from tests.support.proof.naive.due import LASTING
from tests.support.proof.naive.outcome import Row, timer_of
from tests.support.proof.naive.reading import TIMER_EVENTS, Said

_START, _PAUSE, _RESUME, _STOP = TIMER_EVENTS
_US: Final = timedelta(microseconds=1)
_THIRTY_DAYS: Final = timedelta(days=30)
Key = tuple[object, ...]


@dataclass
class Book:
    """All that the fold knows of one partition."""

    kpart: int
    partitions: int
    # Where the topic of policies ends: a press cannot know of a revision from here on.
    policies_end: int = 1 << 63
    next_offset: int = 0
    last_event_id: str | None = None
    last_log_time: datetime | None = None
    policy_rev: int = -1
    held: bool = False
    outcomes: list[Row] = field(default_factory=list)
    # When the newest outcome of each event was judged.
    kept_at: dict[str, datetime] = field(default_factory=dict)
    timers: dict[int, Row] = field(default_factory=dict)
    intervals: dict[int, list[Row]] = field(default_factory=dict)
    violations: dict[tuple[int, str, datetime], Row] = field(default_factory=dict)
    facts: dict[tuple[str, str, str, str], Row] = field(default_factory=dict)
    known_at: dict[tuple[str, str, str, str], datetime] = field(default_factory=dict)
    # Days of owners (tenant, owner, day), and of accounts and jobs (slot, tenant, kind, id, day).
    changed_after_lock: set[Key] = field(default_factory=set)
    # Days of the same that lost time when an end was taken back.
    emptied: set[Key] = field(default_factory=set)


def copy_for(book: Book, tenant: str, owner: str) -> Book:
    """Return a book in which a press of one owner may be tried. What others have is in both: no press changes it.

    Facts and outcomes are in both as well: they change in the real book alone.
    """
    mine = [timer["id"] for timer in timers_of(book, tenant, owner)]
    return replace(
        book,
        timers=book.timers | {timer: deepcopy(book.timers[timer]) for timer in mine},
        intervals=book.intervals | {timer: deepcopy(book.intervals[timer]) for timer in mine},
        violations={key: dict(found) for key, found in book.violations.items()},
        changed_after_lock=set(book.changed_after_lock),
        emptied=set(book.emptied),
    )


def timers_of(book: Book, tenant: str, owner: str) -> list[Row]:
    return [timer for timer in book.timers.values() if (timer["tenant"], timer["owner"]) == (tenant, owner)]


def effect(
    book: Book, press: Said, timer: Row | None, owner: str, at: datetime, zone: str, flags: set[str], locked: str | None
) -> Row:
    if press["kind"] == _PAUSE:
        return end(book, press, press["subject"], at, "PAUSED", "press", flags, locked)
    if press["kind"] == _STOP:
        return end(book, press, press["subject"], at, "STOPPED", "press", flags, locked)
    if timer is None:
        timer = {
            "id": press["subject"],
            "owner": owner,
            **{
                name: press[name]
                for name in ("account_id", "job_id", "project_id", "billable", "work_date", "reference")
            },
            "started_at": at,
            "stopped_at": None,
            "total_us": 0,
            "flags": [],
            "tenant": press["tenant"],
            "started_by": press["event_id"],
        }
        book.timers[press["subject"]], book.intervals[press["subject"]] = timer, []
    timer |= {"state": "RUNNING", "last_at": at, "source_offset": press["offset"]}
    timer["flags"] = sorted({*timer["flags"], *flags})
    book.intervals[timer["id"]].append(
        {"start": at, "end": None, "zone": zone, "logged": press["log_time"], "reason": None}
    )
    opened = {"seq": len(book.intervals[timer["id"]]), "start": at, "zone": zone}
    return {"timer": timer["id"], "by": "press", "after": timer_of(timer), "opened": opened, "closed": None}


def end(
    book: Book, press: Said, timer_id: int, at: datetime, state: str, by: str, flags: Iterable[str], locked: str | None
) -> Row:
    timer, intervals = book.timers[timer_id], book.intervals[timer_id]
    timer |= {"state": state, "last_at": at, "source_offset": press["offset"]}
    timer |= {"stopped_at": at if state == "STOPPED" else None, "flags": sorted({*timer["flags"], *flags})}
    closed, last = None, intervals[-1]
    was, whose = last.pop("was", None), _whose(timer)
    last["by"] = by
    reason = press["reason"] if press["kind"] == _PAUSE and by == "press" else None
    if last["end"] is None:
        last |= {"end": at, "reason": reason}
        timer["total_us"] = sum((i["end"] - i["start"]) // _US for i in intervals)
        closed = {"seq": len(intervals), "start": last["start"], "end": at, "zone": last["zone"]}
        closed |= {"days": _days(last, at, locked), "was": None} | ({} if reason is None else {"reason": reason})
        changed = closed["days"]
        if was is not None:
            closed["was"] = {"end": was, "days": _days(last, was, locked)}
            before = {part["on"]: part["us"] for part in closed["was"]["days"]}
            now = {part["on"]: part["us"] for part in closed["days"]}
            for part in (*closed["days"], *closed["was"]["days"]):
                part["after_lock"] = part["after_lock"] and before.get(part["on"]) != now.get(part["on"])
            changed = [*changed, *closed["was"]["days"]]
            book.emptied |= {(*each, part["on"]) for each in whose for part in changed}
        book.changed_after_lock |= {(*each, part["on"]) for each in whose for part in changed if part["after_lock"]}
    return {"timer": timer_id, "by": by, "after": timer_of(timer), "opened": None, "closed": closed}


def _whose(timer: Row) -> list[Key]:
    """Return all whose days a timer's time is on: its owner, and where it has them its account and job."""
    slot, tenant = (timer["id"] >> 10) & 4095, timer["tenant"]
    about = [(slot, tenant, kind, timer[f"{kind}_id"]) for kind in ("account", "job")]
    return [(tenant, timer["owner"]), *(each for each in about if each[-1] is not None)]


def _days(interval: Row, ends: datetime, locked: str | None) -> list[Row]:
    return [
        {"on": day, "us": us, "after_lock": locked is not None and day.isoformat() < locked}
        for day, us in days_between(interval["start"], ends, interval["zone"])
    ]


def with_end_taken_back(book: Book, press: Said, moment: datetime) -> Book | None:
    """Return another book in which the pressed timer goes on, when its end was nobody's and the press is before it."""
    last = book.intervals[press["subject"]][-1]
    end_was, by = last["end"], last.get("by", "press")
    if by == "press" or max(moment, last["start"]) >= end_was or press["log_time"] - end_was > _THIRTY_DAYS:
        return None
    other = copy_for(book, press["tenant"], book.timers[press["subject"]]["owner"])
    timer, interval = other.timers[press["subject"]], other.intervals[press["subject"]][-1]
    interval |= {"end": None, "was": end_was}
    timer |= {"state": "RUNNING", "stopped_at": None, "last_at": interval["start"]}
    timer["total_us"] -= (end_was - interval["start"]) // _US
    for found in other.violations.values():
        about = found["timer_id"] == timer["id"] and found["rule"] in LASTING and not found["refused"]
        if about and interval["start"] <= found["from"] < found["to"] == end_was:
            found |= {"to": None, "amount_us": None}
    return other


def note(book: Book, said: Row, findings: list[Row]) -> None:
    for found in findings:
        of = {name: said[name] for name in ("tenant", "owner", "event_id", "policy_revision")}
        known = book.violations.setdefault((found["timer_id"], found["rule"], found["from"]), found | of)
        if not found["refused"]:
            known |= found  # told again: the last telling counts, and what began it stays
