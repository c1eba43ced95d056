"""History: the lines that one outcome adds to the histories of timers. Pure; from the outcome alone."""

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
    actor = None if by == "settle" or outcome.actor is None else outcome.actor.model_dump()
    said = told | {
        "event_id": str(outcome.event_id),
        "actor": actor,
        "dialect": None if by == "settle" else outcome.dialect,
        "asked_at": None if by != "press" or outcome.asked_at is None else outcome.asked_at.isoformat(),
        "log_time": outcome.log_time.isoformat(),
    }
    return slot_of_timer(timer_id), timer_id, outcome.source_offset, by, at, to_json(said).decode()
