"""Lines: what a line of a timer's history says, in fewer words, and whole again.

Lines are kept for ever, one for each press. So a line leaves out what is not there, and what every accepted press of
its kind says: that it was accepted, and the state that it makes.
"""

from collections.abc import Mapping
from typing import Any, Final

_ACCEPTED: Final[dict[str, Any]] = {"verdict": "accepted"}
_MAKES: Final = {"start": "RUNNING", "pause": "PAUSED", "resume": "RUNNING", "stop": "STOPPED"}


def shortened(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be written of a line, with its members in their order."""
    usual = _usual(line["what"]) if line["verdict"] == "accepted" else {}
    return {name: value for name, value in line.items() if value is not None and value != usual.get(name)}


def whole(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that a line says. A release of before wrote the client, the person and the role as one `actor`."""
    usual: dict[str, Any] = _ACCEPTED if "state" in written else _usual(written["what"])
    return usual | {**written.get("actor", {}), **written}


def _usual(what: str) -> dict[str, Any]:
    return _ACCEPTED | ({"state": _MAKES[what]} if what in _MAKES else {})
