"""Values: made without validation, compared by their fields, never changed."""

import dataclasses
from typing import Final

import pytest
from pydantic import BaseModel

from shared.events.models import Actor, ToldActor, Work
from shared.events.outcome import DayPart, TimerAfter
from shared.events.value import replace
from tests.support.story.presses import NOON

PART: Final = DayPart(on=NOON.date(), us=25)


def test_values_of_the_same_fields_are_one_key() -> None:
    other = DayPart(on=NOON.date(), us=26)
    assert DayPart(on=NOON.date(), us=25, after_lock=False) == PART != other
    assert {PART, DayPart(on=NOON.date(), us=25), other} == {PART, other}


def test_a_value_is_replaced_by_another_and_stays_as_it_was() -> None:
    assert replace(PART, us=26) == dataclasses.replace(PART, us=26) == DayPart(on=NOON.date(), us=26)
    assert DayPart(on=NOON.date(), us=25) == PART


def test_mypy_keeps_a_value_from_being_changed() -> None:
    """`make check` fails here when mypy no longer refuses the line: the remark is unused then. Python lets it pass."""
    part = replace(PART)
    part.us = 26  # type: ignore[misc]
    assert part.us == 26


@pytest.mark.parametrize(("event", "told"), [(Work, TimerAfter), (Actor, ToldActor)])
def test_what_an_event_says_of_a_timer_its_outcome_tells_under_the_same_names(
    event: type[BaseModel], told: type
) -> None:
    """They are two records, so each has its fields. What is added to the one is carried over to the other."""
    names = {field.name: field.default for field in dataclasses.fields(told)}
    for name, field in event.model_fields.items():
        assert name in names
        assert field.is_required() == (names[name] is dataclasses.MISSING)
        assert field.is_required() or field.default == names[name]
