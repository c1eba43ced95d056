"""The naive fold: `docs/contract.md` §1, §6 and §9 read aloud, one record after the other, into plain dicts."""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from tests.support.proof.naive.days import days_between
from tests.support.proof.naive.facts import learn
from tests.support.proof.naive.outcome import Row, blank, failed, said_of, timer_of
from tests.support.proof.naive.reading import NEWER, TIMER_EVENTS, UNREADABLE, Headers, Said, read
from tests.support.proof.naive.rules import REASONS, Others, findings_of, labels_of, locked_before, switched_to

# Presses that the run made fail inside a rule. They are recognised by their content, so that both folds agree.
Breaks = Callable[[Said], bool]

_THIRTY_DAYS: Final = timedelta(days=30)
_CHANGES_OF_A_PRESS_MAX: Final = 100
_US: Final = timedelta(microseconds=1)
_START, _PAUSE, _RESUME, _STOP = TIMER_EVENTS


@dataclass(frozen=True)
class Habits:
    """What rules of a later release will do, so that the frame is tried before the rules are there.

    `auto_close` stops a timer whose interval has become so long, and finds R16.
    """

    auto_close: timedelta | None = None


@dataclass
class Book:
    """All that the fold knows of one partition."""

    kpart: int
    partitions: int
    habits: Habits = Habits()
    # Where the topic of policies ends: a press cannot know of a revision from here on.
    policies_end: int = 1 << 63
    next_offset: int = 0
    last_event_id: str | None = None
    last_log_time: datetime | None = None
    policy_rev: int = -1
    held: bool = False
    outcomes: list[Row] = field(default_factory=list)
    timers: dict[int, Row] = field(default_factory=dict)
    intervals: dict[int, list[Row]] = field(default_factory=dict)
    violations: dict[tuple[int, str, datetime], Row] = field(default_factory=dict)
    facts: dict[tuple[str, str, str, str], Row] = field(default_factory=dict)
    changed_after_lock: set[tuple[str, str, date]] = field(default_factory=set)


def fold_partition(
    kpart: int,
    records: Iterable[tuple[int, datetime, Headers, bytes | None]],
    policies: Mapping[str, list[tuple[int, Row]]],
    partitions: int,
    breaks: Breaks = lambda _: False,
    also: Mapping[str, str] | None = None,
    habits: Habits = Habits(),
    policies_end: int = 1 << 63,
) -> Book:
    """Fold one partition from the beginning, up to a record that only a newer release can read."""
    book = Book(kpart, partitions, habits, policies_end)
    for offset, log_time, headers, value in records:
        said = read(headers, value, also)
        if said == NEWER:
            book.held = True
            break
        if isinstance(said, str):
            assert said == UNREADABLE
            book.outcomes.append(blank(offset, log_time, book.policy_rev) | {"verdict": "unreadable"})
            book.last_event_id = None
        else:
            _fold_press(book, said | {"offset": offset, "log_time": log_time}, policies, breaks)
            book.last_event_id = said["event_id"]
        book.next_offset, book.last_log_time = offset + 1, log_time
    return book


def _fold_press(book: Book, press: Said, policies: Mapping[str, list[tuple[int, Row]]], breaks: Breaks) -> None:
    for kept in book.outcomes:
        if kept["event_id"] == press["event_id"] and press["log_time"] - kept["log_time"] < _THIRTY_DAYS:
            return  # known: answered again, or R24
    if "\0" in press.get("owner", ""):
        # Postgres refuses even to look for such an owner: SQLSTATE 22.
        _meet(book, press)
        book.outcomes.append(failed(press) | {"policy_rev": book.policy_rev})
        return
    if press["expires_at"] is not None and press["log_time"] > press["expires_at"]:
        return  # R22
    if press["kind"] == _START and press["subject"] in book.timers:
        return  # R21
    outcome = _judge(book, press, policies, breaks)
    if outcome is not None:
        _meet(book, press)
        book.outcomes.append(outcome | {"policy_rev": book.policy_rev})


def _meet(book: Book, press: Said) -> None:
    """Remember the highest revision that the partition has met. A revision that was never written does not count."""
    if press["policy_rev"] < book.policies_end:
        book.policy_rev = max(book.policy_rev, press["policy_rev"])


