"""Feeds: slow topics, read raw through FastStream's broker, record by record.

FastStream does three things that we switch off. It decodes every header, and a null header would lose it the whole
batch, silently. It publishes a handler's return value to a record's `reply_to`. It makes a topic that does not exist.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.kafka.clients import AIOKafkaConsumer, ConsumerRecord, KafkaAddress, end_consumer
from shared.process.backoff import Setbacks
from shared.process.ending import ended_within

WITHIN_SECONDS: Final = 15.0
_RETRY_AFTER_SECONDS: Final = 0.5

# A ConsumerRecord, or for a batch a list of them; aiokafka ships no types.
Raw = Any


def feed_broker(address: KafkaAddress) -> KafkaBroker:
    """Return an unstarted broker that only reads. Give it exactly one subscriber, as `read_for_ever` expects."""
    return KafkaBroker(
        **address.plain_options(),
        security=address.security(),
        consumer_only=True,
        # Only the topics job makes topics.
        allow_auto_create_topics=False,
        # The handler takes raw records: there is nothing to convert or to inject.
        apply_types=False,
        logger=None,
    )


async def _without_headers(raw: Raw, parse: Callable[[Raw], Awaitable[Any]]) -> Any:  # noqa: ANN401 - FastStream's own message
    if isinstance(raw, ConsumerRecord):
        return await parse(replace(raw, headers=()))
    return await parse([replace(record, headers=()) for record in raw])


async def _raw(message: Any) -> Raw:  # noqa: ANN401 - FastStream's own message
    return message.raw_message


# The options of every subscriber of a feed. FastStream acknowledges nothing, because positions are in Postgres, or not
# kept at all, or committed by the reader itself.
RAW_RECORDS: Final[dict[str, Any]] = {
    "parser": _without_headers,
    "decoder": _raw,
    "ack_policy": AckPolicy.MANUAL,
    # A new reader begins at the beginning of history, not at today.
    "auto_offset_reset": "earliest",
    "no_reply": True,
}


async def _whole(raw: Raw, parse: Callable[[Raw], Awaitable[Any]]) -> Any:  # noqa: ANN401 - FastStream's own message
    message = await _without_headers(raw, parse)
    message.raw_message = raw
    return message


# The same for a reader that uses headers: it gets them undecoded.
WHOLE_RECORDS: Final[dict[str, Any]] = RAW_RECORDS | {"parser": _whole}


async def read_for_ever(
    make_broker: Callable[[], KafkaBroker], watch: Callable[[AIOKafkaConsumer], Awaitable[None]], lost: str
) -> None:
    """Run a broker with one subscriber, and replace both whenever `watch` raises. `lost` is the event to log."""
    setbacks = Setbacks(lost)
    while True:
        broker = make_broker()
        (subscriber,) = broker.subscribers
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                await broker.start()
            setbacks.recovered()
            await watch(subscriber.consumer)  # type: ignore[attr-defined] # it is there once it is started
        except Exception as error:  # noqa: BLE001 - a new broker may work
            setbacks.failed(error)
        finally:
            await ended_within(WITHIN_SECONDS, _end(broker), lost)
        await asyncio.sleep(_RETRY_AFTER_SECONDS)


async def _end(broker: KafkaBroker) -> None:
    (subscriber,) = broker.subscribers
    if (consumer := subscriber.consumer) is not None:  # type: ignore[attr-defined]
        await end_consumer(consumer)
    await broker.stop()
