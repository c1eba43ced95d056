"""JSON, without a model: read strictly, and written exactly.

Reading refuses text that two parsers may understand differently. A member given twice has two meanings (RFC 8259,
section 4), and a gateway in front of us may believe the other one. NaN and Infinity are not JSON at all.
Writing is orjson's, of a dict in the published order. Seconds go into it as text, because a float is not exact.
"""

import re
from typing import Final

import orjson
from pydantic_core import from_json

from shared.events.durations import seconds_text

# A string, and the colon after it when it is a member's name. Possessive: each byte is looked at once.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\r\n]*+:)?', re.DOTALL)


def written(value: object) -> bytes:
    """Return a value as JSON, its members in their order. Floats have no place in an answer: see `seconds`."""
    return orjson.dumps(value)


def seconds(us: int) -> orjson.Fragment:
    """Return microseconds as exact seconds, a number of at most six decimals that was never a float."""
    return orjson.Fragment(seconds_text(us))


def read_json(body: bytes) -> object:
    """Return the value of `body`. Raises ValueError when it is not JSON, or gives a member twice at any depth.

    Integers are exact. Bytes that are not UTF-8, a lone surrogate and some 200 levels of nesting are not JSON either.
    """
    value: object = from_json(body, allow_inf_nan=False)
    # The parser keeps the last of two members, so the text then has more names than the value. Names are never
    # more than colons, so most bodies need no closer look.
    members = _members(value)
    if body.count(b":") != members and sum(map(bool, _STRING.findall(body))) != members:
        raise ValueError("a member is given twice")
    return value


def _members(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_members(inner) for inner in value.values() if isinstance(inner, (dict, list)))
    if isinstance(value, list):
        return sum(map(_members, value))
    return 0
