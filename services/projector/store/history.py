"""History: the lines that one outcome adds to the histories of timers. Pure; from the outcome alone.

Lines are kept for ever, one for each press, so what is not there is left out of their JSON.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json

from shared.events.ids import slot_of_timer
from shared.events.outcome import Outcome, State

_PRESSES: Final = {
    "timer.started.v1": "start",
    "timer.paused.v1": "pause",
    "timer.resumed.v1": "resume",
    "timer.stopped.v1": "stop",
}
_ACTOR: Final = ("client", "person", "role")
_ENDS: Final = {State.PAUSED: "pause", State.STOPPED: "stop"}


def history_of(outcome: Outcome) -> Iterator[tuple[Any, ...]]:
    """Return a line for the pressed timer, also when it was refused, and one for each timer that ended otherwise."""
    if outcome.timer is not None and outcome.at is not None:
        type_ = outcome.event_type or ""
        told = {"what": _PRESSES.get(type_, type_), "verdict": outcome.verdict, "rule": outcome.rule}
        yield _line(outcome, outcome.timer.id, "press", outcome.at, told | {"state": outcome.timer.state.value})
    for change in outcome.changed:
        if change.by != "press" and change.closed is not None:
            state = change.after.state
            told = {"what": _ENDS.get(state, state.value), "verdict": "accepted", "rule": None, "state": state.value}
            yield _line(outcome, change.timer, change.by, change.closed.end, told)


def _line(outcome: Outcome, timer_id: int, by: str, at: datetime, told: dict[str, Any]) -> tuple[Any, ...]:
    # What falls due is pressed by nobody, although a press may have brought it to light.
    if by != "settle" and outcome.actor is not None:
        told["actor"] = _said({name: getattr(outcome.actor, name) for name in _ACTOR})
        told["dialect"] = outcome.dialect
    if by == "press" and outcome.asked_at is not None:
        told["asked_at"] = outcome.asked_at.isoformat()
    body = to_json(_said(told)).decode()
    where = (slot_of_timer(timer_id), timer_id, outcome.source_offset)
    return *where, by, at, body, outcome.event_id, outcome.log_time


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
