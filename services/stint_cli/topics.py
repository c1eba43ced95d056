"""topics: make the topics of this deployment, and see to it that those which exist are what the promises rest on."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from services.stint_cli.brokers import Brokers, FoundTopic
from services.stint_cli.deployment import record_partitions
from services.stint_cli.trouble import Trouble
from shared.events.topics import Topic, topics

# A log that is kept for ever must be; how long the others wait for their readers is the operator's to choose.
_ALWAYS_MATTERS: Final = ("cleanup.policy", "message.timestamp.type")
_FOR_EVER: Final = "-1"


def differences(wanted: Sequence[Topic], found: Mapping[str, FoundTopic]) -> list[str]:
    """Return, one sentence each, in what the topics that exist break a promise. Those that do not exist break none."""
    return [
        sentence for topic in wanted if topic.name in found for sentence in _differences_of(topic, found[topic.name])
    ]


def _differences_of(wanted: Topic, found: FoundTopic) -> list[str]:
    said = []
    if found.partitions != wanted.partitions:
        said.append(f"{wanted.name} has {found.partitions} partitions, not {wanted.partitions}")
    for name, value in wanted.config.items():
        has = found.config.get(name)
        if has != value and (name in _ALWAYS_MATTERS or value == _FOR_EVER):
            said.append(f"{wanted.name} has {name}={has}, not {value}")
    return said


async def check_topics(brokers: Brokers, partitions: int) -> list[Topic]:
    """Return the topics that are missing. Raise Trouble when one that exists differs where it matters."""
    wanted = topics(partitions)
    found = await brokers.find([topic.name for topic in wanted])
    if wrong := differences(wanted, found):
        # Never put right from here: partitions cannot become fewer, and more would move owners away from their past.
        raise Trouble(f"{'; '.join(wrong)}. Put it right by hand, or choose another cluster.")
    return [topic for topic in wanted if topic.name not in found]


async def make_topics(brokers: Brokers, missing: Sequence[Topic], replication_factor: int | None) -> None:
    """Make what is missing. Raise Trouble when somebody else made one of them otherwise in between."""
    if missing:
        await brokers.create(missing, replication_factor or await brokers.replicas())
        found = await brokers.find([topic.name for topic in missing])
        if wrong := differences(missing, found):
            raise Trouble(f"{'; '.join(wrong)}: somebody else made it at the same time.")


async def ensure_topics(
    brokers: Brokers, conn: asyncpg.Connection, partitions: int, replication_factor: int | None = None
) -> list[Topic]:
    """Make a deployment of `partitions` partitions, in Kafka and in Postgres; return the topics that were made."""
    # Looked at first, recorded second, made last: a number that cannot be is never recorded for life.
    missing = await check_topics(brokers, partitions)
    await record_partitions(conn, partitions)
    await make_topics(brokers, missing, replication_factor)
    return missing
