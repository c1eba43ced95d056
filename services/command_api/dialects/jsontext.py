"""JSON, without a model: read strictly, and written by hand.

Reading refuses text that two parsers may understand differently. A member given twice has two meanings (RFC 8259,
section 4), and a gateway in front of us may believe the other one. NaN and Infinity are not JSON at all.
Writing encodes a few members of known kinds once, in the published order. A library's encoder would turn exact
seconds into floats, and a dict per answer costs more than its text.
"""

import re
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Final

from pydantic_core import from_json

# A string, and the colon after it when it is a member's name. Possessive: each byte is looked at once.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"([ \t\r\n]*+:)?', re.DOTALL)

NULL: Final = "null"


def quoted(text: str | None) -> str:
    """Return a JSON string, or null. Only quotes, backslashes and control characters are escaped."""
    return NULL if text is None else encode_basestring(text)


def boolean(value: bool) -> str:  # noqa: FBT001 - a value to be written, not a switch
    """Return true or false."""
    return "true" if value else "false"


def array(elements: Iterable[str]) -> str:
    """Return an array; its items are already JSON."""
    return f"[{','.join(elements)}]"


def members(*pairs: tuple[str, str]) -> str:
    """Return an object. Its names are ours and need no escape; its values are already JSON."""
    return "{" + ",".join([f'"{name}":{value}' for name, value in pairs]) + "}"


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
