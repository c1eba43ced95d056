"""Policies as operators set them: each is a record on `timer.policies.v1` that names the revision to replace."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from services.stint_cli.brokers import end_reader, start
from services.stint_cli.database import Session, clock_ahead
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import CLOCKS_APART_MAX, NewerPolicyError, PolicyBook
from shared.events.policy import Policy, Preset
from shared.events.topics import POLICIES, POLICIES_PARTITION
from shared.kafka.clients import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    KafkaAddress,
    KafkaError,
    TopicPartition,
    durable_producer,
    end_producer,
    log_time_of,
    lone_consumer,
)
from shared.kafka.policy_writer import UnfitPolicyError, outgoing_policy

_PARTITION: Final = TopicPartition(POLICIES, POLICIES_PARTITION)
# 14 hours.
_AUTO_CLOSE_SECONDS: Final = 50_400
_READ_SECONDS: Final = 30.0
_POLL_MS: Final = 200
_SENT_WITHIN_SECONDS: Final = 30.0
_END_SECONDS: Final = 1.0


async def read_policies(address: KafkaAddress) -> PolicyBook:
    """Return the current policies of all tenants. Raise Trouble when the topic cannot be read to its end."""
    consumer = lone_consumer(address)
    try:
        await start(consumer, address)
        consumer.assign([_PARTITION])
        consumer.seek(_PARTITION, 0)
        async with asyncio.timeout(_READ_SECONDS):
            return await _read(consumer)
    except NewerPolicyError as error:
        raise Trouble(
            "A policy was written by a newer release, or for newer time zones: run the commands of that release."
        ) from error
    except (KafkaError, OSError) as error:
        raise Trouble(f"{POLICIES} cannot be read: {str(error) or type(error).__name__}. Look at Kafka.") from error
    finally:
        await end_reader(consumer)


async def _read(consumer: AIOKafkaConsumer) -> PolicyBook:
    book = PolicyBook()
    end: int = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
    # The position also passes offsets that hold no record for readers, where a transaction ended.
    while await consumer.position(_PARTITION) < end:
        for record in (await consumer.getmany(_PARTITION, timeout_ms=_POLL_MS)).get(_PARTITION, ()):
            book.apply(record.offset, record.key, record.value, log_time_of(record))
    book.pass_gap(end)
    return book


def first_document(preset: Preset, zone: str) -> dict[str, Any]:
    """Return the document that a new tenant begins with."""
    document: dict[str, Any] = {"preset": preset.value, "zone": zone}
    if preset is Preset.ZOHO:
        # Under this preset rules may refuse a pause, and a timer that cannot be paused must end by itself.
        document["rules"] = {"R16": {"auto_close_seconds": _AUTO_CLOSE_SECONDS}}
    return document


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


async def set_policy(
    address: KafkaAddress, tenant: str, document: Policy, *, replaces: int | None, set_by: str, set_at: datetime
) -> PolicyBook:
    """Record a policy, and return all policies as they are after it. Raise Trouble when another writer was first.

    Trouble that comes after the acknowledgement says that the policy is recorded.
    """
    revision = await _recorded(address, tenant, document, replaces=replaces, set_by=set_by, set_at=set_at)
    try:
        book = await read_policies(address)
    except Trouble as trouble:
        raise Trouble(
            f"The policy is recorded as revision {revision}, and counts unless another one came just before it. Only "
            f"reading it back failed: {trouble} Look with `policy get`."
        ) from trouble
    if book.record(tenant, revision) is None:
        raise moved_on(book.latest_revision(tenant))
    return book


async def _recorded(
    address: KafkaAddress, tenant: str, document: Policy, *, replaces: int | None, set_by: str, set_at: datetime
) -> int:
    """Record a policy and return its revision. Raise Trouble when Kafka does not acknowledge it in time."""
    async with _producer(address) as producer:
        sending = asyncio.ensure_future(
            publish_policy(producer, tenant, document, replaces=replaces, set_by=set_by, set_at=set_at)
        )
        # Not cancelled after that time: a send that is cancelled may be written all the same.
        await asyncio.wait({sending}, timeout=_SENT_WITHIN_SECONDS)
        if not sending.done():
            sending.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise Trouble("Kafka does not acknowledge the policy. It may come into force: look with `policy get`.")
        try:
            return sending.result()
        except KafkaError as error:
            raise Trouble(f"The policy may be recorded, or not ({error}): look with `policy get`.") from error


def moved_on(in_force: int | None) -> Trouble:
    """Return the trouble of an operator whose document replaces a revision that is not in force."""
    if in_force is None:
        return Trouble("The tenant has no policy yet, so its first one replaces none: leave `replaces` out.")
    return Trouble(f"Revision {in_force} is in force now: read it with `policy get`, and put your change into it.")


async def ensure_first_policy(
    address: KafkaAddress, tenant: str, document: Policy, *, set_by: str, set_at: datetime
) -> bool:
    """Give a tenant its first policy. Return False, and record nothing, when the tenant has one.

    Raise Trouble when Kafka does not acknowledge it in time.
    """
    if (await read_policies(address)).latest_revision(tenant) is not None:
        return False
    # If two commands run at once, both name no revision, so the second record is void. The tenant has a policy.
    await _recorded(address, tenant, document, replaces=None, set_by=set_by, set_at=set_at)
    return True


async def check_clock(conn: Session) -> None:
    """Raise Trouble when the clock here is off: a policy that is set now would say that it was set at another time."""
    ahead = await clock_ahead(conn)
    if abs(ahead) > CLOCKS_APART_MAX:
        off = timedelta(seconds=round(abs(ahead).total_seconds()))
        where = "behind" if ahead > timedelta() else "ahead of"
        raise Trouble(f"The clock here is {off} {where} Postgres': correct it (NTP). Nothing was changed.")


def operator() -> str:
    """Return who sets a policy: the command, and the user at the terminal."""
    try:
        return f"stint {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "stint"


@asynccontextmanager
async def _producer(address: KafkaAddress) -> AsyncIterator[AIOKafkaProducer]:
    producer = durable_producer(address)
    try:
        await start(producer, address)
        yield producer
    finally:
        await end_producer(producer, _END_SECONDS)
