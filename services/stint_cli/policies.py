"""Policies as operators set them: each is a record on `timer.policies.v1` that names the revision to replace."""

import asyncio
from datetime import datetime
from typing import Final

from services.stint_cli.trouble import Trouble
from shared.events.policy import Policy
from shared.events.policy_book import NewerPolicyError, PolicyBook
from shared.events.topics import POLICIES, POLICIES_PARTITION
from shared.kafka.clients import (
    AIOKafkaProducer,
    KafkaAddress,
    TopicPartition,
    durable_producer,
    end_consumer,
    lone_consumer,
)
from shared.kafka.policy_writer import UnfitPolicyError, outgoing_policy

_PARTITION: Final = TopicPartition(POLICIES, POLICIES_PARTITION)
_READ_SECONDS: Final = 30.0


async def read_policies(address: KafkaAddress) -> PolicyBook:
    """Return the current policies of all tenants."""
    book = PolicyBook()
    consumer = lone_consumer(address)
    await consumer.start()
    try:
        consumer.assign([_PARTITION])
        consumer.seek(_PARTITION, 0)
        end: int = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
        async with asyncio.timeout(_READ_SECONDS):
            while book.position < end - 1:
                record = await consumer.getone()
                book.apply(record.offset, record.key, record.value)
    except NewerPolicyError as error:
        raise Trouble("A policy was written by a newer release: run the commands of that release.") from error
    finally:
        await end_consumer(consumer)
    return book


async def publish_policy(
    producer: AIOKafkaProducer, tenant: str, document: Policy, *, replaces: int | None, set_by: str, set_at: datetime
) -> int:
    """Record a policy and return its revision. Readers treat the record as void unless `replaces` is in force.

    Raise Trouble for an unfit document.
    """
    try:
        record = outgoing_policy(tenant, document, replaces=replaces, set_by=set_by, set_at=set_at)
    except UnfitPolicyError as unfit:
        raise Trouble(f"{unfit}.") from None
    sent = await producer.send_and_wait(POLICIES, key=record.key, value=record.value, partition=POLICIES_PARTITION)
    revision: int = sent.offset
    return revision


async def ensure_first_policy(
    address: KafkaAddress, tenant: str, document: Policy, *, set_by: str, set_at: datetime
) -> bool:
    """Give a tenant its first policy. Return False, and record nothing, when the tenant has one."""
    if (await read_policies(address)).latest_revision(tenant) is not None:
        return False
    producer = durable_producer(address)
    await producer.start()
    try:
        # If two commands run at once, both name no revision, so the second record is void. The tenant has a policy.
        await publish_policy(producer, tenant, document, replaces=None, set_by=set_by, set_at=set_at)
    finally:
        await producer.stop()
    return True
