"""How we open brokers: acks, idempotence and timeouts, written out once with their reasons.

Every producer and consumer of ours comes from here. Partitions are never left to a client's hash of the key, because
librdkafka and Java differ. No topic is made by writing to it: a setting of the broker forbids that.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    ProducerClosed,
)
from pydantic import BaseModel, ConfigDict, SecretStr

from shared.events.durations import UNIX_EPOCH
from shared.kafka.lenient_records import read_leniently
from shared.kafka.quick_sending import BatchProducer

if TYPE_CHECKING:
    from faststream.security import BaseSecurity

# Readers of ours are not stopped by the name of a header.
read_leniently()

MAX_BATCH_BYTES: Final = 256 * 1024
# The type of a record's or an ack's time when it is by the broker's clock.
LOG_APPEND_TIME: Final = 1

_REQUEST_TIMEOUT_MS: Final = 10_000
_HANG_UP_SECONDS: Final = 0.1

_CALENDAR_ENDS_MS: Final = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - UNIX_EPOCH) // timedelta(milliseconds=1)

Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]


class Login(BaseModel):
    """Our user name at the broker, and how we prove it."""

    model_config = ConfigDict(frozen=True)

    mechanism: Mechanism
    user: str
    password: SecretStr


class KafkaAddress(BaseModel):
    """Where the brokers are, and how they are reached: in the clear, over TLS, over TLS with a login."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    bootstrap_servers: str
    tls: ssl.SSLContext | None = None
    login: Login | None = None

    def options(self) -> dict[str, Any]:
        """Return what every aiokafka client is opened with."""
        return self.plain_options() | self._security()

    def security(self) -> "BaseSecurity | None":
        """Return TLS and login in FastStream's words. The rest of its options is `plain_options`."""
        if self.tls is None:
            return None
        # Here, because the library takes half a second to start, and helpers and commands have none of its readers.
        from faststream.security import BaseSecurity, SASLScram256, SASLScram512  # noqa: PLC0415

        if self.login is None:
            return BaseSecurity(ssl_context=self.tls)
        scram = SASLScram256 if self.login.mechanism == "SCRAM-SHA-256" else SASLScram512
        return scram(self.login.user, self.login.password.get_secret_value(), ssl_context=self.tls)

    def _security(self) -> dict[str, Any]:
        if self.tls is None:
            return {}
        if self.login is None:
            return {"security_protocol": "SSL", "ssl_context": self.tls}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": self.tls,
            "sasl_mechanism": self.login.mechanism,
            "sasl_plain_username": self.login.user,
            "sasl_plain_password": self.login.password.get_secret_value(),
        }

    def plain_options(self) -> dict[str, Any]:
        """Return what clients are opened with, without TLS and login."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "request_timeout_ms": _REQUEST_TIMEOUT_MS,
            # A failed request is tried again after 50 ms; leaders that moved are known within 30 s.
            "metadata_max_age_ms": 30_000,
            "retry_backoff_ms": 50,
        }


async def refusal(address: KafkaAddress) -> str:
    """Return why the first broker refused us, after it did.

    aiokafka only says that it could not bootstrap. The reason is only in its log, so this connects once more to ask.
    """
    options = address.options()
    host, port, _ = collect_hosts(options["bootstrap_servers"])[0]
    wanted = ("security_protocol", "ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    given = {name: options[name] for name in wanted if name in options}
    try:
        connection = await create_conn(host, port, request_timeout_ms=_REQUEST_TIMEOUT_MS, **given)
    except (KafkaConnectionError, ConnectionResetError):
        # A broker that is spoken to in the wrong protocol hangs up without a word.
        return "it hangs up on us: it wants another KAFKA_SECURITY_PROTOCOL, or a certificate of ours"
    except (KafkaError, OSError) as error:
        return str(error)
    connection.close()
    return "it takes our connection and answers nothing: it may want a login (SASL_SSL)"


def durable_producer(address: KafkaAddress) -> AIOKafkaProducer:
    """Return an unstarted producer whose ack means: on all in-sync replicas, once, in order.

    Its batches never expire: put a deadline of your own on every wait, and never cancel a send.
    """
    return BatchProducer(
        **address.options(),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        # One batch a partition is in flight, so its size bounds what a round trip carries: 16 KiB, the default, are 15
        # outcomes. A quarter of what a broker takes in one request.
        max_batch_size=MAX_BATCH_BYTES,
    )


def quick_producer(address: KafkaAddress) -> AIOKafkaProducer:
    """Return an unstarted producer for replies: lost ones cost a look at the outcome, so the leader's ack will do."""
    return BatchProducer(**address.options(), acks=1, linger_ms=0)


def repeating_producer(address: KafkaAddress) -> AIOKafkaProducer:
    """Return an unstarted producer whose ack means: on all in-sync replicas, once or more. A failure leaves no gap."""
    return BatchProducer(**address.options(), acks="all", linger_ms=0)


