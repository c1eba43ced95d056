"""The projector's loop, one branch at a time: which partitions are read, which step aside, and how they come back."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import structlog

from services.projector.domain.sheet.state import Timesheet
from services.projector.loop.partition.batch import Batch
from services.projector.loop.partition.partition import Status
from shared.events.envelope import ReplyAddress, encode_headers
from shared.events.outcome import read_outcome
from tests.support.fakes.house import A_DAY, ACCEPTED, HOME, NEXT_DOOR, House, MoodyStore, alarms, at_work
from tests.support.fakes.in_hand import record, records, turns
from tests.support.story.given import Told, moment, paused, started, stopped
from tests.support.story.presses import Record

# An ordinary day.


async def test_presses_on_the_log_are_folded_committed_and_published() -> None:
    async with at_work(House()) as house:
        assert house.state() == (Status.LIVE, "recovered")
        await house.hears(*A_DAY)
        assert house.said() == ACCEPTED
        assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
        assert house.outcomes.keys == [b"acme/dana"] * 3


async def test_one_poll_is_one_read_whatever_it_holds() -> None:
    house = House()
    house.log.logs[HOME] = records(*A_DAY)
    house.log.logs[NEXT_DOOR] = records(started("desk", at="09:00", owner="noam"))
    async with at_work(house, HOME, NEXT_DOOR):
        assert house.said(HOME) == ACCEPTED
        assert house.said(NEXT_DOOR) == [(0, "accepted", None)]
        assert len(house.store.asked) <= 2


async def test_a_folded_sheet_is_cached_and_not_read_again() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY[:1])
        await house.hears(*A_DAY[1:])
        [asked] = house.store.asked
        assert (len(asked.owners), len(asked.timers)) == (1, 1)
        assert len(house.said()) == len(A_DAY)


async def test_a_partition_that_is_not_ours_is_not_folded() -> None:
    async with at_work(House()) as house:
        house.log.read_from(NEXT_DOOR, 0)
        await house.hears(started("desk", at="09:00", owner="noam"), kpart=NEXT_DOOR)
        assert house.said(NEXT_DOOR) == []


async def test_a_partition_that_was_taken_away_is_let_go() -> None:
    async with at_work(House()) as house:
        await house.projector.keeper.revoked([HOME])
        assert house.projector.keeper.ours == {}
        await house.hears(*A_DAY)
        assert house.said() == []


async def test_a_partition_that_is_given_again_is_taken_up_again() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY[:1])
        house.projector.keeper.assigned([HOME])
        await turns()
        await house.hears(*A_DAY[1:])
        assert house.said() == ACCEPTED


async def test_the_partitions_that_a_projector_holds_now_share_all_that_it_may_cache() -> None:
    house = House()
    keeper = house.projector.keeper
    keeper._bounds.owners = 4
    sheets = {("acme", name): Timesheet("acme", name) for name in "abcd"}

    def kept() -> int:
        cache = keeper.ours[HOME].cache
        cache.take(sheets)
        cache.trim()
        return len(cache.sheets)

    async with at_work(house):
        assert kept() == 4
        # Its batch needs them until it ends.
        keeper.ours[HOME].in_hand = True
        keeper.assigned([NEXT_DOOR])
        assert len(keeper.ours[HOME].cache.sheets) == 4
        # No press comes meanwhile.
        keeper.ours[HOME].in_hand = False
        keeper.assigned([NEXT_DOOR])
        assert len(keeper.ours[HOME].cache.sheets) == 2
        await keeper.revoked([NEXT_DOOR])
        assert kept() == 4


async def test_records_fetched_before_a_seek_are_dropped_and_fetched_again() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY[:1])
        house.log.logs[HOME] += records(*A_DAY)[1:]
        house.log.read_from(HOME, 2)
        await turns()
        assert house.said() == ACCEPTED


async def test_every_waiter_is_answered_and_one_processs_waiters_together() -> None:
    house = House()

    def asking(told: Told, offset: int, topic: str, partition: int) -> Record:
        envelope = replace(told.logged(offset).envelope, reply=ReplyAddress(topic, partition, f"r-{offset}"))
        return replace(record(told, offset), headers=list(encode_headers(envelope)))

    house.log.logs[HOME] = [
        asking(started("desk", at="09:00", key="k"), 0, "timer.replies.v1", 3),
        asking(started("desk", at="09:01", key="k"), 1, "timer.replies.v1", 4),
        asking(started("desk", at="09:02"), 2, "timer.replies.v1", 3),
        record(stopped("desk", at="09:10"), 3),
    ]
    async with at_work(house):
        first = house.store.bodies[HOME][0]
        (to_three, to_four) = house.replies.sent
        assert to_four == ("timer.replies.v1", 4, [("r-1", first)])
        assert to_three[:2] == ("timer.replies.v1", 3)
        assert to_three[2][0] == ("r-0", first)
        assert (to_three[2][1][0], read_outcome(to_three[2][1][1]).verdict) == ("r-2", "void")


async def test_publishing_progress_is_saved_after_a_second_of_idleness() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY)
        assert house.store.checkpoints[HOME].published == 0
        house.clock.now += 1.0
        house.log.read_from(HOME, 3)
        await house.projector._upkeep.save_progress()
        at = house.store.checkpoints[HOME]
        assert (at.next_offset, at.published, at.outcomes_next) == (3, 3, 3)


async def test_forgotten_outcomes_are_deleted_in_bites_each_minute() -> None:
    async with at_work(House(store=MoodyStore(prunes=[True, True, False]))) as house:
        await house.clock.passes(59.9)
        assert len(house.store.prunes) == 3
        for left in (2, 1, 0):
            await house.clock.passes(0.1)
            assert len(house.store.prunes) == left
        assert [seconds for seconds in house.clock.by_upkeep if seconds != 1.0] == [60.0, 0.1, 0.1, 60.0]


async def test_outcomes_that_cannot_be_deleted_now_are_deleted_later() -> None:
    async with at_work(House(store=MoodyStore(prunes=[ConnectionError(), False]))) as house:
        await house.clock.passes(60)
        assert house.state() == (Status.LIVE, "recovered")
        await house.clock.passes(60)
        assert house.store.prunes == []


# Waiting for policies and other processes.


async def test_a_newer_event_holds_its_partition_and_is_not_lost() -> None:
    house = House()
    newer = replace(record(paused("desk", at="09:10"), 1), headers=[("ce_type", b"timer.paused.v2")])
    house.log.logs[HOME] = [record(A_DAY[0], 0), newer, record(A_DAY[2], 2)]
    with structlog.testing.capture_logs() as logs:
        async with at_work(house, HOME, NEXT_DOOR):
            assert house.state() == (Status.HELD, "newer_event")
            assert HOME not in house.log.positions
            assert house.said() == ACCEPTED[:1]
            assert house.store.checkpoints[HOME].next_offset == 1
            await house.hears(started("desk", at="09:00", owner="noam"), kpart=NEXT_DOOR)
            assert house.said(NEXT_DOOR) == [(0, "accepted", None)]
    assert alarms(logs) == [
        {"event": "event_newer_than_we_are", "partition": HOME, "event_type": "timer.paused.v2", "offset": 1}
        | {"error": "a newer release wrote this press: upgrade this process"}
    ]


async def test_a_newer_event_met_before_a_take_up_holds_nothing_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The presses before it were not committed: held there, they would wait for an upgrade."""
    house = House()
    newer = replace(record(paused("desk", at="09:10"), 1), headers=[("ce_type", b"timer.paused.v2")])
    house.log.logs[HOME] = [record(A_DAY[0], 0), newer]
    writer = house.projector._writer
    take_through = writer.take_through

    async def fails_once(batches: Sequence[Batch]) -> None:
        monkeypatch.setattr(writer, "take_through", take_through)
        house.projector.keeper.disturb(batches[0].partition, "commit_failed")
        await turns()  # it is live again before the batch of another partition has ended

    monkeypatch.setattr(writer, "take_through", fails_once)
    async with at_work(house):
        await turns()
        assert house.said() == ACCEPTED[:1]
        assert house.state() == (Status.HELD, "newer_event")


