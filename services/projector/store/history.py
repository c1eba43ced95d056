"""History: the lines that one outcome adds to the histories of timers. Pure; from the outcome alone.

Lines are kept for ever, one for each press, so their JSON is short (`shared/packing/lines.py`).
"""

from collections.abc import Iterator
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

# The same few lines come again and again. A person's own presses make some ten.
_TOLD_MAX: Final = 10_000

# What was done, its verdict and rule, and the timer's state afterwards.
_What = tuple[str, str, str | None, str]
# The client, the person, the role.
_Actor = tuple[str, str | None, str]


def history_of(outcome: Outcome) -> Iterator[tuple[Any, ...]]:
    """Return a line for the pressed timer, also when it was refused, and one for each timer that ended otherwise."""
    if outcome.timer is not None and outcome.at is not None:
        type_ = outcome.event_type or ""
        what = (_PRESSES.get(type_, type_), outcome.verdict, outcome.rule, outcome.timer.state.value)
        yield _line(outcome, outcome.timer.id, "press", outcome.at, what)
    for change in outcome.changed:
        if change.by != "press" and change.closed is not None:
            state = change.after.state
            what = (_ENDS.get(state, state.value), "accepted", None, state.value)
            yield _line(outcome, change.timer, change.by, change.closed.end, what)


def _line(outcome: Outcome, timer_id: int, by: str, at: datetime, what: _What) -> tuple[Any, ...]:
    actor = outcome.actor
    # What falls due is pressed by nobody, although a press may have brought it to light.
    if by == "settle" or actor is None:
        body = _told(what)
    else:
        body = _told(what, (actor.client, actor.person, actor.role), outcome.dialect)
    if by == "press" and outcome.asked_at is not None:
        body = f'{body[:-1]},"asked_at":"{outcome.asked_at.astimezone(UTC).isoformat()}"}}'
    where = (slot_of_timer(timer_id), timer_id, outcome.source_offset)
    return *where, by, at, body, outcome.event_id, outcome.log_time


@lru_cache(_TOLD_MAX)
def _told(what: _What, actor: _Actor | None = None, dialect: str | None = None) -> str:
    told: dict[str, Any] = dict(zip(("what", "verdict", "rule", "state"), what, strict=True))
    if actor is not None:
        told |= dict(zip(("client", "person", "role"), actor, strict=True)) | {"dialect": dialect}
    return to_json(shortened(told)).decode()