def _judge(book: Book, press: Said, policies: Mapping[str, list[tuple[int, Row]]], breaks: Breaks) -> Row | None:
    said = said_of(press)
    slot = (
        (press["subject"] >> 10) & 4095
        if press["kind"] in (_PAUSE, _RESUME, _STOP)
        else zlib.crc32(f"{press['tenant']}/{press['owner']}".encode()) % 4096
    )
    if slot % book.partitions != book.kpart or (press["kind"] == _START and (press["subject"] >> 10) & 4095 != slot):
        return said | {"verdict": "refused", "rule": "R23", "reason": "wrong_partition"}
    if press["policy_rev"] >= book.policies_end:
        return said | {"verdict": "refused", "rule": "R23", "reason": "no_such_policy"}
    revision = max(book.policy_rev, press["policy_rev"])
    known = [(rev, policy) for rev, policy in policies.get(press["tenant"], []) if rev <= revision]
    if not known:
        return said | {"verdict": "refused", "rule": "R23", "reason": "no_policy"}
    policy_revision, policy = known[-1]
    said["policy_revision"] = policy_revision
    timer = None if press["kind"] not in (_PAUSE, _RESUME, _STOP) else book.timers.get(press["subject"])
    if press["kind"] in (_PAUSE, _RESUME, _STOP) and (timer is None or timer["tenant"] != press["tenant"]):
        return said | {"verdict": "refused", "rule": "R05", "reason": REASONS["R05"]}
    if press["kind"] in TIMER_EVENTS and breaks(press):
        return failed(press)
    said["owner"] = press["owner"] if timer is None else timer["owner"]
    deadline = press["kind"] == "deadline.reached.v1"
    due = _fall_due(book, press, said, press["log_time"] if deadline else said["at"])
    if deadline and not due[0]:
        return None
    if deadline:
        said |= {"verdict": "accepted"}
    elif press["kind"] in TIMER_EVENTS:
        said = _press_timer(book, press, said, timer, policy)
    else:
        said = learn(book.facts, press, said)
    if said["reason"] == "internal":
        return said
    since = _fall_due(book, press, said, press["log_time"])
    said["findings"] = [*due[0], *said["findings"], *since[0]]
    said["changed"] = [*due[1], *said["changed"], *since[1]]
    pressed = book.timers.get(press["subject"])
    said["timer"] = None if pressed is None or press["kind"] not in TIMER_EVENTS else dict(pressed)
    return said


def _fall_due(book: Book, press: Said, said: Row, until: datetime) -> tuple[list[Row], list[Row]]:
    """Stop timers that ran for too long, the earliest first. Return the findings and the changes."""
    limit = book.habits.auto_close
    if limit is None:
        return [], []
    running = [
        (book.intervals[timer["id"]][-1]["start"] + limit, timer["id"])
        for timer in _timers_of(book, press["tenant"], said["owner"])
        if timer["state"] == "RUNNING"
    ]
    findings, changed = [], []
    for at, timer_id in sorted(running):
        if at <= until:
            findings.append({"timer_id": timer_id, "rule": "R16", "from": at, "to": None})
            findings[-1] |= {"amount_us": None, "refused": False}
            changed.append(_end(book, press, timer_id, at, "STOPPED", "settle", {"R16"}, None))
    _note(book, said, findings)
    return findings, changed


def _timers_of(book: Book, tenant: str, owner: str) -> list[Row]:
    return [timer for timer in book.timers.values() if (timer["tenant"], timer["owner"]) == (tenant, owner)]