async def test_an_unread_policy_is_waited_for_beside_the_loop() -> None:
    house = House()
    house.log.logs[NEXT_DOOR] = records(started("desk", at="09:00", owner="noam"))
    with structlog.testing.capture_logs() as logs:
        async with at_work(house, HOME, NEXT_DOOR):
            await house.hears(started("desk", at="09:00", policy_rev=1), paused("desk", at="09:10", policy_rev=2))
            assert house.said() == ACCEPTED[:1]
            # This is no fault yet: the API was some milliseconds ahead of us.
            assert house.state() == (Status.HELD, "policy_awaited")
            assert HOME not in house.log.positions
            assert alarms(logs) == []
            assert house.said(NEXT_DOOR) == [(0, "accepted", None)]
            # Nor after a first glance, for a policy that the topic has.
            house.policies.look()
            await turns()
            assert (house.state(), alarms(logs)) == ((Status.HELD, "policy_awaited"), [])
            # Five seconds passed, and the policy did not come.
            house.policies.look()
            await turns()
            assert house.state() == (Status.HELD, "policy_unseen")
            house.book.apply(2, None, None, moment("12:00"))
            house.policies.look()
            await turns()
            assert house.state() == (Status.LIVE, "policy_seen")
            assert house.said() == ACCEPTED[:2]
    assert house.policies.asked == [(2, 0.2), (2, 5.0), (2, 5.0)]
    assert alarms(logs) == [{"event": "policy_unseen", "partition": HOME, "policy_rev": 2}]


# Alarms about single records.


async def test_an_alarm_names_its_records_offset_and_quotes_nothing() -> None:
    house = House()
    house.log.logs[HOME] = [
        record(started("desk", at="09:00"), 0),
        Record(1, 0, [("ce_type", b"secret")], b"secret"),
        record(started("desk", at="09:10"), 2),  # its id is taken, and it has no waiter
        record(started("desk", at="09:20", owner="noam"), 3),  # on the wrong partition
    ]
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            assert house.said() == [(0, "accepted", None), (1, "unreadable", None), (3, "refused", "R23")]
    assert alarms(logs) == [
        {"event": "record_unreadable", "partition": HOME, "offset": 1, "reason": "unknown_type"},
        {"event": "timer_id_taken_unheard", "partition": HOME, "offset": 2},
        {"event": "press_refused_internally", "partition": HOME, "offset": 3, "reason": "wrong_partition"},
    ]
