"""Whose clock says from when a policy counts: its writer's while that is right, else the brokers'."""

import json
from datetime import datetime, timedelta
from typing import Final

import pytest

from shared.events.models import DeadlineReached
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import LongRunning, Policy, Rules
from tests.support.proof.naive.policies import policies_in_force
from tests.support.story.given import JERUSALEM, MONDAY, Story, fact, moment, started, stopped

STOPS_AFTER_4_H: Final = JERUSALEM.model_copy(update={"rules": Rules(R16=LongRunning(auto_close_seconds=4 * 3600))})
LOGGED_AT: Final = moment("16:59:59")


def records(*said: tuple[datetime, datetime, Policy]) -> list[tuple[int, bytes, bytes, datetime]]:
    """Return a tenant's policies as they are logged: when each was set by its writer's clock, and by the brokers'."""
    return [
        (
            offset,
            b"acme",
            PolicyRecord(replaces=offset - 1 if offset else None, set_by="avi", set_at=set_at, document=document)
            .model_dump_json(by_alias=True)
            .encode(),
            log_time,
        )
        for offset, (set_at, log_time, document) in enumerate(said)
    ]


def under(*said: tuple[datetime, datetime, Policy]) -> Story:
    book = PolicyBook()
    for record in records(*said):
        assert book.apply(*record)
    return Story(book)


@pytest.mark.parametrize("off", [timedelta(), timedelta(hours=-6), timedelta(days=-400), timedelta(seconds=-31)])
def test_a_laptop_that_is_slow_stops_no_timer_in_the_past(off: timedelta) -> None:
    """A limit of four hours comes at 16:59:59. The laptop that set it shows 11:00, when the limit was not reached."""
    story = under((MONDAY, MONDAY, JERUSALEM), (LOGGED_AT + off, LOGGED_AT, STOPS_AFTER_4_H))
    story.when(started("desk", at="09:00", policy_rev=0), stopped("desk", at="17:00:10", policy_rev=1))
    (stop,) = [one for one in story.outcomes[-1].changed if one.by == "settle"]
    assert (stop.closed and stop.closed.end) == LOGGED_AT


@pytest.mark.parametrize("off", [timedelta(), timedelta(days=7), timedelta(seconds=31)])
def test_a_laptop_that_is_fast_puts_off_no_limit(off: timedelta) -> None:
    """Not of its own document, nor of one that a right clock set after it: none comes before the one it replaces."""
    first, fast, third = moment("00:00"), moment("00:00:30"), moment("00:01:00")
    story = under((first, first, JERUSALEM), (fast + off, fast, JERUSALEM), (third, third, STOPS_AFTER_4_H))
    story.when(started("desk", at="09:00", policy_rev=2))
    assert story.outcome.due == moment("13:00")
    story.when(fact(DeadlineReached, "13:00:00.100"))
    assert [one.closed and one.closed.end for one in story.outcome.changed] == [moment("13:00")]


@pytest.mark.parametrize(
    ("off", "begins_off"),
    [
        (timedelta(), timedelta()),
        (timedelta(seconds=-30), timedelta(seconds=-30)),
        (timedelta(seconds=30), timedelta(seconds=30)),
        (timedelta(seconds=-30, microseconds=-1), timedelta()),
        (timedelta(seconds=30, microseconds=1), timedelta()),
        (timedelta(days=40), timedelta()),
    ],
)
def test_up_to_thirty_seconds_the_writers_clock_counts(off: timedelta, begins_off: timedelta) -> None:
    said = (MONDAY, MONDAY, JERUSALEM), (LOGGED_AT + off, LOGGED_AT, STOPS_AFTER_4_H)
    assert under(*said).book.timeline("acme", 1).begins == (MONDAY, LOGGED_AT + begins_off)
    naive = policies_in_force(records(*said))["acme"]
    assert datetime.fromisoformat(naive[1][1]["counts_from"]) == LOGGED_AT + begins_off


def test_what_its_writer_said_stays_as_it_was_said() -> None:
    """Only from when it counts is the brokers' word; the history shows whose clock was wrong."""
    story = under((MONDAY - timedelta(days=9), MONDAY, JERUSALEM))
    kept = story.book.record("acme", 0)
    assert kept is not None
    assert json.loads(kept.model_dump_json())["set_at"] == "2026-02-21T00:00:00Z"
