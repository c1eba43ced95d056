"""The naive fold's outcomes: `docs/contract.md` §9, field by field, and how each value is written."""

import json
from datetime import UTC, date, datetime
from typing import Any, Final

Row = dict[str, Any]

ORDER: Final = (
    *("v", "source_offset", "event_id", "event_type", "subject", "tenant", "owner", "actor", "dialect", "digest"),
    *("recorded_at", "log_time", "asked_at", "at", "policy_rev", "policy_revision", "verdict", "rule", "reason"),
    *("flags", "findings", "timer", "changed", "fact", "due"),
)
_TIMER: Final = (
    *("id", "owner", "account_id", "job_id", "project_id", "billable", "work_date", "state"),
    *("started_at", "stopped_at", "total_us", "last_at", "flags"),
)
_IDS: Final = ("subject", "timer_id", "id", "timer")


def blank(offset: int, log_time: datetime, policy_rev: int) -> Row:
    """Return an outcome that says only that there was a record."""
    nothing = dict.fromkeys(ORDER)
    lists: Row = {"flags": [], "findings": [], "changed": []}
    return nothing | lists | {"v": 1, "source_offset": offset, "log_time": log_time, "policy_rev": policy_rev}


def said_of(press: Row) -> Row:
    """Return the fields that an outcome has from its press with any verdict."""
    said = blank(press["offset"], press["log_time"], -1)
    same = ("event_id", "event_type", "subject", "tenant", "actor", "dialect", "digest", "recorded_at", "asked_at")
    said |= {name: press[name] for name in same}
    said["at"] = min(press["asked_at"] or press["recorded_at"], press["log_time"])
    return said


def failed(press: Row) -> Row:
    """Return R23 `internal`, which names only the event and its actor."""
    said = blank(press["offset"], press["log_time"], -1)
    said |= {name: press[name] for name in ("event_id", "event_type", "subject", "tenant", "actor", "digest")}
    return said | {"verdict": "refused", "rule": "R23", "reason": "internal"}


def body(outcome: Row) -> str:
    """Return the bytes of an outcome, as text."""
    whole = {name: outcome[name] for name in ORDER}
    if whole["timer"] is not None:
        whole["timer"] = timer_of(whole["timer"])
    return json.dumps(_written(whole), ensure_ascii=False, separators=(",", ":"))


def timer_of(timer: Row) -> Row:
    """Return a timer as an outcome says it, at this moment of the fold. A reference is told only when there is one."""
    reference = {} if timer["reference"] is None else {"reference": timer["reference"]}
    return {name: timer[name] for name in _TIMER} | reference


def shown(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    """Return one value as JSON has it."""
    match value:
        case datetime():
            # RFC 3339, and six decimals or none.
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date():
            return value.isoformat()
        case _:
            return value


def _written(value: Any, name: str = "") -> Any:  # noqa: ANN401 - as above
    match value:
        case dict():
            return {key: _written(inner, key) for key, inner in value.items()}
        case list():
            return [_written(inner) for inner in value]
        case int() if name in _IDS and not isinstance(value, bool):
            return str(value)  # ids are decimal text: many readers lose digits past 2^53
        case _:
            return shown(value)
