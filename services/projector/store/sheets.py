"""Sheets: what `read_touched` returns, as timesheets and verdicts."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.projector.domain.sheet.evolve import learned
from services.projector.domain.sheet.jobs import Job
from services.projector.domain.sheet.ledger import KnownOutcome, OwnerKey
from services.projector.domain.sheet.state import (
    ClosedInterval,
    DayWorked,
    FoundOpen,
    OpenInterval,
    Profile,
    ProvisionalEnd,
    Timer,
    Timesheet,
)
from services.projector.ports import Found
from shared.events.outcome import DayPart, Fact, TimerAfter, digest_of_body
from shared.packing.bodies import DamagedBodyError, body_of

# One element of a JSON array.
_Part = dict[str, Any]

_TIMER: Final = TypeAdapter(TimerAfter)
_DAYS: Final = TypeAdapter(tuple[DayPart, ...])
# The columns whose rows belong to one owner.
_OF_AN_OWNER: Final = ("profiles", "timers", "closed", "overlaps", "days", "facts", "jobs")


def found_in(row: Mapping[str, str | None]) -> Found:
    """Return what the one row of `read_touched` says: each of its columns is a JSON array, or null."""
    parts: dict[str, list[_Part]] = {name: json.loads(text) if text else [] for name, text in row.items()}
    found = _found(parts["found"])
    verdicts = {
        (verdict["kpart"], UUID(verdict["event_id"])): _known(verdict, _instant(verdict["log_time"]))
        for verdict in parts["verdicts"]
    }
    by_owner = {name: _by_owner(parts[name]) for name in _OF_AN_OWNER}
    sheets = {
        _owner(owner): _sheet(owner, {name: of.get(_owner(owner), []) for name, of in by_owner.items()}, found)
        for owner in parts["owners"]
    }
    return Found(sheets, verdicts)


def _sheet(owner: _Part, parts: Mapping[str, list[_Part]], found: Mapping[int, tuple[FoundOpen, ...]]) -> Timesheet:
    # An interval that a press of long ago overlaps may be there twice.
    closed = dict.fromkeys(_interval(ended) for ended in (*parts["closed"], *parts["overlaps"]))
    sheet = Timesheet(
        *_owner(owner),
        next((_profile(profile["body"]) for profile in parts["profiles"]), None),
        {timer["id"]: _timer(timer, found.get(timer["id"], ())) for timer in parts["timers"]},
        tuple(closed),
        _instant(owner["since"]),
        {date.fromisoformat(day["day"]): DayWorked(day["total_us"], day["billable_us"]) for day in parts["days"]},
        days_since=date.fromisoformat(owner["days_since"]),
        jobs={job["job_id"]: Job(job["total_us"]) for job in parts["jobs"]},
        all_jobs=False,
    )
    for fact in parts["facts"]:
        stated = Fact(kind=fact["kind"], about=fact["about"], body=fact["body"])
        sheet = learned(sheet, stated, _instant(fact["known_at"]))
    return sheet


def _by_owner(rows: Iterable[_Part]) -> Mapping[OwnerKey, list[_Part]]:
    by_owner: dict[OwnerKey, list[_Part]] = {}
    for row in rows:
        by_owner.setdefault(_owner(row), []).append(row)
    return by_owner


def _known(verdict: _Part, log_time: datetime) -> KnownOutcome:
    packed = verdict["packed"]
    try:
        body = body_of(verdict["body"], None if packed is None else b64decode(packed))
        return KnownOutcome(digest_of_body(body), log_time, body.encode())
    except (DamagedBodyError, ValidationError):
        # No retry makes the row readable, and the presses behind this one must not wait.
        return KnownOutcome(None, log_time, b"")


def _owner(part: _Part) -> OwnerKey:
    return part["tenant"], part["owner"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _profile(body: _Part) -> Profile:
    return Profile(body.get("zone"), body.get("timers_disabled"), body.get("active"))


def _found(findings: list[_Part]) -> dict[int, tuple[FoundOpen, ...]]:
    found: dict[int, tuple[FoundOpen, ...]] = {}
    for finding in findings:
        to = None if finding["to"] is None else _instant(finding["to"])
        told = FoundOpen(finding["rule"], _instant(finding["from"]), to)
        found[finding["timer_id"]] = (*found.get(finding["timer_id"], ()), told)
    return found


def _interval(ended: _Part) -> ClosedInterval:
    start, end = _instant(ended["start"]), _instant(ended["end"])
    return ClosedInterval(ended["timer_id"], start, end, ended["zone"], ended["billable"], ended["job_id"])


def _timer(timer: _Part, found: tuple[FoundOpen, ...]) -> Timer:
    after, last = _TIMER.validate_python(timer), timer["last"]
    if last is None:
        return Timer(after, None, timer["intervals"])
    interval = OpenInterval(last["seq"], _instant(last["start"]), last["zone"], _instant(last["logged_at"]), found)
    if (end := timer["end"]) is None:
        return Timer(after, interval, timer["intervals"])
    provisional = ProvisionalEnd(interval, _instant(end["at"]), _DAYS.validate_python(end["days"]))
    return Timer(after, None, timer["intervals"], provisional)
