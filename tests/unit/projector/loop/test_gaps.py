"""Logs that are not dense: gaps where foreign transactions ended, and records that are not as they should be."""

import pytest
import structlog

from services.projector.loop.partition.partition import Status
from services.projector.loop.partition.recover import recover
from services.projector.ports import RawRecord
from shared.events.outcome import NewerOutcomeError
from tests.support.fakes.house import A_DAY, HOME, House, alarms, at_work
from tests.support.fakes.in_hand import GAP, NULL, EventsInHand, record, turns
from tests.support.fakes.recovery import KEPT, a_house
from tests.support.story.given import paused, started, stopped

CANARY = "canary-7f3a"


def sparse(*offsets: int) -> EventsInHand:
    """Return a log that holds the presses of a day at these offsets, with gaps between them."""
    log = EventsInHand()
    log.logs[HOME] = [record(press, offset) for press, offset in zip(A_DAY, offsets, strict=True)]
    return log


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_a_gap_in_the_events_is_passed_wherever_a_batch_ends(at_once: int) -> None:
    log = sparse(0, 2, 7)
    log.at_once = at_once
    async with at_work(House(log=log)) as house:
        await turns()
        assert house.said() == [(0, "accepted", None), (2, "accepted", None), (7, "accepted", None)]
        assert house.state() == (Status.LIVE, "recovered")
        assert house.store.checkpoints[HOME].next_offset == 8


async def test_a_log_that_begins_with_a_gap_is_folded() -> None:
    async with at_work(House(log=sparse(3, 4, 5))) as house:
        await turns()
        assert [offset for offset, _, _ in house.said()] == [3, 4, 5]


async def test_a_gap_between_two_batches_is_said_once() -> None:
    log = sparse(0, 2, 3)
    log.at_once = 1
    with structlog.testing.capture_logs() as logs:
        async with at_work(House(log=log)):
            await turns()
    said = [entry for entry in logs if entry["event"] == "offsets_missing"]
    assert [(entry["next_offset"], entry["goes_on_at"]) for entry in said] == [(1, 2)]


class Hasty(EventsInHand):
    """A log whose reader returns, once, records that it fetched before the seek."""

    stale = True

    async def poll(self) -> dict[int, list[RawRecord]]:  # type: ignore[override]
        found = {kpart: list(records) for kpart, records in (await super().poll()).items()}
        if self.stale and found.get(HOME):
            self.stale = False
            return {HOME: found[HOME][1:]}
        return found


async def test_records_fetched_before_a_seek_do_not_count_as_a_gap() -> None:
    """Otherwise the presses before them would be lost silently."""
    log = Hasty()
    log.logs[HOME] = [record(press, offset) for offset, press in enumerate(A_DAY)]
    async with at_work(House(log=log)) as house:
        await turns()
        await house.clock.passes(5)
        await turns()
        assert [offset for offset, _, _ in house.said()] == [0, 1, 2]


async def test_a_gap_is_measured_until_the_broker_answers() -> None:
    log = sparse(0, 2, 3)
    log.at_once = 1
    log.first_from_raises = [ConnectionError("the broker is away"), TimeoutError()]
    async with at_work(House(log=log)) as house:
        assert len(house.said()) == 1
        await house.clock.passes(5)
        await house.clock.passes(5)
        assert len(house.said()) == 3


async def test_a_gap_that_cannot_be_measured_becomes_an_alarm() -> None:
    """The partition was LIVE and not read, with a warning every five seconds."""
    log = sparse(0, 2, 3)
    log.at_once = 1
    log.first_from_raises = [ConnectionError("the broker is away") for _ in range(9)]
    with structlog.testing.capture_logs() as logs:
        async with at_work(House(log=log)) as house:
            assert len(house.said()) == 1
            for _ in range(12):
                await house.clock.passes(5)
            assert len(house.said()) == 3
    assert "recovery_failed" in [alarm["event"] for alarm in alarms(logs)]


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_gaps_and_strange_records_on_the_judged_stream_are_passed(at_once: int) -> None:
    house = await a_house(stream=KEPT[:3])
    first, second, third = house.outcomes.streams[0]
    strange = f'{{"mood":"{CANARY}"}}'.encode()
    house.outcomes.streams[0] = [GAP, first, NULL, second, strange, GAP, third, GAP]
    house.outcomes.at_once = at_once
    at = await house.recovered()
    assert house.store.bodies[0][:3] == [first, second, third]
    assert at.next_offset == KEPT[2] + 1
    assert [offset for offset, _ in house.skipped] == [2, 4]
    assert CANARY not in str(house.skipped)


