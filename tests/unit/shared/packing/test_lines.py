"""Lines of histories: short as they are written, whole as they are read."""

from itertools import product
from typing import Any

import pytest

from shared.packing.lines import shortened, whole

BY: dict[str, Any] = {"client": "crm", "person": None, "role": "machine", "dialect": "native"}
VERBS = ("start", "pause", "resume", "stop", "timer.merged.v1")
STATES = ("RUNNING", "PAUSED", "STOPPED")


def line(what: str, verdict: str, rule: str | None, state: str, by: dict[str, Any]) -> dict[str, Any]:
    return {"what": what, "verdict": verdict, "rule": rule, "state": state} | by


@pytest.mark.parametrize("by", [BY, {}], ids=["pressed", "by nobody"])
def test_whatever_is_left_out_comes_back(by: dict[str, Any]) -> None:
    for what, verdict, state in product(VERBS, ("accepted", "refused"), STATES):
        said = line(what, verdict, "R07" if verdict == "refused" else None, state, by)
        assert whole(shortened(said)) == {name: value for name, value in said.items() if value is not None}


def test_what_every_accepted_press_of_its_kind_says_is_left_out() -> None:
    pressed = {"client": "crm", "role": "machine", "dialect": "native"}
    assert shortened(line("pause", "accepted", None, "PAUSED", BY)) == {"what": "pause"} | pressed
    # Stopped by the system before the log had it.
    ended = shortened(line("start", "accepted", None, "STOPPED", BY))
    assert ended == {"what": "start", "state": "STOPPED"} | pressed
    refused = shortened(line("pause", "refused", "R07", "PAUSED", BY))
    assert refused == {"what": "pause", "verdict": "refused", "rule": "R07", "state": "PAUSED"} | pressed


def test_a_line_of_the_release_before_says_the_same() -> None:
    """It runs beside this one for a while, after the migration."""
    said = {"what": "stop", "verdict": "accepted", "state": "STOPPED"}
    before = said | {"actor": {"client": "crm", "role": "machine"}, "dialect": "native"}
    read = whole(before)
    assert {name: read[name] for name in read if name != "actor"} == said | {
        "client": "crm",
        "role": "machine",
        "dialect": "native",
    }
