"""Owner facts: what is learned about an owner, from when it counts, and the zone that cuts an interval."""

from datetime import date, datetime
from typing import Any

import pytest

from services.projector.domain.sheet.facts import fact_of
from shared.events.models import (
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerFact,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)
from shared.events.outcome import Closed, Fact
from shared.events.rules import Rule
from tests.support.story.given import (
    MACHINE,
    Story,
    accepted,
    fact,
    given,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
)


def an(event: type[OwnerFact], **said: Any) -> OwnerFact:  # noqa: ANN401 - each fact has its own fields
    ordinary = {"tenant": "acme", "owner": "dana", "actor": MACHINE, "dialect": "native", "digest": "0" * 64}
    return event.model_validate(ordinary | said)


def days(closed: Closed | None) -> dict[str, float]:
    assert closed is not None
    return {part.on.isoformat(): part.us / 60e6 for part in closed.days}


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (
            an(OwnerProfileSet, zone="Europe/Berlin", timers_disabled=True, active=False),
            Fact(kind="profile", body={"zone": "Europe/Berlin", "timers_disabled": True, "active": False}),
        ),
        (an(OwnerProfileSet, zone="Europe/Berlin"), Fact(kind="profile", body={"zone": "Europe/Berlin"})),
        (an(OwnerProfileSet, timers_disabled=False), Fact(kind="profile", body={"timers_disabled": False})),
        (an(OwnerProfileSet), Fact(kind="profile", body={})),
        (an(OwnerLeaveGranted, on="2026-04-02"), Fact(kind="leave", about="2026-04-02", body={"granted": True})),
        (an(OwnerLeaveRevoked, on="2026-04-02"), Fact(kind="leave", about="2026-04-02", body={"granted": False})),
        (
            an(OwnerAttendanceRecorded, on="2026-04-02", checked_in_at="2026-04-02T09:00:00.5+03:00"),
            Fact(
                kind="attendance",
                about="2026-04-02T06:00:00.500000Z",
                body={"on": "2026-04-02", "checked_in_at": "2026-04-02T06:00:00.500000Z", "checked_out_at": None},
            ),
        ),
        (
            an(OwnerAttendanceRecorded, on="2026-03-02", checked_in_at=moment("09:00"), checked_out_at=moment("17:00")),
            Fact(
                kind="attendance",
                about="2026-03-02T09:00:00.000000Z",
                body={
                    "on": "2026-03-02",
                    "checked_in_at": "2026-03-02T09:00:00Z",
                    "checked_out_at": "2026-03-02T17:00:00Z",
                },
            ),
        ),
        (
            an(OwnerEstimateSet, job_id="J-1", seconds=7200),
            Fact(kind="estimate", about="J-1", body={"seconds": 7200}),
        ),
        (an(OwnerTextsErased), Fact(kind="texts_erased", body={})),
    ],
    ids=lambda case: type(case).__name__,
)
def test_an_event_states_what_it_names_and_nothing_else(event: OwnerFact, known: Fact) -> None:
    assert fact_of(event) == known


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (OwnerProfileSet, {"zone": "Europe/Berlin"}),
        (OwnerLeaveGranted, {"on": date(2026, 4, 2)}),
        (OwnerLeaveRevoked, {"on": date(2026, 4, 2)}),
        (OwnerAttendanceRecorded, {"on": date(2026, 3, 3), "checked_in_at": moment("09:00")}),
        (OwnerEstimateSet, {"job_id": "J-1", "seconds": 0}),
        (OwnerTextsErased, {}),
    ],
)
def test_a_fact_is_an_outcome_of_its_owner_and_changes_no_timer(event: type[OwnerFact], said: dict[str, Any]) -> None:
    story = given(started("desk", at="09:00"))
    timers = story.sheet().timers
    story.when(fact(event, "09:10", **said)).then(accepted())
    assert story.outcome.fact == fact_of(an(event, **said))
    assert (story.outcome.owner, story.outcome.subject, story.outcome.timer) == ("dana", None, None)
    assert story.outcome.changed == ()
    assert story.sheet().timers == timers


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "asia/jerusalem", "../../etc/localtime", "localtime"])
def test_an_unknown_zone_is_refused_and_the_old_one_stays(zone: str) -> None:
    story = given(fact(OwnerProfileSet, "08:00", zone="Europe/Berlin"))
    story.when(fact(OwnerProfileSet, "09:00", zone=zone)).then(refused(Rule.VALUE_INVALID, reason="unknown_zone"))
    assert story.sheet().zone == "Europe/Berlin"
    assert story.outcome.owner == "dana"


