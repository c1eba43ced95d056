"""What a record says, read by hand: no models, no validators, only `docs/contract.md` §7 and `docs/events.md`."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

TIMER_EVENTS: Final = ("timer.started.v1", "timer.paused.v1", "timer.resumed.v1", "timer.stopped.v1")
_NEWER: Final = re.compile(r"(timer|owner|deadline)\.[a-z_]+\.v[0-9]+")

_ACTOR: Final = {"client", "person", "role"}
_ROLES: Final = {"machine", "person", "admin", "system"}

UNREADABLE: Final = "unreadable"
NEWER: Final = "newer"

# The dates that every part of the system can hold.
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

Headers = Sequence[tuple[str, bytes | None]]
Said = dict[str, Any]


def read(headers: Headers, value: bytes | None, also: Mapping[str, str] | None = None) -> Said | str:
    """Return what the press says, or UNREADABLE, or NEWER. `also` names types that a later release reads, as which."""
    text = _texts(headers)
    said_type = text.get("ce_type", "")
    as_type = (also or {}).get(said_type, said_type)
    if as_type not in _FIELDS:
        return NEWER if _NEWER.fullmatch(said_type) else UNREADABLE
    try:
        press = _envelope(text)
        body = json.loads((value or b"").decode())
        fields = _FIELDS[as_type]
        for name, (needed, understand) in fields.items():
            given = body.get(name)
            if name not in body and needed:
                return UNREADABLE
            press[name] = _DEFAULT.get(name) if given is None and not needed else understand(given)
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError, RecursionError):
        return UNREADABLE
    if as_type in TIMER_EVENTS and press["subject"] is None:
        return UNREADABLE
    if as_type not in TIMER_EVENTS:
        press["subject"] = None  # it is about an owner
    if as_type == "deadline.reached.v1" and press["expires_at"] is None:
        return UNREADABLE
    if set(body) - set(fields) or set(body["actor"]) - _ACTOR or press["actor"]["role"] not in _ROLES:
        return NEWER
    return press | {"kind": as_type}


def _texts(headers: Headers) -> dict[str, str]:
    found = {}
    for name, value in headers:
        try:
            found[name] = (value or b"").decode()
        except UnicodeDecodeError:
            continue
        if value is None:
            found.pop(name, None)
    return found


def _envelope(text: dict[str, str]) -> Said:
    expiry, subject = text.get("ce_expirytime"), text.get("ce_subject")
    if subject is not None and not 0 <= int(subject) < 2**63:
        raise ValueError(subject)
    return {
        "event_id": str(UUID(text["ce_id"])),
        "event_type": text["ce_type"],
        "recorded_at": _moment(text["ce_time"]),
        "policy_rev": int(text["ce_policyrev"]),
        "subject": None if subject is None else int(subject),
        "expires_at": None if expiry is None else _moment(expiry),
    }


def _moment(given: str) -> datetime:
    moment = datetime.fromisoformat(given)
    if moment.tzinfo is None or not _FIRST <= moment.astimezone(UTC) <= _LAST:
        raise ValueError(given)
    return moment.astimezone(UTC)


def _day(given: str) -> date:
    day = date.fromisoformat(given)
    if not _FIRST.date() <= day < _LAST.date():
        raise ValueError(given)
    return day


def _text(longest: int) -> Callable[[Any], str]:
    def understand(given: Any) -> str:  # noqa: ANN401 - anything may be there
        if not isinstance(given, str) or not 1 <= len(given) <= longest:
            raise ValueError
        given.encode()  # raises on a lone surrogate, which is no text
        return given

    return understand


def _plain(given: str) -> str:
    if not 1 <= len(given) <= 128 or any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in given):
        raise ValueError
    given.encode()
    return given


def _code(given: str) -> str:
    if not re.fullmatch(r"[-_a-zA-Z0-9]{1,32}", given):
        raise ValueError
    return given


def _tenant(given: str) -> str:
    if not re.fullmatch(r"[^/\x00-\x1f]{1,64}", given):
        raise ValueError
    return given


def _digest(given: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", given):
        raise ValueError
    return given


def _actor(given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given["role"], str):
        raise ValueError  # noqa: TRY004 - every no of this module is a ValueError
    if not isinstance(given["client"], str) or not isinstance(given.get("person"), str | None):
        raise ValueError  # noqa: TRY004 - every no of this module is a ValueError
    return {"client": given["client"], "person": given.get("person"), "role": given["role"]}


def _word(given: Any) -> str:  # noqa: ANN401 - as above
    if not isinstance(given, str):
        raise ValueError  # noqa: TRY004 - as above
    return given


def _yes_or_no(given: Any) -> bool:  # noqa: ANN401 - as above
    if not isinstance(given, bool):
        raise ValueError  # noqa: TRY004 - as above
    return given


def _count(given: Any) -> int:  # noqa: ANN401 - as above
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError
    return given


_DEFAULT: Final = {"billable": True, "zone_assumed": False}
_Fields = dict[str, tuple[bool, Callable[[Any], Any]]]
_COMMON: Final[_Fields] = {
    "tenant": (True, _tenant),
    "actor": (True, _actor),
    "dialect": (True, _word),
    "digest": (True, _digest),
    "asked_at": (False, _moment),
}
_OWNER: Final[_Fields] = _COMMON | {"owner": (True, _text(128))}
_FIELDS: Final[dict[str, _Fields]] = {
    "timer.started.v1": _OWNER
    | {name: (False, _text(128)) for name in ("account_id", "job_id", "project_id")}
    | {"billable": (False, _yes_or_no), "work_date": (False, _day), "zone_assumed": (False, _yes_or_no)}
    | {"reference": (False, _plain)},
    "timer.paused.v1": _COMMON | {"reason": (False, _code)},
    "timer.resumed.v1": _COMMON,
    "timer.stopped.v1": _COMMON,
    "owner.profile_set.v1": _OWNER
    | {"zone": (False, _word), "timers_disabled": (False, _yes_or_no), "active": (False, _yes_or_no)},
    "owner.leave_granted.v1": _OWNER | {"on": (True, _day)},
    "owner.leave_revoked.v1": _OWNER | {"on": (True, _day)},
    "owner.attendance_recorded.v1": _OWNER
    | {"on": (True, _day), "checked_in_at": (True, _moment), "checked_out_at": (False, _moment)},
    "owner.estimate_set.v1": _OWNER | {"job_id": (True, _text(128)), "seconds": (True, _count)},
    "owner.texts_erased.v1": _OWNER,
    "deadline.reached.v1": _OWNER,
}
