"""Topics: their configuration is a promise, so it is written here a second time."""

import pytest

from shared.events.topics import Topic, topics

DAY_MS = 86_400_000
# Whatever a producer compresses with, the broker unpacks: a codec that one reader lacks would stop its partition.
PLAIN = {"compression.type": "uncompressed"}
FOR_EVER = PLAIN | {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


def named(partitions: int = 12) -> dict[str, Topic]:
    return {topic.name: topic for topic in topics(partitions)}


@pytest.mark.parametrize("partitions", [1, 12, 256])
def test_what_concerns_an_owner_has_as_many_partitions_as_the_deployment(partitions: int) -> None:
    assert {name: topic.partitions for name, topic in named(partitions).items()} == {
        "timer.commands.v1": partitions,
        "timer.events.v1": partitions,
        "timer.texts.v1": partitions,
        "timer.outcomes.v1": partitions,
        "timer.replies.v1": 64,
        "timer.policies.v1": 1,
        "timer.dead.v1": 1,
    }


def test_presses_and_policies_are_kept_for_ever_and_dated_by_the_broker() -> None:
    for name in ("timer.events.v1", "timer.policies.v1"):
        assert named()[name].config == FOR_EVER | {"message.timestamp.type": "LogAppendTime"}


def test_outcomes_are_kept_for_ever() -> None:
    assert named()["timer.outcomes.v1"].config == FOR_EVER


def test_an_erased_text_leaves_the_disk_within_days_on_a_quiet_topic_too() -> None:
    """Compaction alone never touches the segment that is written to, nor a log that is not dirty enough."""
    assert named()["timer.texts.v1"].config == PLAIN | {
        "cleanup.policy": "compact",
        "segment.ms": str(DAY_MS),
        "max.compaction.lag.ms": str(7 * DAY_MS),
        "delete.retention.ms": str(30 * DAY_MS),
    }


@pytest.mark.parametrize(
    ("name", "kept_ms"),
    [("timer.commands.v1", 7 * DAY_MS), ("timer.replies.v1", DAY_MS // 24), ("timer.dead.v1", 30 * DAY_MS)],
)
def test_what_is_only_passed_on_is_kept_for_a_while(name: str, kept_ms: int) -> None:
    assert named()[name].config == PLAIN | {"retention.ms": str(kept_ms), "cleanup.policy": "delete"}
