"""Looks: after a new policy every running owner is ticked, twice, and then the mark says so."""

import pytest
import structlog
from structlog.typing import EventDict

from services.projector.clock import looks
from services.projector.ports import RunningOwner
from shared.events.policies.book import PolicyRecord
from tests.support.fakes.clock_house import ClockHouse, TicksInHand, ticking
from tests.support.story.given import JERUSALEM, MONDAY

DANA, NOAM = RunningOwner(3, "acme", "dana"), RunningOwner(15, "other", "noam")
SETTLED_SECONDS = 40.0


def house(marked: int | None = None) -> ClockHouse:
    """Return a house whose book has the revisions 0 (acme) and 1 (other), all looked at unless `marked` says less."""
    at = ClockHouse()
    at.deadlines.owners = {3: [DANA, NOAM]}
    at.deadlines.marks = {3: at.book.position if marked is None else marked}
    return at


def change(at: ClockHouse, tenant: str) -> int:
    """Put one more policy in force."""
    record = PolicyRecord(replaces=at.book.latest_revision(tenant), set_by="avi", set_at=MONDAY, document=JERUSALEM)
    assert at.book.apply(at.book.position + 1, tenant.encode(), record.model_dump_json(by_alias=True).encode(), MONDAY)
    return at.book.position


async def test_without_a_new_policy_nobody_is_looked_at() -> None:
    async with ticking(house()) as at:
        await at.passes(120)
        assert at.ticks.sends == []


async def test_a_new_policy_looks_at_its_tenants_running_owners_at_once() -> None:
    async with ticking(house()) as at:
        await at.passes(3)
        revision = change(at, "acme")
        await at.passes(2.1)
        assert at.ticks.owners() == ["dana"]
        assert at.ticks.presses[0][1].envelope.policy_rev == revision


async def test_a_second_look_comes_after_presses_of_the_old_policy_and_moves_the_mark() -> None:
    async with ticking(house()) as at:
        await at.passes(SETTLED_SECONDS)
        revision = change(at, "acme")
        await at.passes(30)
        assert (at.ticks.owners(), at.deadlines.marks) == (["dana"], {3: revision - 1})
        await at.passes(9)
        assert (at.ticks.owners(), at.deadlines.marks) == (["dana", "dana"], {3: revision})
        await at.passes(120)
        assert at.ticks.owners() == ["dana", "dana"]


async def test_a_policy_that_came_while_no_projector_ran_is_looked_at() -> None:
    async with ticking(house(marked=0)) as at:
        await at.passes(2.1)
        assert at.ticks.owners() == ["noam"]
        await at.passes(SETTLED_SECONDS)
        assert (at.ticks.owners(), at.deadlines.marks) == (["noam", "noam"], {3: 1})


async def test_a_database_without_a_mark_looks_at_everybody() -> None:
    """It is new, or was filled anew from the outcomes: those tell of no deadline that a look has moved."""
    async with ticking(house(marked=-1)) as at:
        await at.passes(2.1)
        assert at.ticks.owners() == ["dana", "noam"]


async def test_a_mark_ahead_of_our_own_policies_hides_none_of_them() -> None:
    """Another projector had read further, and lost the partition to us. Until we read the policy, we judge without."""
    async with ticking(house(marked=9)) as at:
        await at.passes(2.1)
        change(at, "acme")
        await at.passes(2.1)
        assert at.ticks.owners() == ["dana"]


async def test_policies_that_keep_coming_do_not_keep_the_mark_back() -> None:
    async with ticking(house()) as at:
        for _ in range(12):
            change(at, "acme")
            await at.passes(9)
        assert at.deadlines.marks[3] >= at.book.position - 9


async def test_many_owners_are_looked_at_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "PAGE", 10)
    at = house(marked=-1)
    at.deadlines.owners[3] = [RunningOwner(3, "acme", f"o{n:02}") for n in range(25)]
    async with ticking(at):
        await at.passes(0.9)
        await at.passes(0.3)
        assert at.ticks.sends == [10]
        await at.passes(0.9)
        assert at.ticks.sends == [10, 10, 5]


async def test_the_mark_stays_until_all_ticks_are_acked() -> None:
    at = house(marked=0)
    at.ticks = TicksInHand(broken=TimeoutError())
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(60)
            assert at.deadlines.marks == {3: 0}
            at.ticks.broken = None
            await at.passes(12)
            assert at.deadlines.marks == {3: 1}
            assert at.ticks.owners() == ["noam", "noam"]
    assert [entry["event"] for entry in logs] == ["owners_not_looked_at"]


def said_of_looks(logs: list[EventDict]) -> list[tuple[str, int | None]]:
    return [(entry["log_level"], entry["partition"]) for entry in logs if entry["event"] == "owners_not_looked_at"]


async def test_looks_that_fail_for_a_minute_are_an_alarm_that_is_said_again() -> None:
    """Under the new policy something is due, and its row is not. So no deadline was late, and nobody was told."""
    at = house(marked=0)
    at.ticks = TicksInHand(broken=TimeoutError())
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(60)
            assert said_of_looks(logs) == [("warning", 3)]
            await at.passes(360)
    assert said_of_looks(logs) == [("warning", 3), ("error", 3), ("error", 3)]


async def test_marks_that_cannot_be_read_for_a_minute_are_an_alarm() -> None:
    at = house()
    at.deadlines.broken = ConnectionError("away")
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(72)
            at.deadlines.broken = None
            await at.passes(12)
            at.deadlines.broken = ConnectionError("away")
            await at.passes(12)
    assert said_of_looks(logs) == [("warning", None), ("error", None), ("warning", None)]


async def test_a_partition_that_is_given_away_while_its_look_fails_is_forgotten() -> None:
    at = house(marked=0)
    at.ticks = TicksInHand(broken=TimeoutError())
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(30)
            at.live = []
            await at.passes(60)
            at.live = [3]
            await at.passes(30)
    assert said_of_looks(logs) == [("warning", 3), ("warning", 3)]
