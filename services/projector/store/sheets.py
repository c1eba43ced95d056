"""Sheets: what `read_touched` returns, as timesheets and verdicts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.projector.domain.sheet.ledger import KnownOutcome, OwnerKey
from services.projector.domain.sheet.state import ClosedInterval, OpenInterval, Profile, Timer, Timesheet
from services.projector.ports import Found
from shared.events.outcome import TimerAfter


def found_in(row: Mapping[str, str | None]) -> Found:
    """Read the one row of `read_touched`: each column a JSON array, or nothing."""
    parts: dict[str, list[dict[str, Any]]] = {name: json.loads(text) if text else [] for name, text in row.items()}
    profiles = {_owner(profile): _profile(profile["body"]) for profile in parts["profiles"]}
    timers: dict[OwnerKey, dict[int, Timer]] = {}
    for timer in parts["timers"]:
        timers.setdefault(_owner(timer), {})[timer["id"]] = _timer(timer)
    closed: dict[OwnerKey, list[ClosedInterval]] = {}
    for worked in (*parts["closed"], *parts["overlaps"]):
        interval = ClosedInterval(worked["timer_id"], _instant(worked["start"]), _instant(worked["end"]))
        closed.setdefault(_owner(worked), []).append(interval)
    sheets: dict[OwnerKey, Timesheet] = {}
    for known in parts["owners"]:
        key, since = _owner(known), _instant(known["since"])
        sheets[key] = Timesheet(*key, profiles.get(key), timers.get(key, {}), tuple(closed.get(key, ())), since)
    verdicts = {
        (verdict["kpart"], UUID(verdict["event_id"])): KnownOutcome(
            verdict["digest"], _instant(verdict["log_time"]), verdict["body"].encode()
        )
        for verdict in parts["verdicts"]
    }
    return Found(sheets, verdicts)


def _owner(part: dict[str, Any]) -> OwnerKey:
    return part["tenant"], part["owner"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _profile(body: dict[str, Any]) -> Profile:
    return Profile(body.get("zone"), body.get("timers_disabled"), body.get("active"))


def _timer(timer: dict[str, Any]) -> Timer:
    opened = timer["open"]
    running = None if opened is None else OpenInterval(opened["seq"], _instant(opened["start"]), opened["zone"])
    return Timer(TimerAfter.model_validate(timer), running, timer["intervals"])
