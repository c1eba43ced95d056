"""Another service: it presses through `timer.commands.v1`, and waits for the answers at a topic of its own."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

from services.stint_cli.brokers import Brokers
from shared.events.outcome import Outcome, read_replies
from shared.events.topics import COMMANDS, Topic
from shared.kafka.clients import AIOKafkaConsumer, TopicPartition, end_consumer, lone_consumer
from tests.support.stack.deployments import Deployment, Tenant

HEARD_WITHIN_SECONDS: Final = 30.0

_numbers: Final = itertools.count(1)


@dataclass
class OtherService:
    """One service of a tenant. `answers`: all outcomes that it heard, by the `ce_id` of their commands."""

    deployment: Deployment
    tenant: Tenant
    topic: str
    _consumer: AIOKafkaConsumer
    answers: dict[str, list[Outcome]] = field(default_factory=lambda: defaultdict(list))

    def headers(self, verb: str, ce_id: str, **other: bytes | None) -> dict[str, bytes]:
        """Return the headers of a command. `other` replaces some of them; None leaves one out."""
        said: dict[str, bytes | None] = {
            "ce_specversion": b"1.0",
            "ce_type": f"timer.{verb}.v1".encode(),
            "ce_id": ce_id.encode(),
            "ce_source": self.tenant.client.encode(),
            "content-type": b"application/json",
            "reply_to": self.topic.encode(),
            "reply_partition": b"0",
        }
        return {name: value for name, value in (said | other).items() if value is not None}

    async def press(
        self, verb: str, ce_id: str, *, key: str, headers: Mapping[str, bytes | None] | None = None, **body: object
    ) -> None:
        """Send one command, and return after its ack."""
        value = json.dumps({"tenant": self.tenant.name} | body).encode()
        await self.put(key, value, self.headers(verb, ce_id, **dict(headers or {})))

    async def put(self, key: str, value: bytes | None, headers: Mapping[str, bytes]) -> tuple[int, int]:
        """Send one record as it is. Return its partition and offset."""
        partition = crc32(key.encode()) % self.deployment.partitions
        sent = await self.deployment.producer.send_and_wait(
            COMMANDS, value, key.encode(), partition, headers=list(headers.items())
        )
        return partition, sent.offset

    async def heard(self, ce_ids: Collection[str], within_seconds: float = HEARD_WITHIN_SECONDS) -> dict[str, Outcome]:
        """Wait for the answers to these commands, and return the first to each."""
        try:
            async with asyncio.timeout(within_seconds):
                while not all(ce_id in self.answers for ce_id in ce_ids):
                    await self.listen()
        except TimeoutError:
            missing = [ce_id for ce_id in ce_ids if ce_id not in self.answers]
            raise TimeoutError(f"{len(missing)} of {len(ce_ids)} are not answered, as {missing[:3]}") from None
        return {ce_id: self.answers[ce_id][0] for ce_id in ce_ids}

    async def asks(self, verb: str, ce_id: str, *, key: str, **body: Any) -> Outcome:  # noqa: ANN401 - JSON
        """Send one command, and return its newest answer."""
        known = len(self.answers.get(ce_id, ()))
        await self.press(verb, ce_id, key=key, **body)
        async with asyncio.timeout(HEARD_WITHIN_SECONDS):
            while len(self.answers.get(ce_id, ())) <= known:
                await self.listen()
        return self.answers[ce_id][-1]

    async def listen(self) -> None:
        """Take the answers that have come, after a short wait for the first."""
        for records in (await self._consumer.getmany(timeout_ms=200)).values():
            for record in records:
                for reply in read_replies(record.value or b""):
                    self.answers[reply.request_id].append(reply.outcome)


@asynccontextmanager
async def other_service(deployment: Deployment, tenant: Tenant) -> AsyncIterator[OtherService]:
    """Give a service of a tenant, with a reply topic of its own."""
    topic = f"timer.replies.service-{next(_numbers)}"
    async with Brokers(deployment.kafka) as brokers:
        await brokers.create([Topic(topic, 1)], 1)
    consumer = lone_consumer(deployment.kafka, fetch_max_wait_ms=20)
    await consumer.start()
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        yield OtherService(deployment, tenant, topic, consumer)
    finally:
        await end_consumer(consumer)
