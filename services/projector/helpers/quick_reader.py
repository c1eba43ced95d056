"""The quick reader: reads outcomes as we write them in half the time, and leaves all others to `read_outcome`.

It accepts a record only when what it read, written again, is the record, byte for byte. So it accepts nothing but what
`write_outcome` of this release writes. All else is read by `read_outcome`: members in another order, an unknown member,
another spelling of an instant, a fact, bytes that are no JSON.

msgspec makes the values. Their classes are derived from the dataclasses of `shared/events/outcome.py`: the members are
the same and have equal values, but such a value is not equal to an `Outcome`. To msgspec ids of timers are text, and
they become numbers afterwards: msgspec would call a Python function for each id, to read it and to write it.
"""

from collections.abc import Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import EnumType
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from shared.events.base import Day, Instant, TimerId
from shared.events.outcome import Fact, Outcome, read_outcome

# A time without an offset is refused. One with another offset than ours is accepted: it is the same instant.
_INSTANT: Final = Annotated[datetime, msgspec.Meta(tz=True)]
# Our types, and what each is to msgspec. A fact may hold anything, and is rare: `read_outcome` reads it.
_KINDS: Final = ((Instant, _INSTANT), (Day, date), (TimerId, str), (Fact, None))
_AS_THEY_ARE: Final = (bool, int, str, date, UUID, NoneType)
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
    """Replace ids by numbers. Raises ValueError when one is spelt in another way than ours."""
    # In nearly every outcome all ids are the pressed timer's.
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
        type_, notes = _type_and_notes(hint)
        # No other member has a default, so no other one may be absent, or is left out when it is None.
        absent = None if any(note.exclude_if for note in notes) else msgspec.NODEFAULT
        alias = next((note.alias for note in notes if note.alias), name)
        members.append((name, type_, msgspec.field(default=absent, name=alias)))
    return msgspec.defstruct(
        kind.__name__, members, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
    )


def _type_and_notes(hint: Any) -> tuple[Any, list[FieldInfo]]:  # noqa: ANN401 - whatever an annotation may be
    """Return what a member is to msgspec, and pydantic's notes on it: its alias, and when it is left out."""
    notes = [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, FieldInfo)]
    if not notes:
        return _type_of(hint), notes
    if any(note.metadata for note in notes):
        raise TypeError(f"the quick reader does not know {hint}")
    kind, *others = (one for one in get_args(hint) if one not in notes)
    return _type_of(Annotated[kind, *others] if others else kind), notes


def _type_of(hint: Any) -> Any:  # noqa: ANN401 - the same
    """Return what a type is to msgspec. Raises TypeError for one that could be read in two ways."""
    for kind, type_ in _KINDS:
        if hint == kind:
            return type_
    match get_origin(hint), get_args(hint):
        case None, () if is_dataclass(hint):
            return _struct_of(cast("type[Any]", hint))
        case None, () if hint in _AS_THEY_ARE or isinstance(hint, EnumType):
            return hint
        case origin, _ if origin is Literal:
            return hint
        case origin, kinds if origin in (Union, UnionType):
            return _union_of([_type_of(kind) for kind in kinds])
        case origin, (kind, _) if origin is tuple:
            return GenericAlias(tuple, (_type_of(kind), ...))
        case origin, (kind, StringConstraints() as lengths) if origin is Annotated and kind is str:
            known = StringConstraints(min_length=lengths.min_length, max_length=lengths.max_length)
            if lengths == known:
                return Annotated[str, msgspec.Meta(min_length=lengths.min_length, max_length=lengths.max_length)]
    raise TypeError(f"the quick reader does not know {hint}")


def _union_of(types: Sequence[Any]) -> Any:  # noqa: ANN401 - the same
    union = types[0]
    for type_ in types[1:]:
        union |= type_
    return union


_DECODER: Final = msgspec.json.Decoder(_struct_of(Outcome))
_ENCODER: Final = msgspec.json.Encoder()
_WRITTEN: Final = bytearray()