def group_consumer(address: KafkaAddress, group: str, session_timeout_ms: int, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401
    """Return an unstarted consumer of a group whose offsets we keep ourselves: it commits nothing, and never jumps."""
    return AIOKafkaConsumer(
        **address.options(),
        group_id=group,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=max(session_timeout_ms // 5, 100),
        enable_auto_commit=False,
        # A position outside the log is for us to judge (`log_went_back`), never for the client to move.
        auto_offset_reset="none",
        **options,
    )


def lone_consumer(address: KafkaAddress, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401
    """Return an unstarted consumer without a group, for reading given partitions from given offsets."""
    return AIOKafkaConsumer(
        **address.options(), group_id=None, enable_auto_commit=False, auto_offset_reset="none", **options
    )


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    """Return the partitions of a topic, none when it does not exist. The consumer itself says only those it knows."""
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - what its `topics` asks, with the partitions
    return sorted(cluster.partitions_for_topic(topic) or ())


def led(consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]) -> list[TopicPartition]:
    """Return those of some partitions that have a leader, as far as a consumer knows.

    It asks for the offsets of all that it is given or of none, and waits in vain for one without a leader.
    """
    cluster = consumer._client.cluster  # noqa: SLF001 - it has no public question for it
    return [place for place in places if cluster.leader_for_partition(place) not in {None, -1}]


async def require_leader(consumer: AIOKafkaConsumer, place: TopicPartition) -> None:
    """Raise LeaderNotAvailableError at once for a partition without a leader; KafkaError: the broker is away."""
    if led(consumer, [place]):
        return
    # A consumer that has just begun knows of no topic.
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - as in `partitions_of`
    if cluster.leader_for_partition(place) in {None, -1}:
        raise LeaderNotAvailableError(place)


async def end_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, its connections too, and for good.

    Its own `stop` cancels its pending fetches, waits for them, and is ended by their cancellation before it has closed
    anything (aiokafka 0.14.0, `Fetcher.close`).
    """
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        ours = asyncio.current_task()
        if ours is not None and ours.cancelling():
            raise
        await consumer._client.close()  # noqa: SLF001 - what its `stop` was about to do


async def end_producer(producer: AIOKafkaProducer, within_seconds: float) -> None:
    """Stop a producer for good: what is not acked after `within_seconds` is never sent again.

    Its own `stop` flushes first, and an idempotent producer's batches never expire (aiokafka 0.14.0): with too few
    replicas it would flush, and its sender send again, for as long as the process lives.
    """
    stopping = asyncio.ensure_future(producer.stop())
    try:
        await asyncio.wait({stopping}, timeout=within_seconds)
    finally:
        if not stopping.done() or stopping.cancelled() or stopping.exception() is not None:
            structlog.get_logger().warning("producer_cut_off", after_seconds=within_seconds)
            stopping.cancel()
            await _cut_off(producer)


async def _cut_off(producer: AIOKafkaProducer) -> None:
    """End what a producer runs, its sender first: a request that is under way then finds no connection."""
    sending, client = producer._sender.sender_task, producer.client  # noqa: SLF001 - its `stop` waits for this task
    if sending is not None:
        sending.cancel()
    # It waits for its requests, and one that had just begun opens a connection once more.
    while True:
        _hang_up(client)
        with suppress(TimeoutError):
            async with asyncio.timeout(_HANG_UP_SECONDS):
                await client.close()
        if sending is None or sending.done():
            break
        await asyncio.wait({sending}, timeout=_HANG_UP_SECONDS)
    _fail_unacked(producer._message_accumulator)  # noqa: SLF001 - each send that waits for an ack fails with this


def _hang_up(client: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
    for connection in list(client._conns.values()):  # noqa: SLF001 - `close` alone would first send what is buffered
        if (writer := connection._writer) is not None:  # noqa: SLF001
            writer.transport.abort()
    # A request that failed waits for fresh metadata, and nothing fetches any once the client is closed.
    if (awaited := client._md_update_fut) is not None and not awaited.done():  # noqa: SLF001
        awaited.set_result(False)


def _fail_unacked(accumulator: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
    waiting = [batch for queue in accumulator._batches.values() for batch in queue]  # noqa: SLF001
    pending = accumulator._pending_batches  # noqa: SLF001
    # A batch that waits to be sent again is not pending, and its own callback would fail to take it out.
    pending.update(waiting)
    failed = list(pending)
    accumulator.fail_all(ProducerClosed())
    for batch in failed:
        for future in (batch.future, batch._drain_waiter):  # noqa: SLF001 - looked at, so that asyncio does not complain
            if not future.cancelled():
                future.exception()


def log_time_of(record: ConsumerRecord) -> datetime:
    """Return the time of a record: the brokers', or, on a topic where producers write it, any that they like."""
    return UNIX_EPOCH + timedelta(milliseconds=min(max(record.timestamp, 0), _CALENDAR_ENDS_MS))


__all__ = [
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "ConsumerRecord",
    "InvalidTimestampError",
    "KafkaAddress",
    "KafkaError",
    "LeaderNotAvailableError",
    "Login",
    "Mechanism",
    "TopicPartition",
    "durable_producer",
    "end_consumer",
    "end_producer",
    "group_consumer",
    "led",
    "log_time_of",
    "lone_consumer",
    "partitions_of",
    "quick_producer",
    "refusal",
    "repeating_producer",
    "require_leader",
]
