"""Kafka's administration. Error numbers that aiokafka returns become exceptions here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from services.stint_cli.trouble import Trouble
from shared.events.topics import Topic
from shared.kafka.clients import AIOKafkaConsumer, AIOKafkaProducer, KafkaAddress, end_consumer, refusal

MIN_INSYNC: Final = "min.insync.replicas"
UNCLEAN_ELECTION: Final = "unclean.leader.election.enable"

_REPLICAS_WANTED: Final = 3
_CREATE_TIMEOUT_MS: Final = 30_000
_SEEN_WITHIN_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 1.0
# A group has no coordinator yet, or another one than a moment ago.
_COORDINATOR_MOVES: Final = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)

Answered = TypeVar("Answered")


def safety(replication_factor: int) -> dict[str, str]:
    """Return the settings that keep acknowledged presses when one broker is lost."""
    return {MIN_INSYNC: str(max(1, replication_factor - 1)), UNCLEAN_ELECTION: "false"}


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """One topic as it exists. `replicas` is the number of the partition that has the fewest."""

    partitions: int
    replicas: int
    config: Mapping[str, str]


class Brokers:
    """One cluster, open during a command."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        # The admin client does not take the other options that producers and consumers share.
        self._admin = AIOKafkaAdminClient(**address.options())

    async def __aenter__(self) -> Self:
        try:
            await start(self._admin, self._address)
        except Trouble:
            await self._admin.close()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self._admin.close()

    async def replicas(self) -> int:
        """Return how many replicas a topic should have: one on each broker, three at most."""
        cluster: dict[str, Any] = await self._admin.describe_cluster()
        return min(_REPLICAS_WANTED, len(cluster["brokers"]))

    async def find(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        """Return the topics of `names` that exist."""
        described: list[dict[str, Any]] = await self._admin.describe_topics(list(names))
        replicas: dict[str, list[int]] = {}
        for topic in described:
            error = for_code(topic["error_code"])
            if error is UnknownTopicOrPartitionError:
                continue
            _raise_unless_fine(topic["error_code"], f"{topic['topic']} cannot be described")
            replicas[topic["topic"]] = [len(partition["replicas"]) for partition in topic["partitions"]]
        configs = await self._configs(list(replicas))
        return {name: FoundTopic(len(counts), min(counts), configs[name]) for name, counts in replicas.items()}

    async def members(self, group: str, topic: str) -> dict[int, str]:
        """Return the partitions of a topic that members of a group have, each with the address of its member."""
        found: dict[int, str] = {}
        for described in await _coordinated(partial(self._described, group)):
            _code, _group, _state, _kind, _protocol, members, *_ = described
            for _id, _client, host, _metadata, assignment in members:
                # A member that has just joined has no assignment yet.
                given = ConsumerProtocolMemberAssignment.decode(assignment).partitions() if assignment else ()
                found |= {at.partition: host.lstrip("/") for at in given if at.topic == topic}
        return found

    async def _described(self, group: str) -> list[Any]:
        found = [one for answer in await self._admin.describe_consumer_groups([group]) for one in answer.groups]
        for code, *_ in found:
            if (error := for_code(code)) in _COORDINATOR_MOVES:
                raise error
            _raise_unless_fine(code, f"the group {group} cannot be described")
        return found

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the offsets that a group has committed, by partition. One without a commit is left out."""
        found = await _coordinated(partial(self._admin.list_consumer_group_offsets, group))
        return {at.partition: kept.offset for at, kept in found.items() if at.topic == topic and kept.offset >= 0}

    async def create(self, wanted: Sequence[Topic], replication_factor: int) -> None:
        """Make topics, and return when the brokers know them all. A topic that was made meanwhile is fine."""
        answer = await self._admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=replication_factor,
                    topic_configs=dict(topic.config) | safety(replication_factor),
                )
                for topic in wanted
            ],
            timeout_ms=_CREATE_TIMEOUT_MS,
        )
        for name, code, message in answer.topic_errors:
            if for_code(code) is not TopicAlreadyExistsError:
                _raise_unless_fine(code, f"{name} cannot be made", message)
        await self._all_seen([topic.name for topic in wanted])

    async def _all_seen(self, names: Sequence[str]) -> None:
        # The brokers learn of a new topic from the controller a moment after the controller has answered.
        async with kafka_answers(_SEEN_WITHIN_SECONDS, " The topics may have been made: run it again."):
            while len(await self.find(names)) < len(names):  # noqa: ASYNC110 - nothing here could set an event
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found: dict[str, dict[str, str]] = {}
        for answer in await self._admin.describe_configs(asked):
            for code, message, _kind, name, entries in answer.resources:
                _raise_unless_fine(code, f"{name} cannot be described", message)
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found


async def _coordinated(ask: Callable[[], Awaitable[Answered]]) -> Answered:
    """Ask a group's coordinator. The first question about any group makes a cluster choose coordinators, and fails."""
    asked_until = asyncio.get_running_loop().time() + _SEEN_WITHIN_SECONDS
    while True:
        try:
            return await ask()
        except _COORDINATOR_MOVES:
            if asyncio.get_running_loop().time() > asked_until:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def kafka_answers(within_seconds: float, advice: str = "") -> AsyncIterator[None]:
    """Bound what is asked of Kafka. Raise Trouble when the time is over: a bare TimeoutError is always Postgres'."""
    try:
        async with asyncio.timeout(within_seconds):
            yield
    except TimeoutError as error:
        raise Trouble(f"Kafka did not answer within {within_seconds:.0f} s.{advice}") from error


async def start(client: AIOKafkaAdminClient | AIOKafkaConsumer | AIOKafkaProducer, address: KafkaAddress) -> None:
    """Start a client. Raise Trouble, which says why, when the brokers do not answer or refuse the client."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        raise Trouble(
            f"Kafka refuses the connection at {address.bootstrap_servers}: {await refusal(address)}. "
            "(`make up` starts a local one.)"
        ) from error


async def end_reader(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, within a second.

    A fetch that was sent at that moment can take the cancellation of its `stop` for its own (aiokafka 0.14.0,
    `Fetcher.close`), which then waits for ever. Without connections the fetch fails, and all ends.
    """
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await end_consumer(consumer)
    except TimeoutError:
        await consumer._client.close()  # noqa: SLF001 - what its `stop` would do last


def _raise_unless_fine(code: int, what: str, message: str | None = None) -> None:
    if code:
        raise Trouble(f"{what}: {message or for_code(code).__name__}.")
