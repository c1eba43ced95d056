"""History: the lines that one outcome adds to the histories of timers. Pure; from the outcome alone.

Lines are kept for ever, one for each press, so their JSON is short (`shared/packing/lines.py`).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from pydantic_core import to_json

from shared.events.ids import slot_of_timer
from shared.events.outcome import Outcome, State
from shared.packing.lines import shortened

_PRESSES: Final = {
    "timer.started.v1": "start",
    "timer.paused.v1": "pause",
    "timer.resumed.v1": "resume",
    "timer.stopped.v1": "stop",
}
_ENDS: Final = {State.PAUSED: "pause", State.STOPPED: "stop"}

# Who pressed, and in which dialect. All are left out when nobody pressed.
_BY: Final = ("client", "person", "role", "dialect")

# The same few lines come again and again: some ten for each person.
_LINES_MAX: Final = 10_000


def history_of(outcome: Outcome) -> list[tuple[Any, ...]]:
    """Return a line for the pressed timer, also when it was refused, and one for each timer that ended otherwise."""
    lines: list[tuple[Any, ...]] = []
    if (timer := outcome.timer) is not None and (at := outcome.at) is not None:
        type_ = outcome.event_type or ""
        body = _body(outcome, _PRESSES.get(type_, type_), outcome.verdict, outcome.rule, timer.state.value)
        if outcome.asked_at is not None:
            body = f'{body[:-1]},"asked_at":"{outcome.asked_at.astimezone(UTC).isoformat()}"}}'
        lines.append(_line(outcome, timer.id, "press", at, body))
    for change in outcome.changed:
        if change.by != "press" and (closed := change.closed) is not None:
            state = change.after.state
            what = (_ENDS.get(state, state.value), "accepted", None, state.value)
            # Nobody pressed what fell due, although a press may have found it.
            body = _json(*what) if change.by == "settle" else _body(outcome, *what)
            lines.append(_line(outcome, change.timer, change.by, closed.end, body))
    return lines


def _line(outcome: Outcome, timer_id: int, by: str, at: datetime, body: str) -> tuple[Any, ...]:
    return slot_of_timer(timer_id), timer_id, outcome.source_offset, by, at, body, outcome.event_id, outcome.log_time


def _body(outcome: Outcome, what: str, verdict: str, rule: str | None, state: str) -> str:
    """Return what was done, its verdict and rule, the timer's state afterwards, and by whom."""
    if (actor := outcome.actor) is None:
        return _json(what, verdict, rule, state)
    return _json(what, verdict, rule, state, actor.client, actor.person, actor.role, outcome.dialect)


@lru_cache(_LINES_MAX)
def _json(what: str, verdict: str, rule: str | None, state: str, *by: str | None) -> str:
    line: dict[str, Any] = {"what": what, "verdict": verdict, "rule": rule, "state": state}
    return to_json(shortened(line | dict(zip(_BY, by, strict=False)))).decode()
