"""The topics job: which differences break a promise."""

import pytest

from services.stint_cli.brokers import FoundTopic
from services.stint_cli.topics import differences
from shared.events.topics import COMMANDS, EVENTS, TEXTS, topics


def found(name: str, partitions: int = 12, config: dict[str, str] | None = None) -> dict[str, FoundTopic]:
    """Return one topic as it must be, but for what is given."""
    wanted = next(topic for topic in topics(12) if topic.name == name)
    brokers_own = {"segment.bytes": "1073741824", "message.timestamp.type": "CreateTime"}
    return {name: FoundTopic(partitions, brokers_own | wanted.config | (config or {}))}


def test_topics_that_are_as_they_must_be_differ_in_nothing() -> None:
    everything: dict[str, FoundTopic] = {}
    for topic in topics(12):
        everything |= found(topic.name, topic.partitions)
    assert differences(topics(12), everything) == []


def test_topics_that_do_not_exist_yet_differ_in_nothing() -> None:
    assert differences(topics(12), {}) == []


def test_a_wrong_number_of_partitions_is_told_with_both_numbers() -> None:
    assert differences(topics(12), found(EVENTS, partitions=3)) == ["timer.events.v1 has 3 partitions, not 12"]


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
        (COMMANDS, {"cleanup.policy": "compact"}, "timer.commands.v1 has cleanup.policy=compact, not delete"),
    ],
)
def test_a_setting_that_a_promise_rests_on_is_told_with_both_values(
    topic: str, config: dict[str, str], said: str
) -> None:
    assert differences(topics(12), found(topic, config=config)) == [said]


def test_how_long_commands_wait_is_the_operators_to_choose() -> None:
    assert differences(topics(12), found(COMMANDS, config={"retention.ms": "1"})) == []
