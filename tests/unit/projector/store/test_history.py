"""History: the lines that outcomes add to the histories of timers."""

import json
from typing import Any

import hypothesis
from hypothesis import strategies as st
from pydantic_core import to_json

from services.projector.store.history import history_of
from shared.events.ids import slot_of
from shared.events.models import DeadlineReached
from shared.events.policy import LongRunning, Overlap, OverlapMode, Rules
from shared.packing.lines import whole
from tests.support.story.given import DANA, JERUSALEM, NOAM, Story, fact, given, paused, started, stopped, timer_id

DESK, PHONE = timer_id("desk"), timer_id("phone")


def lines(story: Story) -> list[tuple[Any, ...]]:
    """Return the lines of the story's last outcome: timer, by, at, what, client, verdict, rule, state."""
    said = []
    outcome = story.outcome
    for slot, timer, offset, by, at, body, event_id, log_time in history_of(outcome):
        assert (slot, offset) == (slot_of("acme", "dana"), outcome.source_offset)
        assert (event_id, log_time) == (outcome.event_id, outcome.log_time)
        told = whole(json.loads(body))
        client = told.get("client")
        said.append((timer, by, f"{at:%H:%M}", told["what"], client, told["verdict"], told.get("rule"), told["state"]))
    return said


def test_an_accepted_and_a_refused_press_are_a_line_each() -> None:
    story = given(started("desk", at="09:00"))
    assert lines(story) == [(DESK, "press", "09:00", "start", "crm", "accepted", None, "RUNNING")]
    story.when(paused("desk", at="09:10", by=DANA))
    assert lines(story) == [(DESK, "press", "09:10", "pause", "phone", "accepted", None, "PAUSED")]
    story.when(stopped("desk", at="09:20", by=NOAM))
    assert lines(story) == [(DESK, "press", "09:20", "stop", "phone", "refused", "R06", "PAUSED")]


def test_a_press_on_a_timer_that_is_not_there_is_in_no_history() -> None:
    assert lines(given(started("desk", at="09:00")).when(paused("other", at="09:10"))) == []


def test_a_switch_is_a_line_of_the_timer_that_it_ended() -> None:
    switching = JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))})
    story = given(started("desk", at="09:00"), policy=switching).when(started("phone", at="09:30"))
    assert sorted(lines(story)) == sorted(
        [
            (DESK, "switch", "09:30", "pause", "crm", "accepted", None, "PAUSED"),
            (PHONE, "press", "09:30", "start", "crm", "accepted", None, "RUNNING"),
        ]
    )


def test_an_automatic_stop_is_a_line_that_names_nobody() -> None:
    closing = JERUSALEM.model_copy(update={"rules": Rules(R16=LongRunning(auto_close_seconds=36_000))})
    story = given(started("desk", at="05:00"), policy=closing).when(fact(DeadlineReached, at="15:00:01"))
    assert lines(story) == [(DESK, "settle", "15:00", "stop", None, "accepted", None, "STOPPED")]


@hypothesis.given(st.dictionaries(st.text(), st.none() | st.text() | st.dictionaries(st.text(), st.none() | st.text())))
def test_a_line_has_the_bytes_that_json_dumps_gives(told: dict[str, Any]) -> None:
    """Lines of before were written by it, and a rebuild compares them."""
    assert to_json(told).decode() == json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def test_a_line_has_no_member_for_what_is_not_there() -> None:
    """Lines are kept for ever."""
    (line,) = history_of(given(started("desk", at="09:00")).outcome)
    assert line[5] == '{"what":"start","client":"crm","role":"machine","dialect":"native"}'
