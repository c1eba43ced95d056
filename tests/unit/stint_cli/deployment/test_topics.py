"""The topics job: the differences that break a promise, and the topics that are not made a second time."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from services.stint_cli.brokers import FoundTopic, safety
from services.stint_cli.deployment.topics import check_topics, differences, ensure_topics, lost
from services.stint_cli.trouble import Trouble
from shared.events.topics import (
    COMMANDS,
    DEAD,
    EVENTS,
    OUTCOMES,
    PARTITIONS_MAX,
    POLICIES,
    REPLIES,
    TEXTS,
    Topic,
    topics,
)

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
        (
            COMMANDS,
            {"message.timestamp.type": "CreateTime"},
            "timer.commands.v1 has message.timestamp.type=CreateTime, not LogAppendTime",
        ),
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


@dataclass
class Cluster:
    """Stands in for Kafka's administration: one broker, with the topics of these names."""

    names: set[str]
    partitions: int = 12
    made: list[str] = field(default_factory=list)

    async def replicas(self) -> int:
        return 1

    async def find(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        wanted = {topic.name: topic for topic in topics(self.partitions)}
        there = [wanted[name] for name in names if name in self.names]
        return {topic.name: FoundTopic(topic.partitions, 1, topic.config | safety(1)) for topic in there}

    async def create(self, wanted: Sequence[Topic], replication_factor: int) -> None:
        assert replication_factor == 1
        self.made += [topic.name for topic in wanted]
        self.names |= set(self.made)


@dataclass
class Connection:
    """Stands in for Postgres: a deployment of 12 partitions."""

    has_history: bool | Exception
    written: list[str] = field(default_factory=list)

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def execute(self, sql: str, _partitions: int) -> None:
        self.written.append(sql)

    async def fetchval(self, sql: str) -> object:
        if "EXISTS" not in sql:
            return 12
        if isinstance(self.has_history, Exception):
            raise self.has_history
        return self.has_history


ALL = {topic.name for topic in topics(12)}
FOR_EVER = {EVENTS, OUTCOMES, POLICIES, TEXTS}


async def ensured(names: set[str], *, has_history: bool) -> tuple[Cluster, Connection]:
    cluster, conn = Cluster(names), Connection(has_history)
    brokers: Any = cluster
    connection: Any = conn
    await ensure_topics(brokers, connection, 12)
    return cluster, conn


async def test_a_deployment_without_history_gets_all_that_is_missing() -> None:
    cluster, _ = await ensured(set(), has_history=False)
    assert set(cluster.made) == ALL


async def test_topics_that_only_pass_things_on_are_made_anew_at_any_time() -> None:
    cluster, _ = await ensured(set(FOR_EVER), has_history=True)
    assert set(cluster.made) == {COMMANDS, REPLIES, DEAD}


@pytest.mark.parametrize("gone", [{EVENTS}, {OUTCOMES}, {POLICIES}, {TEXTS}, {EVENTS, REPLIES}, ALL])
async def test_a_topic_that_is_kept_for_ever_is_not_made_anew_under_a_history(gone: set[str]) -> None:
    """All are gone when the address leads to another Kafka. Nothing is made there, and nothing is written."""
    cluster, conn = Cluster(ALL - gone), Connection(has_history=True)
    brokers: Any = cluster
    connection: Any = conn
    told = ", ".join(topic.name for topic in topics(12) if topic.name in gone & FOR_EVER)
    with pytest.raises(Trouble, match=f"^Missing, in a deployment that has history: {told}. This is the wrong Kafka"):
        await ensure_topics(brokers, connection, 12)
    assert (cluster.made, conn.written) == ([], [])


async def test_a_database_without_tables_has_no_history() -> None:
    conn: Any = Connection(asyncpg.UndefinedTableError("relation does not exist"))
    assert await lost(conn, topics(12)) == []


async def test_a_new_deployment_may_have_as_many_partitions_as_a_position_has_room_for() -> None:
    most = PARTITIONS_MAX
    assert await missing(set(), most) == list(topics(most))
    for others in (set[str](), {TEXTS}):
        with pytest.raises(Trouble, match=f"up to {most} partitions, not {most + 1}"):
            await missing(others, most + 1)


async def test_a_deployment_that_has_its_log_keeps_its_partitions() -> None:
    """Its topics job runs again at each upgrade, and P is for life."""
    assert await missing({EVENTS}, 1024) == [topic for topic in topics(1024) if topic.name != EVENTS]


async def missing(there: set[str], partitions: int) -> list[Topic]:
    brokers: Any = Cluster(there, partitions)
    return await check_topics(brokers, partitions, 1)
