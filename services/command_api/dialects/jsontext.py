"""JSON, written by hand: a few members of known kinds, in the published order, encoded once.

A library's encoder would turn exact seconds into floats, and a dict per answer costs more than its text.
"""

from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Final

NULL: Final = "null"


def quoted(text: str | None) -> str:
    """Return a JSON string, or null. Everything but quotes, backslashes and control characters stays as it is."""
    return NULL if text is None else encode_basestring(text)


def boolean(value: bool) -> str:  # noqa: FBT001 - a value to be written, not a switch
    """Return true or false."""
    return "true" if value else "false"


def array(elements: Iterable[str]) -> str:
    """Return an array of what is already JSON."""
    return f"[{','.join(elements)}]"


def members(*pairs: tuple[str, str]) -> str:
    """Return an object; names are ours and need no escape, values are already JSON."""
    return "{" + ",".join([f'"{name}":{value}' for name, value in pairs]) + "}"
