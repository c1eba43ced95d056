"""The topics job: the differences that break a promise."""

from collections.abc import Sequence

import pytest

from services.stint_cli.brokers import Brokers, FoundTopic
from services.stint_cli.topics import check_topics, differences
from services.stint_cli.trouble import Trouble
from shared.events.topics import COMMANDS, EVENTS, PARTITIONS_MAX, TEXTS, topics

THREE = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}


def found(
    name: str, partitions: int = 12, config: dict[str, str] | None = None, replicas: int = 3
) -> dict[str, FoundTopic]:
    """Return one topic as it must be on three brokers, with the given differences."""
    wanted = next(topic for topic in topics(12) if topic.name == name)
    brokers_own = {"segment.bytes": "1073741824", "message.timestamp.type": "CreateTime"}
    return {name: FoundTopic(partitions, replicas, brokers_own | THREE | wanted.config | (config or {}))}


def test_correct_topics_have_no_differences() -> None:
    everything: dict[str, FoundTopic] = {}
    for topic in topics(12):
        everything |= found(topic.name, topic.partitions)
    assert differences(topics(12), everything, 3) == []


def test_missing_topics_have_no_differences() -> None:
    assert differences(topics(12), {}, 3) == []


def test_a_wrong_number_of_partitions_is_told_with_both_numbers() -> None:
    assert differences(topics(12), found(EVENTS, partitions=3), 3) == ["timer.events.v1 has 3 partitions, not 12"]


@pytest.mark.parametrize(
    ("topic", "config", "said"),
    [
        (EVENTS, {"retention.ms": "604800000"}, "timer.events.v1 has retention.ms=604800000, not -1"),
        (EVENTS, {"retention.bytes": "1"}, "timer.events.v1 has retention.bytes=1, not -1"),
        (EVENTS, {"cleanup.policy": "compact"}, "timer.events.v1 has cleanup.policy=compact, not delete"),
        (
            EVENTS,
            {"message.timestamp.type": "CreateTime"},
            "timer.events.v1 has message.timestamp.type=CreateTime, not LogAppendTime",
        ),
        (TEXTS, {"cleanup.policy": "delete"}, "timer.texts.v1 has cleanup.policy=delete, not compact"),
        (TEXTS, {"segment.ms": "604800000"}, "timer.texts.v1 has segment.ms=604800000, not 86400000"),
        (TEXTS, {"max.compaction.lag.ms": "1"}, "timer.texts.v1 has max.compaction.lag.ms=1, not 604800000"),
        (TEXTS, {"delete.retention.ms": "1"}, "timer.texts.v1 has delete.retention.ms=1, not 2592000000"),
        (COMMANDS, {"cleanup.policy": "compact"}, "timer.commands.v1 has cleanup.policy=compact, not delete"),
        (EVENTS, {"compression.type": "producer"}, "timer.events.v1 has compression.type=producer, not gzip"),
        (EVENTS, {"min.insync.replicas": "1"}, "timer.events.v1 has min.insync.replicas=1, not 2"),
        (
            TEXTS,
            {"unclean.leader.election.enable": "true"},
            "timer.texts.v1 has unclean.leader.election.enable=true, not false",
        ),
    ],
)
def test_a_setting_that_a_promise_rests_on_is_told_with_both_values(
    topic: str, config: dict[str, str], said: str
) -> None:
    assert differences(topics(12), found(topic, config=config), 3) == [said]


def test_operators_choose_how_long_commands_wait() -> None:
    assert differences(topics(12), found(COMMANDS, config={"retention.ms": "1"}), 3) == []


def test_fewer_replicas_than_wanted_are_told_with_both_numbers() -> None:
    on_one = found(EVENTS, replicas=1, config={"min.insync.replicas": "1"})
    assert differences(topics(12), on_one, 3) == [
        "timer.events.v1 has 1 replicas, not 3",
        "timer.events.v1 has min.insync.replicas=1, not 2",
    ]
    assert differences(topics(12), on_one, 1) == []


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_more_replicas_than_wanted_are_as_safe(wanted: int) -> None:
    """This happens when one of three brokers is away while the job runs."""
    assert differences(topics(12), found(EVENTS), wanted) == []


class Cluster(Brokers):
    """Brokers with these topics. No connection is opened."""

    def __init__(self, *names: str, partitions: int) -> None:
        self._found = {name: found(name, partitions)[name] for name in names}

    async def find(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        return {name: self._found[name] for name in names if name in self._found}


async def test_a_new_deployment_may_have_as_many_partitions_as_a_position_has_room_for() -> None:
    most = PARTITIONS_MAX
    assert await check_topics(Cluster(partitions=most), most, 3) == list(topics(most))
    for others in ((), (TEXTS,)):
        with pytest.raises(Trouble, match=f"up to {most} partitions, not {most + 1}"):
            await check_topics(Cluster(*others, partitions=most + 1), most + 1, 3)


async def test_a_deployment_that_has_its_log_keeps_its_partitions() -> None:
    """Its topics job runs again at each upgrade, and P is for life."""
    missing = await check_topics(Cluster(EVENTS, partitions=1024), 1024, 3)
    assert missing == [topic for topic in topics(1024) if topic.name != EVENTS]
