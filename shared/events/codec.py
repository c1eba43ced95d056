"""Reading and writing presses: what a record on `timer.events.v1` holds, or why it does not read."""

import re
from typing import Final

from pydantic import ValidationError

from .envelope import Envelope, Headers, MalformedEnvelopeError, decode_headers, tolerant
from .models import (
    BODY_OF,
    AnyEvent,
    DeadlineReached,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from .value import replace, value

_SHAPE_OF_A_TYPE: Final = re.compile(r"(timer|owner|deadline)\.[a-z_]+\.v[0-9]+")
# The errors that a record of a later release may cause: an unknown field, or an unknown word.
_LATER: Final = {"extra_forbidden", "literal_error", "enum"}
_NEEDS_A_TIMER: Final = (TimerStarted, TimerPaused, TimerResumed, TimerStopped)


@value
class Press:
    """One event with its envelope: the fact that a caller pressed."""

    envelope: Envelope
    event: AnyEvent


@value
class Unreadable:
    """No release can read it: a dead letter. `reason` is a code and a place, and quotes nothing of the record."""

    reason: str


@value
class Newer:
    """Written for a newer release than this one. The record is right and we are old: wait for the upgrade."""

    type: str


def write_body(event: AnyEvent) -> bytes:
    """Return the body of the record. Fields at their defaults are left out."""
    return event.__pydantic_serializer__.to_json(event, exclude_defaults=True)


def read(headers: Headers, value: bytes | None) -> Press | Unreadable | Newer:
    """Return what a record holds. Never raises: one bad record must not stop its neighbours."""
    text = tolerant(headers)
    type_ = text.get("ce_type", "")
    body = BODY_OF.get(type_)
    if body is None:
        return Newer(type_) if _SHAPE_OF_A_TYPE.fullmatch(type_) else Unreadable("unknown_type")
    if value is None:
        return Unreadable("no_body")
    try:
        press = Press(decode_headers(text), body.validate_json(value))
    except MalformedEnvelopeError as error:
        return Unreadable(f"envelope: {error}")
    except ValidationError as error:
        return _newer_or_unreadable(type_, error)
    if isinstance(press.event, DeadlineReached) and press.envelope.expires_at is None:
        return Unreadable("envelope: header ce_expirytime is missing")
    if isinstance(press.event, _NEEDS_A_TIMER):
        return press if press.envelope.subject is not None else Unreadable("envelope: header ce_subject is missing")
    # It is about an owner. With a timer, its outcome and that timer's history would tell of a press on it.
    return press if press.envelope.subject is None else Press(replace(press.envelope, subject=None), press.event)


def _newer_or_unreadable(type_: str, error: ValidationError) -> Newer | Unreadable:
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    known = next((problem for problem in problems if problem["type"] not in _LATER), None)
    if known is None:
        return Newer(type_)
    # The name of an unknown field is text of the record, so only known places are named.
    return Unreadable(f"body: {known['type']} at {'.'.join(map(str, known['loc']))}"[:200])
