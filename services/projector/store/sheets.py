"""Sheets: what `read_touched` returns, as timesheets and verdicts."""

import json
from base64 import b64decode
from collections.abc import Mapping
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

_TIMER: Final = TypeAdapter(TimerAfter)
_DAYS: Final = TypeAdapter(tuple[DayPart, ...])


def found_in(row: Mapping[str, str | None]) -> Found:
    """Return what the one row of `read_touched` says: each of its columns is a JSON array, or null."""
    parts: dict[str, list[dict[str, Any]]] = {name: json.loads(text) if text else [] for name, text in row.items()}
    profiles = {_owner(profile): _profile(profile["body"]) for profile in parts["profiles"]}
    found = _found(parts["found"])
    timers: dict[OwnerKey, dict[int, Timer]] = {}
    for timer in parts["timers"]:
        timers.setdefault(_owner(timer), {})[timer["id"]] = _timer(timer, found.get(timer["id"], ()))
    # An interval that a press of long ago overlaps may be there twice.
    closed: dict[OwnerKey, dict[ClosedInterval, None]] = {}
    for ended in (*parts["closed"], *parts["overlaps"]):
        closed.setdefault(_owner(ended), {})[_interval(ended)] = None
    jobs: dict[OwnerKey, dict[str, Job]] = {}
    for job in parts["jobs"]:
        jobs.setdefault(_owner(job), {})[job["job_id"]] = Job(job["total_us"])
    sheets: dict[OwnerKey, Timesheet] = {}
    for known in parts["owners"]:
        key, since = _owner(known), _instant(known["since"])
        worked = [day for day in parts["days"] if _owner(day) == key]
        sheet = Timesheet(
            *key,
            profiles.get(key),
            timers.get(key, {}),
            tuple(closed.get(key, ())),
            since,
            {date.fromisoformat(day["day"]): DayWorked(day["total_us"], day["billable_us"]) for day in worked},
            days_since=date.fromisoformat(known["days_since"]),
            jobs=jobs.get(key, {}),
            all_jobs=False,
        )
        for fact in parts["facts"]:
            if _owner(fact) == key:
                sheet = learned(
                    sheet, Fact(kind=fact["kind"], about=fact["about"], body=fact["body"]), _instant(fact["known_at"])
                )
        sheets[key] = sheet
    verdicts = {
        (verdict["kpart"], UUID(verdict["event_id"])): _known(verdict, _instant(verdict["log_time"]))
        for verdict in parts["verdicts"]
    }
    return Found(sheets, verdicts)


def _known(verdict: dict[str, Any], log_time: datetime) -> KnownOutcome:
    packed = verdict["packed"]
    try:
        body = body_of(verdict["body"], None if packed is None else b64decode(packed))
        return KnownOutcome(digest_of_body(body), log_time, body.encode())
    except (DamagedBodyError, ValidationError):
        # No retry makes the row readable, and the presses behind this one must not wait.
        return KnownOutcome(None, log_time, b"")


def _owner(part: dict[str, Any]) -> OwnerKey:
    return part["tenant"], part["owner"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _profile(body: dict[str, Any]) -> Profile:
    return Profile(body.get("zone"), body.get("timers_disabled"), body.get("active"))


def _found(rows: list[dict[str, Any]]) -> dict[int, tuple[FoundOpen, ...]]:
    found: dict[int, tuple[FoundOpen, ...]] = {}
    for row in rows:
        to = None if row["to"] is None else _instant(row["to"])
        told = FoundOpen(row["rule"], _instant(row["from"]), to)
        found[row["timer_id"]] = (*found.get(row["timer_id"], ()), told)
    return found


def _interval(ended: dict[str, Any]) -> ClosedInterval:
    start, end = _instant(ended["start"]), _instant(ended["end"])
    return ClosedInterval(ended["timer_id"], start, end, ended["zone"], ended["billable"], ended["job_id"])


def _timer(timer: dict[str, Any], found: tuple[FoundOpen, ...]) -> Timer:
    after, last = _TIMER.validate_python(timer), timer["last"]
    if last is None:
        return Timer(after, None, timer["intervals"])
    interval = OpenInterval(last["seq"], _instant(last["start"]), last["zone"], _instant(last["logged_at"]), found)
    if (end := timer["end"]) is None:
        return Timer(after, interval, timer["intervals"])
    provisional = ProvisionalEnd(interval, _instant(end["at"]), _DAYS.validate_python(end["days"]))
    return Timer(after, None, timer["intervals"], provisional)
