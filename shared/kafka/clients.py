"""How we open brokers: acks, idempotence and timeouts, written out once with their reasons.

Every producer and consumer of ours comes from here. Placement is never left to a client's hash of the key (librdkafka
and Java differ), and no topic is ever made by writing to it: the broker's own setting forbids that.
"""

import asyncio
import ssl
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from faststream.security import BaseSecurity, SASLScram256, SASLScram512
from pydantic import BaseModel, ConfigDict, SecretStr

from shared.kafka.lenient_records import read_leniently

# Readers of ours are not stopped by the name of a header.
read_leniently()

MAX_BATCH_BYTES: Final = 256 * 1024

_REQUEST_TIMEOUT_MS: Final = 10_000

Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]


class Login(BaseModel):
    """Who we say that we are, and how we prove it."""

    model_config = ConfigDict(frozen=True)

    mechanism: Mechanism
    user: str
    password: SecretStr


class KafkaAddress(BaseModel):
    """Where the brokers are, and how they want to be spoken to: in the clear, over TLS, over TLS with a login."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    bootstrap_servers: str
    tls: ssl.SSLContext | None = None
    login: Login | None = None

    def options(self) -> dict[str, Any]:
        """Return what every aiokafka client is opened with."""
        return self.plain_options() | self._security()

    def security(self) -> BaseSecurity | None:
        """Return the same about safety in FastStream's words; the rest of its options is `plain_options`."""
        if self.tls is None:
            return None
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
        """Return what clients are opened with, but for safety."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "request_timeout_ms": _REQUEST_TIMEOUT_MS,
            # A broker that comes back is found within a second, not after five minutes.
            "metadata_max_age_ms": 30_000,
            "retry_backoff_ms": 50,
        }


async def refusal(address: KafkaAddress) -> str:
    """Say why the first broker did not let us in, after it did not.

    A client tells its caller no more than that it could not bootstrap: the reason is only in its log.
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
    return AIOKafkaProducer(
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
    return AIOKafkaProducer(**address.options(), acks=1, linger_ms=0)


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


__all__ = [
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "ConsumerRecord",
    "KafkaAddress",
    "KafkaError",
    "Login",
    "Mechanism",
    "TopicPartition",
    "durable_producer",
    "end_consumer",
    "group_consumer",
    "lone_consumer",
    "quick_producer",
    "refusal",
]
