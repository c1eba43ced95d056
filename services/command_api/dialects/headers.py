"""Headers that mean the same in every dialect. They are read here, and never written back.

A single-value header that is sent twice counts as absent: a gateway in front of us may believe the other one.
"""

import re
from typing import Final

from starlette.requests import Request

from services.command_api.desk.commands import Position
from services.command_api.dialects.malformed import Malformed
from shared.events.rules import Rule

KEY_LENGTH_MAX: Final = 255
WAIT_SECONDS_MAX: Final = 30.0

_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Partitions and offsets as Postgres keeps them: integer and bigint, with one digit less than their maximum.
_POSITION: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})", re.ASCII)
_WAIT: Final = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*(?:;.*)?", re.IGNORECASE | re.ASCII)


def _given(request: Request, name: bytes) -> list[str]:
    """Return the values of a header, in order. Servers hand names over in lower case, and `name` is in it too."""
    return [value.decode("latin-1") for key, value in request.scope["headers"] if key == name]


def authorization(request: Request) -> str | None:
    """Return the Authorization header, None when there is none, or more than one."""
    given = _given(request, b"authorization")
    return given[0] if len(given) == 1 else None


def idempotency_key(request: Request) -> str | Malformed | None:
    """Return the Idempotency-Key, None when there is none: 1 to 255 printable ASCII characters.

    An empty one is malformed, because a caller that sends it believes that a retry is safe.
    """
    given = _given(request, b"idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not is_key(given[0]):
        return Malformed(Rule.VALUE_INVALID, "Idempotency-Key")
    return given[0]


def is_key(text: str) -> bool:
    """Return whether `text` can be an idempotency key."""
    return len(text) <= KEY_LENGTH_MAX and _KEY.fullmatch(text) is not None


def parse_position(text: str) -> Position | None:
    """Return the position that "partition:offset" names, or None when `text` is no position."""
    match = _POSITION.fullmatch(text)
    return None if match is None else Position(int(match[1]), int(match[2]))


def min_position(request: Request) -> Position | Malformed | None:
    """Return the position of `X-Min-Position`, which the read models must have passed. None when there is none."""
    given = _given(request, b"x-min-position")
    if not given:
        return None
    wanted = parse_position(given[0]) if len(given) == 1 else None
    return wanted or Malformed(Rule.VALUE_INVALID, "X-Min-Position")


def traceparent(request: Request) -> str | None:
    """Return the W3C trace context, None when it is missing or malformed: no press is refused because of its trace."""
    given = _given(request, b"traceparent")
    return given[0] if len(given) == 1 and is_traceparent(given[0]) else None


def is_traceparent(text: str) -> bool:
    """Return whether `text` is a W3C trace context."""
    return _TRACEPARENT.fullmatch(text) is not None


def preferred_wait(request: Request) -> float | None:
    """Return the seconds of `Prefer: wait=n`, at most 30, or None. A malformed preference is ignored (RFC 7240)."""
    for given in _given(request, b"prefer"):
        for preference in given.split(","):
            match = _WAIT.fullmatch(preference)
            if match is not None:
                return min(float(match[1]), WAIT_SECONDS_MAX)
    return None
