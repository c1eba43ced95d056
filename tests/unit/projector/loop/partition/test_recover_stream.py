"""Recover, second half: catch up with the judged stream, and publish what is committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.projector.loop.partition import recover
from services.projector.loop.partition.recover import LogWentBackError, catch_up
from services.projector.ports import Advance, Checkpoint, FencedError, Skipped, ToPublish
from shared.events.outcome import read_outcome
from tests.support.fakes.in_hand import GAP, NULL, OutcomesInHand, records
from tests.support.fakes.outcome_store import OutcomeStore
from tests.support.fakes.recovery import DAY, KEPT, RecoveryHouse, a_house, bodies, where
from tests.support.story.given import started, stopped

# Catching up.


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_an_empty_database_projects_judged_presses_and_judges_the_rest(at_once: int) -> None:
    house = await a_house(stream=KEPT[:3])
    house.outcomes.at_once = at_once
    at = await house.recovered()
    last = DAY[4].logged(4)
    assert at == Checkpoint(0, 5, last.envelope.event_id, last.log_time, 1, 5, 3)
    assert house.store.bodies[0] == house.outcomes.streams[0]


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_an_older_dump_projects_its_missing_outcomes_once(at_once: int) -> None:
    house = await a_house(committed=3, published=0)
    house.outcomes.streams[0] = list(bodies(*DAY).values())
    house.outcomes.at_once = at_once
    assert where(await house.recovered()) == (6, 6, 4)
    assert house.store.bodies[0] == list(bodies(*DAY).values())


async def test_the_first_of_repeated_outcomes_counts() -> None:
    house = await a_house(stream=[0, 2, 0, 2, 4, 0, 2, 4, 5])
    assert where(await house.recovered()) == (6, 6, 9)
    assert house.store.bodies[0] == list(bodies(*DAY).values())


async def test_repetitions_add_nothing_and_move_the_position() -> None:
    """The stream ends in repetitions only. How far it was read is known all the same."""
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.outcomes.streams[0] += house.outcomes.streams[0]
    assert where(await house.recovered()) == (6, 6, 8)


async def test_a_stream_of_another_log_is_refused_before_any_commit() -> None:
    """The events were made anew, the outcomes were not, and the database is empty. Nothing is judged or published."""
    house = await a_house(stream=KEPT)
    house.log.logs[0] = records(*reversed(DAY))
    await house.refuses("is not the one that was folded")


async def test_another_projector_that_catches_up_fences_us() -> None:
    house = await a_house(stream=KEPT)

    class Overtaken(OutcomeStore):
        async def commit(self, advances: Sequence[Advance]) -> None:
            del advances
            raise FencedError

    house.store = Overtaken()
    with pytest.raises(FencedError):
        await house.recovered()


# Far behind.


@dataclass
class HelperInHand:
    """`ports.Helpers`. Does as much of the stream as it is told to, through the same store."""

    house: RecoveryHouse
    does: int
    asked: list[int] = field(default_factory=list)

    async def catch_up(self, kpart: int, skipped: Skipped) -> None:
        self.asked.append(kpart)
        part = OutcomesInHand(streams={kpart: self.house.outcomes.streams[kpart][: self.does]})
        await catch_up(await self.house.store.checkpoint(kpart), part, self.house.store, skipped)


@pytest.mark.parametrize("does", range(5))
async def test_what_a_helper_has_not_done_is_done_here(monkeypatch: pytest.MonkeyPatch, does: int) -> None:
    """It may have died before its first commit, or in the middle."""
    monkeypatch.setattr(recover, "FAR_BEHIND", 4)
    house = await a_house(stream=KEPT)
    helper = HelperInHand(house, does)
    assert where(await house.recovered(helper)) == (6, 6, 4)
    assert helper.asked == [0]
    assert house.store.bodies[0] == house.outcomes.streams[0]


async def test_a_partition_that_is_near_is_given_to_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "FAR_BEHIND", 4)
    house = await a_house(stream=KEPT[:3])
    helper = HelperInHand(house, 4)
    await house.recovered(helper)
    assert helper.asked == []


async def test_a_log_that_went_back_is_given_to_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "FAR_BEHIND", 0)
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.log.logs[0].clear()
    helper = HelperInHand(house, 4)
    with pytest.raises(LogWentBackError):
        await house.recovered(helper)
    assert helper.asked == []


# Publishing what is committed.


@pytest.mark.parametrize(("published", "missing"), [(0, KEPT), (1, KEPT[1:]), (3, KEPT[2:]), (5, KEPT[3:])])
async def test_committed_outcomes_are_published_in_order(published: int, missing: Sequence[int]) -> None:
    house = await a_house(committed=6, published=published, stream=[o for o in KEPT if o < published])
    assert where(await house.recovered()) == (6, 6, 4)
    assert [read_outcome(body).source_offset for body in house.outcomes.streams[0]] == list(KEPT)
    assert house.outcomes.keys == [b"acme/dana"] * len(missing)


@pytest.mark.parametrize("landed", [2, 3, 4])
async def test_an_outcome_published_without_ack_is_not_published_again(landed: int) -> None:
    house = await a_house(committed=6, published=3, stream=KEPT[:landed])
    house.store.checkpoints[0] = replace(house.store.checkpoints[0], outcomes_next=2)
    assert where(await house.recovered()) == (6, 6, 4)
    said = [read_outcome(body).source_offset for body in house.outcomes.streams[0]]
    assert said == [0, 2, 4, 5]


async def test_repetitions_at_the_streams_end_hide_no_later_outcome() -> None:
    """A late copy of the first outcome does not say whether the last one was published."""
    house = await a_house(committed=6, published=0, stream=[0, 2, 4, 0, 2])
    house.store.checkpoints[0] = replace(house.store.checkpoints[0], outcomes_next=0)
    assert where(await house.recovered()) == (6, 6, 6)
    said = [read_outcome(body).source_offset for body in house.outcomes.streams[0]]
    assert said == [0, 2, 4, 0, 2, 5]


async def test_publishing_progress_is_saved_at_once() -> None:
    """A quiet partition has no next commit, and its next owner would publish all of it again."""
    house = await a_house(committed=6)
    at = await house.recovered()
    assert house.store.checkpoints[0] == at
    assert where(at) == (6, 6, 4)


async def test_another_projector_that_takes_over_meanwhile_fences_us() -> None:
    house = await a_house(committed=6)

    class Overtaken(OutcomeStore):
        async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
            return dict.fromkeys([at.kpart for at in ats], False)

    house.store = Overtaken(house.store.checkpoints, house.store.bodies)
    with pytest.raises(FencedError):
        await house.recovered()


async def test_more_than_one_batch_is_published_in_order() -> None:
    pressed = [
        started("desk", at="09:00"),
        *[stopped("desk", at=f"10:00:{n // 60:02}.{n % 60:03}") for n in range(600)],
    ]
    house = await a_house(pressed, committed=601)
    assert where(await house.recovered()) == (601, 601, 601)
    said = [read_outcome(body).source_offset for body in house.outcomes.streams[0]]
    assert said == list(range(601))


async def test_a_publish_of_unknown_fate_stops_the_recovery() -> None:
    house = await a_house(committed=6)
    house.outcomes.broken = ConnectionError("no ack")
    with pytest.raises(ConnectionError):
        await house.recovered()


async def test_a_stream_made_anew_while_we_publish_stops_the_recovery() -> None:
    class Remade(OutcomesInHand):
        async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
            self.streams[kpart].clear()
            return await super().publish(kpart, outcomes)

    house = await a_house(committed=6, published=3, stream=[0, 2])
    house.outcomes = Remade(house.outcomes.streams)
    with pytest.raises(LogWentBackError, match="2 outcomes behind offset 2 of the judged stream ended at 2"):
        await house.recovered()
    assert house.store.checkpoints[0].published == 3


async def test_a_stream_made_anew_that_has_grown_to_where_we_stand_is_an_alarm() -> None:
    """It holds the batch whose ack told that it is another one."""
    house = await a_house(committed=6, published=3, stream=[0, 2])
    house.outcomes.streams[0] = list(bodies(*DAY).values())[2:]
    await house.refuses("the outcome before outcomes_next 2 is that of record 5, and only those below 3 are published")


@pytest.mark.parametrize("strange", [b"canary, not json", NULL, GAP])
async def test_a_stranger_before_our_place_on_the_stream_tells_nothing(strange: bytes) -> None:
    house = await a_house(committed=6, published=3, stream=[0, 2, 2])
    house.outcomes.streams[0][-1] = strange
    assert where(await house.recovered()) == (6, 6, 5)