def test_a_profile_that_names_no_zone_leaves_it_as_it_was() -> None:
    story = given(fact(OwnerProfileSet, "08:00", zone="Europe/Berlin"))
    story.when(fact(OwnerProfileSet, "09:00", timers_disabled=True)).then(accepted())
    assert story.sheet().zone == "Europe/Berlin"


def test_until_an_owner_has_a_zone_the_tenants_counts() -> None:
    story = given(started("desk", at="21:00")).when(stopped("desk", at="23:00"))
    assert days(story.outcome.changed[0].closed) == {"2026-03-02": 60, "2026-03-03": 60}


def test_an_owners_own_zone_counts_before_the_tenants() -> None:
    story = given(fact(OwnerProfileSet, "08:00", zone="America/New_York"), started("desk", at="21:00"))
    story.when(stopped("desk", at="23:00"))
    assert days(story.outcome.changed[0].closed) == {"2026-03-02": 120}


def test_the_zone_in_force_when_an_interval_opened_cuts_all_of_it() -> None:
    """The owner flew from Jerusalem to New York while it ran."""
    story = given(started("desk", at="21:00"), fact(OwnerProfileSet, "22:30", zone="America/New_York"))
    story.when(paused("desk", at="23:00"))
    closed = story.outcome.changed[0].closed
    assert closed is not None
    assert closed.zone == "Asia/Jerusalem"
    assert days(closed) == {"2026-03-02": 60, "2026-03-03": 60}


def test_the_next_interval_of_a_timer_is_cut_by_the_new_zone() -> None:
    story = given(
        started("desk", at="21:00"),
        fact(OwnerProfileSet, "22:30", zone="America/New_York"),
        paused("desk", at="23:00"),
        resumed("desk", at="2026-03-03T04:00"),
    )
    story.when(stopped("desk", at="2026-03-03T06:00"))
    closed = story.outcome.changed[0].closed
    assert closed is not None
    assert (closed.seq, closed.zone) == (2, "America/New_York")
    assert days(closed) == {"2026-03-02": 60, "2026-03-03": 60}


def test_a_fact_counts_from_its_place_on_the_log() -> None:
    """A backdated start after the fact is cut by it. A start before the fact is not."""
    story = given(started("phone", at="08:59", owner="noam"), fact(OwnerProfileSet, "09:00", zone="Europe/Berlin"))
    story.when(started("desk", at="09:01", asked="08:00"))
    (change,) = story.outcome.changed
    assert change.opened is not None
    assert change.opened.zone == "Europe/Berlin"


def test_one_owners_zone_is_not_anothers() -> None:
    story = given(fact(OwnerProfileSet, "08:00", zone="America/New_York", owner="noam"))
    story.when(started("desk", at="09:00"))
    (change,) = story.outcome.changed
    assert change.opened is not None
    assert change.opened.zone == "Asia/Jerusalem"


def test_a_fact_names_its_hearing_clamped_to_the_log() -> None:
    told = fact(OwnerTextsErased, "09:00:00.000500")
    story = Story().when(told)
    assert story.outcome.at == story.outcome.log_time == datetime.fromisoformat("2026-03-02T09:00:00Z")


@pytest.mark.parametrize("on", [date(2026, 2, 28), date(2026, 3, 4)])
def test_attendance_of_a_day_that_no_zone_has_then_is_refused(on: date) -> None:
    """Otherwise a press would be judged by it or not, by how far back a sheet was read."""
    story = given(started("desk", at="09:00"))
    story.when(fact(OwnerAttendanceRecorded, "09:30", on=on, checked_in_at=moment("09:00")))
    story.then(refused(Rule.VALUE_INVALID, reason="wrong_day"))
