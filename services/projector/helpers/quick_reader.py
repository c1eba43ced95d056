"""The quick reader: reads outcomes as we write them in half the time, and leaves all others to `read_outcome`.

It believes a record only when what it read, written again, is the record, byte for byte. So it believes nothing but
what `write_outcome` of this release writes. In any doubt the word of `read_outcome` counts: members in another order,
an unknown member, another spelling of an instant, a fact, bytes that are no JSON.

msgspec makes the values, of kinds that are derived from the dataclasses of `shared/events/outcome.py` and have the same
members with equal values. They are read as outcomes are, but no outcome is equal to one of them. Ids of timers are text
to msgspec, and become numbers afterwards: it would call a function for each, both when it reads and when it writes.
"""

from dataclasses import is_dataclass
from datetime import date, datetime
from enum import EnumType
from functools import reduce
from operator import or_
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from shared.events.base import Day, Instant, TimerId
from shared.events.outcome import Fact, Outcome, read_outcome

# Without an offset it is no instant. One with another offset than ours is believed: it is the same instant.
_INSTANT: Final = Annotated[datetime, msgspec.Meta(tz=True)]
# What kinds of ours are to msgspec. A fact may hold anything, and is rare: it is left to `read_outcome`.
_KINDS: Final = ((Instant, _INSTANT), (Day, date), (TimerId, str), (Fact, None))
_THE_SAME: Final = (bool, int, str, date, UUID, NoneType)
# The days of the calendar that have instants which `base` refuses. East of Greenwich the second day is one of them.
_FIRST_DAYS: Final = b'"0001-01-0'
_LAST_DAY: Final = b'"9999-12-31'


def read_quickly(body: bytes) -> Outcome:
    """Return what `read_outcome` returns, or a value with the same members. Raises what `read_outcome` raises."""
    try:
        outcome = _DECODER.decode(body)
        # Into a buffer that stays: to make one for each record would take as long as to write the record.
        _ENCODER.encode_into(outcome, _WRITTEN)
        if body == _WRITTEN and _FIRST_DAYS not in body and _LAST_DAY not in body:
            _number_timers(outcome)
            return cast("Outcome", outcome)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # `read_outcome` says what is wrong, if anything is
    return read_outcome(body)


def _number_timers(outcome: Any) -> None:  # noqa: ANN401 - an outcome whose ids are text
    """Put numbers in the place of ids. Raises ValueError when one is written in another way than ours."""
    # Of nearly every outcome all ids are the pressed timer's.
    pressed = outcome.subject
    number = outcome.subject = None if pressed is None else _number(pressed)
    if (timer := outcome.timer) is not None:
        timer.id = number if timer.id == pressed else _number(timer.id)
    for change in outcome.changed:
        after = change.after
        change.timer = number if change.timer == pressed else _number(change.timer)
        after.id = number if after.id == pressed else _number(after.id)
    for finding in outcome.findings:
        finding.timer_id = number if finding.timer_id == pressed else _number(finding.timer_id)


def _number(text: str) -> int:
    number = int(text)
    if str(number) != text:
        raise ValueError
    return number


def _struct_of(kind: type[Any]) -> type[msgspec.Struct]:
    members: list[tuple[str, Any, Any]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        type_, said = _told_apart(hint)
        # No other member has a default, so no other one may be absent, or is left out when it is None.
        absent = None if any(one.exclude_if for one in said) else msgspec.NODEFAULT
        alias = next((one.alias for one in said if one.alias), name)
        members.append((name, type_, msgspec.field(default=absent, name=alias)))
    return msgspec.defstruct(
        kind.__name__, members, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
    )


def _told_apart(hint: Any) -> tuple[Any, list[FieldInfo]]:  # noqa: ANN401 - whatever an annotation may be
    """Return what a member is to msgspec, and what its annotation says of the member itself."""
    said = [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, FieldInfo)]
    if not said:
        return _type_of(hint), said
    if any(one.metadata for one in said):
        raise TypeError(f"the quick reader does not know {hint}")
    kind, *others = (one for one in get_args(hint) if one not in said)
    return _type_of(Annotated[kind, *others] if others else kind), said


def _type_of(hint: Any) -> Any:  # noqa: ANN401 - the same
    """Return what a kind is to msgspec. Raises TypeError for one that could be read in two ways."""
    for kind, type_ in _KINDS:
        if hint == kind:
            return type_
    match get_origin(hint), get_args(hint):
        case None, () if is_dataclass(hint):
            return _struct_of(cast("type[Any]", hint))
        case None, () if hint in _THE_SAME or isinstance(hint, EnumType):
            return hint
        case origin, _ if origin is Literal:
            return hint
        case origin, kinds if origin in (Union, UnionType):
            return reduce(or_, map(_type_of, kinds))
        case origin, (kind, _) if origin is tuple:
            return GenericAlias(tuple, (_type_of(kind), ...))
        case origin, (kind, StringConstraints() as lengths) if origin is Annotated and kind is str:
            known = StringConstraints(min_length=lengths.min_length, max_length=lengths.max_length)
            if lengths == known:
                return Annotated[str, msgspec.Meta(min_length=lengths.min_length, max_length=lengths.max_length)]
    raise TypeError(f"the quick reader does not know {hint}")


_DECODER: Final = msgspec.json.Decoder(_struct_of(Outcome))
_ENCODER: Final = msgspec.json.Encoder()
_WRITTEN: Final = bytearray()
