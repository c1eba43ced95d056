"""Topics: their configuration is a promise, so it is written down here a second time."""

import pytest

from shared.events.topics import PACKED, Topic, topics

DAY_MS = 86_400_000
# The broker unpacks, or packs anew, what came packed, because a codec that a reader lacks would stop its partition.
PLAIN = {"compression.type": "uncompressed"}
GZIP = {"compression.type": "gzip"}
FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
DATED = {"message.timestamp.type": "LogAppendTime"}


def named(partitions: int = 12) -> dict[str, Topic]:
    return {topic.name: topic for topic in topics(partitions)}


@pytest.mark.parametrize("partitions", [1, 12, 256])
def test_the_topics_of_owners_have_the_deployments_partitions(partitions: int) -> None:
    assert {name: topic.partitions for name, topic in named(partitions).items()} == {
        "timer.commands.v1": partitions,
        "timer.events.v1": partitions,
        "timer.texts.v1": partitions,
        "timer.outcomes.v1": partitions,
        "timer.replies.v1": 64,
        "timer.policies.v1": 1,
        "timer.dead.v1": 1,
    }


def test_presses_are_kept_for_ever_packed_and_dated_by_the_broker() -> None:
    assert named()["timer.events.v1"].config == FOR_EVER | DATED | GZIP


@pytest.mark.parametrize("name", ["timer.commands.v1", "timer.dead.v1"])
def test_commands_are_dated_by_the_broker_so_that_none_is_deleted_unread(name: str) -> None:
    """Retention goes by the time of a record. One that was queued for a week was old when it came."""
    assert named()[name].config.items() >= DATED.items()


def test_policies_are_kept_for_ever_and_dated_by_the_broker() -> None:
    assert named()["timer.policies.v1"].config == FOR_EVER | DATED | PLAIN


def test_outcomes_are_kept_for_ever_packed() -> None:
    assert named()["timer.outcomes.v1"].config == FOR_EVER | GZIP


def test_producers_pack_for_the_topics_that_are_packed_and_no_others() -> None:
    """Else the broker would pack or unpack each batch once more."""
    packed = {name for name, topic in named().items() if topic.config["compression.type"] == "gzip"}
    assert packed == PACKED


def test_an_erased_text_leaves_even_a_quiet_topics_disk_within_days() -> None:
    """Compaction alone touches neither the active segment nor a log that is not dirty enough."""
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
def test_a_topic_that_only_passes_records_on_keeps_them_briefly(name: str, kept_ms: int) -> None:
    assert named()[name].config.items() >= (PLAIN | {"retention.ms": str(kept_ms), "cleanup.policy": "delete"}).items()


def test_replies_leave_the_disk_soon() -> None:
    """Only whole segments are deleted. A busy API would else keep a gigabyte of replies on each of 64 partitions."""
    assert int(named()["timer.replies.v1"].config["segment.bytes"]) * 64 <= 1 << 30