def _press_timer(book: Book, press: Said, said: Row, timer: Row | None, policy: Row) -> Row:
    owner = said["owner"]
    at = said["at"] if timer is None else max(said["at"], timer["last_at"])
    said = said | {"at": at}
    profile = book.facts.get((press["tenant"], owner, "profile", ""))
    zone = (profile or {}).get("zone") or policy["zone"]
    again = press["kind"] == _STOP and timer is not None and timer["state"] == "STOPPED"
    intervals = [] if timer is None else book.intervals[timer["id"]]
    running = intervals[-1] if intervals and intervals[-1]["end"] is None else None
    others = [
        (other, book.intervals[other["id"]])
        for other in _timers_of(book, press["tenant"], owner)
        if other["id"] != press["subject"]
    ]
    who = {"owner": owner, "profile": profile}
    found = list(findings_of(press, timer, running, others, at, zone, policy, who))
    if again:  # a second stop is only asked whether the timer is the caller's
        found = [one for one in found if one["rule"] == "R06"]
    refusal = next((one for one in found if one["refused"]), None)
    if refusal is not None:
        _note(book, said, [refusal])
        return said | {
            "verdict": "refused",
            "rule": refusal["rule"],
            "reason": REASONS[refusal["rule"]],
            "findings": [refusal],
        }
    if again:
        return said | {"verdict": "accepted"}
    findings = sorted(found, key=lambda one: (one["rule"], one["from"]))
    flags = labels_of(press, policy) | {one["rule"] for one in findings}
    if timer is None and "\0" in f"{owner}{press['account_id']}{press['job_id']}{press['project_id']}":
        return failed(press)  # no text column takes it: SQLSTATE 22
    locked = locked_before(policy)
    switched = _switch(book, press, others, at, policy)
    changed = [*switched, _effect(book, press, timer, owner, at, zone, flags, locked)]
    _note(book, said, findings)
    return said | {"verdict": "accepted", "flags": sorted(flags), "findings": findings, "changed": changed}


def _switch(book: Book, press: Said, others: Others, at: datetime, policy: Row) -> list[Row]:
    to = switched_to(policy)
    if to is None or press["kind"] not in (_START, _RESUME):
        return []
    running = sorted((other for other, _ in others if other["state"] == "RUNNING"), key=lambda timer: int(timer["id"]))
    return [
        _end(book, press, other["id"], max(at, other["last_at"]), to, "switch", (), locked_before(policy))
        for other in running[: _CHANGES_OF_A_PRESS_MAX - 1]
    ]


def _effect(
    book: Book, press: Said, timer: Row | None, owner: str, at: datetime, zone: str, flags: set[str], locked: str | None
) -> Row:
    if press["kind"] == _PAUSE:
        return _end(book, press, press["subject"], at, "PAUSED", "press", flags, locked)
    if press["kind"] == _STOP:
        return _end(book, press, press["subject"], at, "STOPPED", "press", flags, locked)
    if timer is None:
        timer = {
            "id": press["subject"],
            "owner": owner,
            **{name: press[name] for name in ("account_id", "job_id", "project_id", "billable", "work_date")},
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
    book.intervals[timer["id"]].append({"start": at, "end": None, "zone": zone})
    opened = {"seq": len(book.intervals[timer["id"]]), "start": at, "zone": zone}
    return {"timer": timer["id"], "by": "press", "after": timer_of(timer), "opened": opened, "closed": None}


def _end(
    book: Book, press: Said, timer_id: int, at: datetime, state: str, by: str, flags: Iterable[str], locked: str | None
) -> Row:
    timer, intervals = book.timers[timer_id], book.intervals[timer_id]
    timer |= {"state": state, "last_at": at, "source_offset": press["offset"]}
    timer |= {"stopped_at": at if state == "STOPPED" else None, "flags": sorted({*timer["flags"], *flags})}
    closed, last = None, intervals[-1]
    if last["end"] is None:
        last["end"] = at
        timer["total_us"] = sum((i["end"] - i["start"]) // _US for i in intervals)
        days = [
            {"on": day, "us": us, "after_lock": locked is not None and day.isoformat() < locked}
            for day, us in days_between(last["start"], at, last["zone"])
        ]
        closed = {"seq": len(intervals), "start": last["start"], "end": at, "zone": last["zone"]}
        closed |= {"days": days, "was": None}
        whose = timer["tenant"], timer["owner"]
        worked_on = [day for day, _ in days_between(last["start"], at, last["zone"])]
        book.changed_after_lock |= {(*whose, day) for day in worked_on if locked is not None and str(day) < locked}
    return {"timer": timer_id, "by": by, "after": timer_of(timer), "opened": None, "closed": closed}


def _note(book: Book, said: Row, findings: list[Row]) -> None:
    for finding in findings:
        of = {name: said[name] for name in ("tenant", "owner", "event_id", "policy_revision")}
        known = book.violations.setdefault((finding["timer_id"], finding["rule"], finding["from"]), finding | of)
        known |= finding  # told again: the last telling counts, and what began it stays
