"""Plain: what callers wrote, printed so that it does not drive the operator's terminal.

An alias, an owner or a policy's author is a caller's own text, and may hold what a terminal obeys: a sequence that
takes lines back, sets the window's title, or answers in the operator's place.
"""

import re
from typing import Final

# The last of them are escape sequences in one character. Ends of lines and tabs are ours as well.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BREAKS: Final = re.compile(r"[\t\n]")


def plain(text: str) -> str:
    r"""Return a text with its control characters spelt as JSON spells them, such as `\u001b`. JSON stays the same."""
    return _CONTROLS.sub(_spelt, text)


def plain_cell(text: str) -> str:
    """Return the same for a cell of a list, which has one line."""
    return _BREAKS.sub(_spelt, plain(text))


def _spelt(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
