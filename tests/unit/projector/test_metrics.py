"""What a projector shows: presses as they were committed, partitions as they stand, and words of ours alone."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.command_api.desk.commands import Dialect
from services.projector.domain.fold import Repeated
from services.projector.kafka.replies import KafkaReplies
from services.projector.lag import Lag
from services.projector.metrics import (
    ALARM_NAMES,
    CHECKS,
    DIALECTS,
    UNPUBLISHED,
    WHY_DROPPED,
    FoldTally,
    Parts,
    readings,
)
from shared.kafka.clients import AIOKafkaProducer, KafkaError
from shared.kafka.kept_producer import KeptProducer
from shared.process.alarms import Alarms
from shared.process.metrics import registry_of
from tests.support.fakes.clock_house import ClockHouse, due
from tests.support.fakes.house import A_DAY, HOME, House, at_work
from tests.support.fakes.in_hand import StuckStream, record, turns
from tests.support.story.given import moment, resumed, stopped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parts_of(house: House) -> Parts:
    parts = Parts(
        tally=FoldTally(lambda: NOW),
        alarms=Alarms(ALARM_NAMES),
        checks=dict.fromkeys(CHECKS, lambda: True),
        partitions={},
        now=lambda: NOW,
        projector=house.projector,
    )
    house.projector.count = parts.tally.count
    return parts


def shown(parts: Parts) -> Samples:
    text = generate_latest(registry_of(readings(parts))).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples}


def folded(samples: Samples) -> dict[tuple[str, str, str], float]:
    """Return the presses that were folded, by dialect, verdict and rule."""
    found = {labels: value for (name, labels), value in samples.items() if name == "stint_presses_folded_total"}
    return {
        (of["dialect"], of["verdict"], of["rule"]): value for labels, value in found.items() if (of := dict(labels))
    }


async def test_each_press_is_counted_once_when_it_is_committed() -> None:
    house = House()
    parts = parts_of(house)
    async with at_work(house):
        keyed = stopped("desk", at="09:30", key="k")
        await house.hears(
            *A_DAY, keyed, keyed, resumed("desk", at="09:40"), stopped("desk", at="09:50", expires="09:45")
        )
        house.log.append(HOME, replace(record(A_DAY[0], 7), value=b"no press"))
        await turns()
        counted = folded(shown(parts))
    assert counted == {
        ("native", "accepted", "none"): 4,
        ("native", "repeated", "none"): 1,
        ("native", "refused", "R07"): 1,
        ("native", "void", "R22"): 1,
        ("none", "unreadable", "none"): 1,
    }
    samples = shown(parts)
    assert samples["stint_dead_letters_total", (("log", "events"),)] == 1
    assert samples["stint_commit_seconds_count", ()] == 7


async def test_a_commit_that_is_lost_is_counted_when_it_succeeds() -> None:
    """The store was away: the press is folded again, and counts once."""
    house = House()
    house.store.commit_raises = [ConnectionError("away")]
    parts = parts_of(house)
    async with at_work(house):
        await house.hears(A_DAY[0])
        await house.clock.passes(10)
        await turns()
    assert sum(folded(shown(parts)).values()) == 1


async def test_a_partition_is_shown_while_it_is_ours_in_the_state_that_it_has() -> None:
    house = House()
    parts = parts_of(house)

    def states() -> dict[tuple[tuple[str, str], ...], float]:
        return {labels: value for (name, labels), value in shown(parts).items() if name == "stint_partition_state"}

    async with at_work(house):
        assert {dict(labels)["state"] for labels, value in states().items() if value} == {"live"}
        assert {dict(labels)["partition"] for labels in states()} == {str(HOME)}
        house.projector.keeper.let_go(HOME)
        assert states() == {}


def test_a_dialect_that_a_foreign_program_invents_is_no_label() -> None:
    """A program with the right to write to the log may put any word there. Each must not become a series."""
    tally = FoldTally(lambda: NOW)
    entry = A_DAY[0].logged(0)
    for word in ("a", "b", "c"):
        event = entry.event.model_copy(update={"dialect": word})
        tally.count([(replace(entry, press=replace(entry.press, event=event)), Repeated(b""))])
    assert dict(tally.presses) == {("other", "repeated", "none"): 3}


def test_every_dialect_of_the_api_is_known() -> None:
    """The services import nothing of each other, so the words are in both."""
    assert set(get_args(Dialect)) < set(DIALECTS)


def test_a_reply_that_was_dropped_is_counted_under_a_word_of_ours() -> None:
    house = House()
    parts = parts_of(house)
    parts.replies = KafkaReplies(KeptProducer(AIOKafkaProducer, ()))
    parts.replies.dropped.update({"no_producer": 2, "KafkaTimeoutError": 3, "AssertionError": 1})
    dropped = {labels: value for (name, labels), value in shown(parts).items() if name == "stint_replies_dropped_total"}
    assert {dict(labels)["why"]: value for labels, value in dropped.items() if value} == {"no_producer": 2, "failed": 4}
    assert len(dropped) == len(WHY_DROPPED)


async def test_outcomes_that_kafka_has_not_acknowledged_are_counted_for_their_partition() -> None:
    stuck = StuckStream()
    house = House(outcomes=stuck)
    parts = parts_of(house)

    def unacked() -> dict[str, float]:
        found = {labels: value for (name, labels), value in shown(parts).items() if name == UNPUBLISHED.name}
        return {dict(labels)["partition"]: value for labels, value in found.items()}

    async with at_work(house, HOME, HOME + 1):
        await house.hears(*A_DAY)
        assert unacked() == {str(HOME): len(A_DAY), str(HOME + 1): 0}
        stuck.lets_go()
        await turns()
        assert unacked() == {str(HOME): 0, str(HOME + 1): 0}


async def test_before_kafka_and_postgres_were_reached_there_is_less_to_show() -> None:
    parts = replace(parts_of(House()), projector=None)
    names = {name for name, _ in shown(parts)}
    assert {"stint_ready", "stint_alarms_total"} <= names
    assert not names & {"stint_partition_state", "stint_partitions", "stint_deadline_late_seconds"}


class EndsInHand:
    """The log's ends, as a test sets them."""

    def __init__(self) -> None:
        self.said: dict[int, int] | Exception = {}

    async def ends(self) -> dict[int, int]:
        await asyncio.sleep(0)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


async def test_a_deadline_is_as_late_as_it_fell_due_long_ago() -> None:
    at = ClockHouse(live=[3])
    at.deadlines.rows.append(due("dana", at="08:59"))
    parts = parts_of(House())
    parts.clock, parts.now = at.make(), lambda: moment("09:01")
    assert shown(parts)["stint_deadline_late_seconds", ()] == 0
    running = asyncio.ensure_future(parts.clock.run())
    await turns()
    await at.passes(0.6)
    assert shown(parts)["stint_deadline_late_seconds", ()] == 120
    running.cancel()
    await asyncio.wait([running])


async def test_the_lag_is_what_the_log_has_and_the_fold_has_not() -> None:
    house, log = House(), EndsInHand()
    parts = parts_of(house)
    parts.lag = Lag(log, lambda: house.projector.keeper.ours)
    partition = (("partition", str(HOME)),)
    async with at_work(house):
        await house.hears(*A_DAY)
        log.said = {HOME: 10, HOME + 1: 5}
        await parts.lag.look()
        assert shown(parts)["stint_partition_lag_offsets", partition] == 7
        log.said = KafkaError()
        await parts.lag.look()
        assert ("stint_partition_lag_offsets", partition) not in shown(parts)
