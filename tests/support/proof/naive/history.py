"""The naive fold's histories: `docs/contract.md` §4, "History", read aloud over the outcomes of a book."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from tests.support.proof.naive.book import Book
from tests.support.proof.naive.outcome import Row
from tests.support.proof.naive.reading import TIMER_EVENTS

_MAKES: Final = {"start": "RUNNING", "pause": "PAUSED", "resume": "RUNNING", "stop": "STOPPED"}
_USUAL: Final = {
    (what, *said) for what, state in _MAKES.items() for said in (("verdict", "accepted"), ("state", state))
}
_VERBS: Final = dict(zip(TIMER_EVENTS, ("start", "pause", "resume", "stop"), strict=True))


def history_of(book: Book) -> Iterator[Row]:
    """Yield a line for each press on a timer that is there, and for each end that was not its own press."""
    for outcome in book.outcomes:
        if outcome["timer"] is not None:
            said = {"what": _VERBS.get(outcome["event_type"], outcome["event_type"]), "verdict": outcome["verdict"]}
            said |= {"rule": outcome["rule"], "state": outcome["timer"]["state"]}
            yield _line(outcome, outcome["timer"]["id"], "press", outcome["at"], said)
        for change in outcome["changed"]:
            if change["by"] != "press" and change["closed"] is not None:
                state = change["after"]["state"]
                said = {"what": {"PAUSED": "pause", "STOPPED": "stop"}[state], "verdict": "accepted", "rule": None}
                yield _line(outcome, change["timer"], change["by"], change["closed"]["end"], said | {"state": state})


def _line(outcome: Row, timer_id: int, by: str, at: datetime, said: dict[str, Any]) -> Row:
    if said["verdict"] == "accepted":
        # What every accepted press says is left out.
        said = {name: value for name, value in said.items() if (said["what"], name, value) not in _USUAL}
    if by != "settle":
        said |= outcome["actor"] | {"dialect": outcome["dialect"]}
    if by == "press" and outcome["asked_at"]:
        said["asked_at"] = _moment(outcome["asked_at"])
    told = json.dumps(_without_nulls(said), ensure_ascii=False, separators=(",", ":"))
    where = {"slot": (timer_id >> 10) & 4095, "timer_id": timer_id, "source_offset": outcome["source_offset"]}
    line = where | {"by": by, "at": at, "told": told}
    return line | {"event_id": outcome["event_id"], "log_time": outcome["log_time"]}


def _without_nulls(said: Any) -> Any:  # noqa: ANN401 - JSON
    return {k: _without_nulls(v) for k, v in said.items() if v is not None} if isinstance(said, dict) else said


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