async def test_an_outcome_of_a_newer_release_is_waited_for() -> None:
    """Skipping it would judge its press a second time, and change an answer that was given."""
    house = await a_house(stream=KEPT[:3])
    house.outcomes.streams[0][1] = house.outcomes.streams[0][1].replace(b'"v":1', b'"v":2', 1)
    with pytest.raises(NewerOutcomeError):
        await recover(0, house.log, house.outcomes, house.store, lambda *_: None)
    assert len(house.store.bodies[0]) == 1 or not house.store.bodies[0]


async def test_a_partition_behind_a_newer_outcome_is_held_with_an_alarm() -> None:
    house = House()
    house.outcomes.streams[HOME] = [GAP, b'{"v":2,"source_offset":0}']
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            assert house.state() == (Status.HELD, "newer_outcome")
            [alarm] = alarms(logs)
            assert (alarm["event"], alarm["error"]) == (
                "outcome_newer_than_we_are",
                "a newer release wrote the outcome at offset 1 of the judged stream: upgrade this process",
            )
            house.outcomes.streams[HOME] = []  # upgraded, or the record was removed
            await house.clock.passes(10)
            assert house.state() == (Status.LIVE, "recovered")


async def test_a_recovery_that_goes_on_failing_becomes_an_alarm() -> None:
    house = House()
    house.log.broken = ConnectionError("the broker is away")
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            for _ in range(5):
                await house.clock.passes(5)
            house.log.broken = None
            await house.clock.passes(5)
            assert house.state() == (Status.LIVE, "recovered")
    levels = [entry["log_level"] for entry in logs if entry["event"] in {"recovery_failed", "recovery_not_yet"}]
    assert levels == ["warning"] * 5 + ["error"]


# Policies that were never written.


async def test_a_press_under_an_unwritten_policy_is_refused_and_passed() -> None:
    """Otherwise one header would hold its partition until a person deletes the record, and Kafka cannot delete one."""
    house = House()
    house.policies.ends_at = house.book.position + 1
    presses = (
        started("desk", at="09:00", policy_rev=1 << 62),
        started("phone", at="09:05"),
        paused("phone", at="09:10"),
    )
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            await house.hears(*presses)
            house.policies.look()
            await turns()
            assert house.said() == [(0, "refused", "R23"), (1, "accepted", None), (2, "accepted", None)]
            assert house.store.checkpoints[HOME].policy_rev == 1
    assert [alarm["reason"] for alarm in alarms(logs)] == ["no_such_policy"]


async def test_a_policy_that_the_topic_has_is_waited_for() -> None:
    house = House()
    house.policies.ends_at = house.book.position + 2
    async with at_work(house):
        await house.hears(started("desk", at="09:00", policy_rev=house.book.position + 1))
        for _ in range(2):  # a glance, and five seconds
            house.policies.look()
            await turns()
        assert house.said() == []
        assert house.state() == (Status.HELD, "policy_unseen")


# Presses of long ago.


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_a_start_of_long_ago_finds_the_overlap_that_begins_first(at_once: int) -> None:
    """The store does not read all intervals since then: one that overlaps is enough."""
    log = EventsInHand(at_once=at_once)
    told = [
        started("desk", at="2026-02-01T09:00"),
        stopped("desk", at="2026-02-01T10:00"),
        started("phone", at="2026-02-10T09:00"),
        stopped("phone", at="2026-02-10T10:00"),
        started("car", at="09:00", asked="2026-02-05T09:00"),
        started("bike", at="09:05", asked="2026-02-01T09:30"),
    ]
    log.logs[HOME] = [record(press, offset) for offset, press in enumerate(told)]
    async with at_work(House(log=log)) as house:
        await turns()
        findings = [f.from_ for body in house.bodies() for f in body.findings if f.rule == "R13"]
        assert [moment.isoformat() for moment in findings] == [
            "2026-02-10T09:00:00+00:00",
            "2026-02-01T09:30:00+00:00",
        ]
        # No sheet keeps the interval that only that press asked for.
        assert house.projector.keeper.ours[HOME].cache.sheets["acme", "dana"].closed == ()
