"""Sheets: what `read_touched` returns, as timesheets and verdicts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.projector.domain.ledger import KnownOutcome, OwnerKey
from services.projector.domain.state import ClosedInterval, OpenInterval, Timer, Timesheet
from services.projector.ports import Found
from shared.events.outcome import TimerAfter


def found_in(row: Mapping[str, str | None]) -> Found:
    """Read the one row of `read_touched`: each column a JSON array, or nothing."""
    parts: dict[str, list[dict[str, Any]]] = {name: json.loads(text) if text else [] for name, text in row.items()}
    zones = {_owner(profile): profile["zone"] for profile in parts["profiles"]}
    timers: dict[OwnerKey, dict[int, Timer]] = {}
    for said in parts["timers"]:
        timers.setdefault(_owner(said), {})[said["id"]] = _timer(said)
    closed: dict[OwnerKey, list[ClosedInterval]] = {}
    for said in (*parts["closed"], *parts["overlaps"]):
        interval = ClosedInterval(said["timer_id"], _instant(said["start"]), _instant(said["end"]))
        closed.setdefault(_owner(said), []).append(interval)
    sheets: dict[OwnerKey, Timesheet] = {}
    for said in parts["owners"]:
        key, since = _owner(said), _instant(said["since"])
        sheets[key] = Timesheet(*key, zones.get(key), timers.get(key, {}), tuple(closed.get(key, ())), since)
    verdicts = {
        (said["kpart"], UUID(said["event_id"])): KnownOutcome(
            said["digest"], _instant(said["log_time"]), said["body"].encode()
        )
        for said in parts["verdicts"]
    }
    return Found(sheets, verdicts)


def _owner(said: dict[str, Any]) -> OwnerKey:
    return said["tenant"], said["owner"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _timer(said: dict[str, Any]) -> Timer:
    opened = said["open"]
    running = None if opened is None else OpenInterval(opened["seq"], _instant(opened["start"]), opened["zone"])
    return Timer(TimerAfter.model_validate(said), running, said["intervals"])
