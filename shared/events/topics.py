"""Topics: their names, partitions and configuration. The topics job makes them; nothing else may."""

from dataclasses import dataclass, field
from typing import Final

_DAY_MS: Final = 24 * 60 * 60 * 1000

COMMANDS: Final = "timer.commands.v1"
EVENTS: Final = "timer.events.v1"
TEXTS: Final = "timer.texts.v1"
OUTCOMES: Final = "timer.outcomes.v1"
REPLIES: Final = "timer.replies.v1"
POLICIES: Final = "timer.policies.v1"
DEAD: Final = "timer.dead.v1"

# What is kept for ever and grows with each press is packed: by its producers, or else by the broker.
PACKED: Final = frozenset({EVENTS, OUTCOMES})

# All policies are on one partition: a revision is an offset, and all readers apply revisions in one order.
POLICIES_PARTITION: Final = 0
REPLIES_PREFIX: Final = "timer.replies."
REPLY_PARTITIONS: Final = 64
DEFAULT_PARTITIONS: Final = 12
# Of a new deployment. A position of the feed has a place for each partition, and must fit into a request line.
PARTITIONS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name, its number of partitions, and the configuration that its promises rest on."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def topics(partitions: int) -> tuple[Topic, ...]:
    """Return every topic of a deployment with `partitions` partitions (P, fixed for its life)."""
    # The broker's clock orders and dates presses, because a producer's may be an hour off. It dates commands too: Kafka
    # deletes by a record's time, and would delete one unread that its producer had dated a week ago.
    log_time = {"message.timestamp.type": "LogAppendTime"}
    # The broker packs anew what producers packed in another way, because a codec that one reader lacks would stop its
    # partition. Each client of Kafka has gzip, with no package beside it.
    plain, gzip = {"compression.type": "uncompressed"}, {"compression.type": "gzip"}
    for_ever = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
    # An erased text leaves the disk within about eight days, on a quiet topic too. Kafka never compacts the segment
    # that is written to, so segments are closed daily; without the lag limit an idle log may never be compacted. A
    # tombstone is kept longer than a reader may be away.
    erasable = {
        "cleanup.policy": "compact",
        "segment.ms": str(_DAY_MS),
        "max.compaction.lag.ms": str(7 * _DAY_MS),
        "delete.retention.ms": str(30 * _DAY_MS),
    }
    # Kafka deletes whole segments only, and a segment of the usual gigabyte would keep hours of replies on each disk.
    passing = {"retention.ms": str(_DAY_MS // 24), "cleanup.policy": "delete", "segment.bytes": str(16 << 20)}
    return (
        Topic(COMMANDS, partitions, {"retention.ms": str(7 * _DAY_MS), "cleanup.policy": "delete"} | log_time | plain),
        Topic(EVENTS, partitions, for_ever | log_time | gzip),
        Topic(TEXTS, partitions, erasable | plain),
        Topic(OUTCOMES, partitions, for_ever | gzip),
        Topic(REPLIES, REPLY_PARTITIONS, passing | plain),
        Topic(POLICIES, 1, for_ever | log_time | plain),
        Topic(DEAD, 1, {"retention.ms": str(30 * _DAY_MS), "cleanup.policy": "delete"} | log_time | plain),
    )
