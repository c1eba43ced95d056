"""Feeds: slow topics, read through FastStream's broker, record by record as they lie on the log.

FastStream decodes every header, and one that is null would lose it the whole batch, silently; it publishes a handler's
return value wherever a record's `reply_to` says; and it would make a topic that is not there. None of that is wanted.
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
    """Return an unstarted broker that only reads. Give it one subscriber: `read_for_ever` looks for it."""
    return KafkaBroker(
        **address.plain_options(),
        security=address.security(),
        consumer_only=True,
        # A topic comes from the topics job or not at all.
        allow_auto_create_topics=False,
        # The handler takes records as they come: nothing to convert or to inject.
        apply_types=False,
        logger=None,
    )


async def _without_headers(raw: Raw, parse: Callable[[Raw], Awaitable[Any]]) -> Any:  # noqa: ANN401 - FastStream's own message
    if isinstance(raw, ConsumerRecord):
        return await parse(replace(raw, headers=()))
    return await parse([replace(record, headers=()) for record in raw])


async def _as_they_lie(message: Any) -> Raw:  # noqa: ANN401 - FastStream's own message
    return message.raw_message


# How every subscriber of a feed is made. Acknowledging is its own business: positions are kept by us, or by nobody.
RAW_RECORDS: Final[dict[str, Any]] = {
    "parser": _without_headers,
    "decoder": _as_they_lie,
    "ack_policy": AckPolicy.MANUAL,
    # A new reader begins at the beginning of history, not at today.
    "auto_offset_reset": "earliest",
    "no_reply": True,
}


async def read_for_ever(
    make_broker: Callable[[], KafkaBroker], watch: Callable[[AIOKafkaConsumer], Awaitable[None]], lost: str
) -> None:
    """Run a broker with one subscriber, and replace it whenever `watch` raises. `lost` is the event that is logged."""
    setbacks = Setbacks(lost)
    while True:
        broker = make_broker()
        (subscriber,) = broker.subscribers
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                await broker.start()
            setbacks.recovered()
            await watch(subscriber.consumer)  # type: ignore[attr-defined] # it is there once it is started
        except Exception as error:  # noqa: BLE001 - whatever it is, the next broker may do better
            setbacks.failed(error)
        finally:
            await ended_within(WITHIN_SECONDS, _end(broker), lost)
        await asyncio.sleep(_RETRY_AFTER_SECONDS)


async def _end(broker: KafkaBroker) -> None:
    (subscriber,) = broker.subscribers
    if (consumer := subscriber.consumer) is not None:  # type: ignore[attr-defined]
        await end_consumer(consumer)
    await broker.stop()
