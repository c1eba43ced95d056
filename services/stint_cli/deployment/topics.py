"""topics: make the topics of this deployment, and check that existing ones have the settings that promises rest on.

A topic that is kept for ever is made once, before the first press. When it is missing after a projector has folded
something, it was lost, or this is another Kafka. On one made anew, presses would be recorded and never judged, and gone
once the right one is back. Presses that no projector has folded yet leave no trace in Postgres, and hold nothing back.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from services.stint_cli.brokers import MIN_INSYNC, UNCLEAN_ELECTION, Brokers, FoundTopic, safety
from services.stint_cli.deployment.partitions import record_partitions
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from shared.events.topics import EVENTS, OUTCOMES, PARTITIONS_MAX, POLICIES, TEXTS, Topic, topics

# Logs must be kept for ever, and erased texts must go. The retention of the other topics is the operator's choice.
_ALWAYS_MATTERS: Final = (
    "cleanup.policy",
    "message.timestamp.type",
    "compression.type",
    "segment.ms",
    "max.compaction.lag.ms",
    "delete.retention.ms",
)
_FOR_EVER: Final = "-1"
_KEPT: Final = frozenset({EVENTS, OUTCOMES, POLICIES, TEXTS})
WHAT_IF_LOST: Final = (
    "This is the wrong Kafka, or the topic was deleted. Do not make it anew: "
    'docs/operations.md, "When a topic is missing", says what to do.'
)


def differences(wanted: Sequence[Topic], found: Mapping[str, FoundTopic], replication_factor: int) -> list[str]:
    """Return one sentence for each setting of an existing topic that breaks a promise. Missing topics break none."""
    wrong = []
    for topic in wanted:
        if topic.name in found:
            wrong += _differences_of(topic, found[topic.name])
            wrong += _unsafe_in(topic.name, found[topic.name], replication_factor)
    return wrong


def _differences_of(wanted: Topic, found: FoundTopic) -> list[str]:
    wrong = []
    if found.partitions != wanted.partitions:
        wrong.append(f"{wanted.name} has {found.partitions} partitions, not {wanted.partitions}")
    for name, value in wanted.config.items():
        has = found.config.get(name)
        if has != value and (name in _ALWAYS_MATTERS or value == _FOR_EVER):
            wrong.append(f"{wanted.name} has {name}={has}, not {value}")
    return wrong


def _unsafe_in(name: str, found: FoundTopic, replication_factor: int) -> list[str]:
    # More replicas than wanted are safe: with its third broker away, a cluster asks for two.
    wanted, wrong = safety(replication_factor), []
    if found.replicas < replication_factor:
        wrong.append(f"{name} has {found.replicas} replicas, not {replication_factor}")
    has = found.config.get(MIN_INSYNC, "0")
    if int(has) < int(wanted[MIN_INSYNC]):
        wrong.append(f"{name} has {MIN_INSYNC}={has}, not {wanted[MIN_INSYNC]}")
    if (has := found.config.get(UNCLEAN_ELECTION, "unknown")) != wanted[UNCLEAN_ELECTION]:
        wrong.append(f"{name} has {UNCLEAN_ELECTION}={has}, not {wanted[UNCLEAN_ELECTION]}")
    return wrong


def _must_fit(partitions: int, found: Mapping[str, FoundTopic]) -> None:
    # Only a new deployment can choose. One that has its log keeps its P, and runs this job at each upgrade.
    if partitions > PARTITIONS_MAX and EVENTS not in found:
        raise Trouble(
            f"A new deployment may have up to {PARTITIONS_MAX} partitions, not {partitions}: "
            "a position of the feed would not fit into a request line."
        )


async def check_topics(brokers: Brokers, partitions: int, replication_factor: int | None) -> list[Topic]:
    """Return the topics that are missing. Raise Trouble when one differs where it matters, or P is too large."""
    wanted = topics(partitions)
    found = await brokers.find([topic.name for topic in wanted])
    _must_fit(partitions, found)
    if wrong := differences(wanted, found, replication_factor or await brokers.replicas()):
        # Not corrected here: partitions cannot become fewer, more would move owners away from their timers, and moving
        # replicas needs an operator's eye.
        raise Trouble(f"{'; '.join(wrong)}. Correct it by hand, or choose another cluster.")
    return [topic for topic in wanted if topic.name not in found]


async def lost(conn: asyncpg.Connection, missing: Sequence[Topic]) -> list[str]:
    """Return which of the missing topics a deployment with history must have had."""
    names = [topic.name for topic in missing if topic.name in _KEPT]
    try:
        return names if names and await conn.fetchval(query("has_history")) else []
    except asyncpg.UndefinedTableError:
        return []


async def record_unless_lost(conn: asyncpg.Connection, missing: Sequence[Topic], partitions: int) -> None:
    """Record P. Raise Trouble, and record nothing, when a topic is missing that must not be made anew."""
    # One step, so that no command comes to make topics without having looked.
    if names := await lost(conn, missing):
        raise Trouble(f"Missing, in a deployment that has history: {', '.join(names)}. {WHAT_IF_LOST}")
    await record_partitions(conn, partitions)


async def make_topics(brokers: Brokers, missing: Sequence[Topic], replication_factor: int | None) -> None:
    """Make the missing topics. Raise Trouble when another run made one with other settings meanwhile."""
    if missing:
        replicas = replication_factor or await brokers.replicas()
        await brokers.create(missing, replicas)
        found = await brokers.find([topic.name for topic in missing])
        if wrong := differences(missing, found, replicas):
            raise Trouble(f"{'; '.join(wrong)}: another run made it at the same time.")


async def ensure_topics(
    brokers: Brokers, conn: asyncpg.Connection, partitions: int, replication_factor: int | None = None
) -> list[Topic]:
    """Make a deployment of `partitions` partitions, in Kafka and in Postgres; return the topics that were made.

    Raises Trouble, and makes nothing, when a topic differs where it matters or was lost.
    """
    # Check, then record, then make: a number of partitions that cannot be made is never recorded for life.
    missing = await check_topics(brokers, partitions, replication_factor)
    await record_unless_lost(conn, missing, partitions)
    await make_topics(brokers, missing, replication_factor)
    return missing
