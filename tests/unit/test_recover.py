"""Recover: how a partition is taken up, whatever happened before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.projector.domain.fold import Kept
from services.projector.ports import Advance, Checkpoint, FencedError, WrittenOutcome
from services.projector.recover import LogWentBackError, recover
from shared.events.outcome import OUTCOME
from tests.support.given import Told, given, moment, paused, resumed, started, stopped
from tests.support.in_hand import EventsInHand, OutcomesInHand, record, records
from tests.support.outcome_store import OutcomeStore

DAY = (
    started("desk", at="09:00", key="k"),
    started("desk", at="09:00", logged="09:05", key="k"),  # known
    paused("desk", at="09:10"),
    started("desk", at="09:12"),  # its id is taken: void
    resumed("desk", at="09:20"),
    stopped("desk", at="09:30"),
)
KEPT = (0, 2, 4, 5)


@dataclass
class House:
    """A log, a judged stream and a store, each as far as a test lets it come."""

    log: EventsInHand = field(default_factory=EventsInHand)
    outcomes: OutcomesInHand = field(default_factory=OutcomesInHand)
    store: OutcomeStore = field(default_factory=OutcomeStore)

    async def recovered(self) -> Checkpoint:
        return await recover(0, self.log, self.outcomes, self.store)

    async def refuses(self, why: str) -> None:
        """Expect that nobody folds or publishes here before somebody has looked."""
        stream = list(self.outcomes.streams[0])
        with pytest.raises(LogWentBackError, match=why):
            await self.recovered()
        assert self.outcomes.streams[0] == stream


def bodies(*told: Told) -> dict[int, bytes]:
    """Return the outcomes of a log, by the offset of their press."""
    story = given(*told)
    return {one.outcome.source_offset: one.body for one in story.answers if isinstance(one, Kept)}


async def a_house(
    told: Sequence[Told] = DAY, *, committed: int = 0, published: int = 0, stream: Sequence[int] = ()
) -> House:
    """Return a house where presses below `committed` are in the store, and outcomes of `stream` on the judged one."""
    house, said = House(), bodies(*told)
    house.log.logs[0] = records(*told)
    house.outcomes.streams[0] = [said[offset] for offset in stream]
    if committed:
        last = told[committed - 1].logged(committed - 1)
        at = Checkpoint(0, committed, last.envelope.event_id, last.log_time, 1, published, len(stream))
        written = [WrittenOutcome(OUTCOME.validate_json(body), body) for o, body in said.items() if o < committed]
        await house.store.commit([Advance(0, at, written)])
    return house


def where(at: Checkpoint) -> tuple[int, int, int]:
    return at.next_offset, at.published, at.outcomes_next


# A plain start.


async def test_where_nothing_ever_was_everything_begins_at_zero() -> None:
    assert await House().recovered() == Checkpoint(0)


async def test_a_log_that_nobody_has_folded_is_folded_from_its_beginning() -> None:
    house = await a_house()
    assert await house.recovered() == Checkpoint(0)


@pytest.mark.parametrize("committed", range(1, 7))
async def test_a_partition_is_read_on_where_it_stood(committed: int) -> None:
    """The last record passed may have been kept, known or void: its id and time are checked all the same."""
    stream = [offset for offset in KEPT if offset < committed]
    house = await a_house(committed=committed, published=committed, stream=stream)
    at = await house.recovered()
    assert at == house.store.checkpoints[0]
    assert len(house.outcomes.streams[0]) == len(stream)


# The log went back.


async def test_a_log_that_is_shorter_than_what_was_folded_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    del house.log.logs[0][5:]
    await house.refuses(r"next_offset 6 lies outside the log's \[0, 5\]")


async def test_a_log_made_anew_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.log.logs[0].clear()
    await house.refuses("lies outside")


async def test_a_log_made_anew_and_grown_past_where_we_stood_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0] = records(*reversed(DAY))
    await house.refuses("is not the one that was folded")


async def test_another_record_under_the_same_id_at_another_time_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0][2] = replace(house.log.logs[0][2], timestamp=house.log.logs[0][2].timestamp + 1)
    await house.refuses("is not the one that was folded")


async def test_a_log_whose_head_was_eaten_past_where_we_stood_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 4
    await house.refuses(r"outside the log's \[4, 6\]")


async def test_a_log_that_begins_where_we_stand_cannot_be_compared_and_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 3
    await house.refuses("the record before next_offset 3 is missing")


async def test_a_log_that_begins_with_the_record_we_compare_is_fine() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 2
    assert where(await house.recovered()) == (3, 3, 2)


async def test_a_log_whose_head_was_eaten_before_anybody_folded_it_is_an_alarm() -> None:
    house = await a_house()
    house.log.begins[0] = 1
    await house.refuses(r"next_offset 0 lies outside the log's \[1, 6\]")


async def test_the_last_record_may_have_been_unreadable() -> None:
    house = House()
    house.log.logs[0] = [replace(record(DAY[0], 0), headers=[("ce_type", b"?")])]
    house.store.checkpoints[0] = Checkpoint(0, 1, None, moment("09:00"))
    assert where(await house.recovered()) == (1, 0, 0)
    house.log.logs[0] = [replace(house.log.logs[0][0], timestamp=0)]
    await house.refuses("is not the one that was folded")


async def test_what_one_release_could_not_read_another_may() -> None:
    """It was passed without its id, and its time is all there is to compare."""
    house = House()
    house.log.logs[0] = [record(DAY[0], 0)]
    house.store.checkpoints[0] = Checkpoint(0, 1, None, moment("09:00"))
    assert where(await house.recovered()) == (1, 0, 0)


async def test_what_a_newer_release_passed_is_known_by_its_id_alone() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0][2] = replace(house.log.logs[0][2], value=b"{}")
    assert where(await house.recovered()) == (3, 3, 2)


async def test_a_judged_stream_that_is_shorter_than_what_we_read_of_it_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.outcomes.streams[0].pop()
    await house.refuses(r"outcomes_next 4 lies outside the judged stream's \[0, 3\]")


async def test_a_judged_stream_that_lost_its_head_before_we_read_it_is_an_alarm() -> None:
    """What is missing may have been accepted, and would pass for void."""
    house = await a_house(stream=KEPT)
    house.outcomes.begins[0] = 1
    await house.refuses(r"outcomes_next 0 lies outside the judged stream's \[1, 4\]")
    assert house.store.bodies[0] == []


# Catching up.


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_an_empty_database_projects_what_was_judged_and_judges_only_the_rest(at_once: int) -> None:
    house = await a_house(stream=KEPT[:3])
    house.outcomes.at_once = at_once
    at = await house.recovered()
    last = DAY[4].logged(4)
    assert at == Checkpoint(0, 5, last.envelope.event_id, last.log_time, 1, 5, 3)
    assert house.store.bodies[0] == house.outcomes.streams[0]


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_an_older_dump_projects_what_it_lacks_and_nothing_twice(at_once: int) -> None:
    house = await a_house(committed=3, published=0)
    house.outcomes.streams[0] = list(bodies(*DAY).values())
    house.outcomes.at_once = at_once
    assert where(await house.recovered()) == (6, 6, 4)
    assert house.store.bodies[0] == list(bodies(*DAY).values())


async def test_of_outcomes_published_more_than_once_the_first_occurrence_counts() -> None:
    house = await a_house(stream=[0, 2, 0, 2, 4, 0, 2, 4, 5])
    assert where(await house.recovered()) == (6, 6, 9)
    assert house.store.bodies[0] == list(bodies(*DAY).values())


async def test_what_was_read_already_is_not_read_again_but_how_far_is_known() -> None:
    """A stream that ends in repetitions only."""
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.outcomes.streams[0] += house.outcomes.streams[0]
    assert where(await house.recovered()) == (6, 6, 8)


async def test_a_stream_of_another_log_is_noticed_before_anything_is_judged_or_published() -> None:
    """The events were made anew, the outcomes were not, and the database is empty."""
    house = await a_house(stream=KEPT)
    house.log.logs[0] = records(*reversed(DAY))
    await house.refuses("is not the one that was folded")


async def test_somebody_else_who_catches_up_fences_us() -> None:
    house = await a_house(stream=KEPT)

    class Overtaken(OutcomeStore):
        async def commit(self, advances: Sequence[Advance]) -> None:
            del advances
            raise FencedError

    house.store = Overtaken()
    with pytest.raises(FencedError):
        await house.recovered()


# Publishing what is committed.


@pytest.mark.parametrize(("published", "missing"), [(0, KEPT), (1, KEPT[1:]), (3, KEPT[2:]), (5, KEPT[3:])])
async def test_what_is_committed_and_not_published_is_published_in_order(
    published: int, missing: Sequence[int]
) -> None:
    house = await a_house(committed=6, published=published, stream=[o for o in KEPT if o < published])
    assert where(await house.recovered()) == (6, 6, 4)
    assert [OUTCOME.validate_json(body).source_offset for body in house.outcomes.streams[0]] == list(KEPT)
    assert house.outcomes.keys == [b"acme/dana"] * len(missing)


async def test_what_was_published_although_its_ack_was_not_heard_is_found_and_not_published_again() -> None:
    house = await a_house(committed=6, published=3, stream=KEPT[:3])
    house.store.checkpoints[0] = replace(house.store.checkpoints[0], outcomes_next=2)
    assert where(await house.recovered()) == (6, 6, 4)
    said = [OUTCOME.validate_json(body).source_offset for body in house.outcomes.streams[0]]
    assert said == [0, 2, 4, 5]


async def test_repetitions_at_the_end_of_the_stream_do_not_hide_what_came_before_them() -> None:
    """Somebody's late copy of the first outcome says nothing of the last."""
    house = await a_house(committed=6, published=0, stream=[0, 2, 4, 0, 2])
    house.store.checkpoints[0] = replace(house.store.checkpoints[0], outcomes_next=0)
    assert where(await house.recovered()) == (6, 6, 6)
    said = [OUTCOME.validate_json(body).source_offset for body in house.outcomes.streams[0]]
    assert said == [0, 2, 4, 0, 2, 5]


async def test_how_far_it_came_is_written_down_at_once() -> None:
    """A quiet partition has no next commit, and whoever takes it over would publish all of it again."""
    house = await a_house(committed=6)
    at = await house.recovered()
    assert house.store.checkpoints[0] == at
    assert where(at) == (6, 6, 4)


async def test_somebody_who_takes_over_while_we_publish_fences_us() -> None:
    house = await a_house(committed=6)

    class Overtaken(OutcomeStore):
        async def save_progress(self, at: Checkpoint) -> bool:
            del at
            return False

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
    said = [OUTCOME.validate_json(body).source_offset for body in house.outcomes.streams[0]]
    assert said == list(range(601))


async def test_when_the_fate_of_a_publish_is_unknown_the_partition_is_not_taken_up() -> None:
    house = await a_house(committed=6)
    house.outcomes.broken = ConnectionError("no ack")
    with pytest.raises(ConnectionError):
        await house.recovered()
