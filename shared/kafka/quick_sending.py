"""Sending without a loop: aiokafka's producer, woken by callbacks.

aiokafka's sender (0.14.0) is a task that waits for new batches and for each of its requests, with `asyncio.wait` over
all of them, and is woken twice a request. That was half of what a request costs. Here the same steps are taken by the
callbacks of the futures that it waited for. Batches, sequence numbers, requests, retries and errors stay aiokafka's.
A batch is packed at its first sending, where its topic is known: a producer serves packed topics and others.
With care: an upgrade of aiokafka. Compare `_sender_routine` and `send_batch` with what they were.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.sender import Sender as LoopingSender
from aiokafka.producer.sender import log as aiokafkas_log

from shared.events.topics import PACKED
from shared.kafka.packing import packed


class QuickSender(LoopingSender):  # type: ignore[misc] # aiokafka ships no types
    """Sends what the accumulator holds, one request a broker at a time, as soon as a batch comes or a request ends."""

    async def _sender_routine(self) -> None:
        """Stand for the sender: the task ends with it, by cancellation or by a failure after which nothing is sent."""
        self._requests: set[asyncio.Future[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._looks_for_leaders = False
        try:
            self._drain()
            await self._failure
        except asyncio.CancelledError:
            for request in tuple(self._requests):
                await request
        except Exception as error:
            aiokafkas_log.exception("Unexpected error in sender routine")
            raise KafkaError("Unexpected error during batch delivery") from error

    def _drain(self) -> None:
        accumulator = self._message_accumulator
        batches, leaders_unknown = accumulator.drain_by_nodes(
            ignore_nodes=self._in_flight, muted_partitions=self._muted_partitions
        )
        for node_id, node_batches in batches.items():
            _pack(node_batches)
            self._in_flight.add(node_id)
            self._muted_partitions.update(node_batches)
            request = asyncio.ensure_future(self._send_produce_req(node_id, node_batches))
            self._requests.add(request)
            request.add_done_callback(self._go_on)
        # The accumulator has a new future after each drain, which is set when a batch comes.
        accumulator.waiter().add_done_callback(self._batch_came)
        # One look at a time: each drain that meets the partition would add a callback, and each callback a drain.
        if leaders_unknown and not self._looks_for_leaders:
            self._looks_for_leaders = True
            self.client.force_metadata_update().add_done_callback(self._looked)

    def _looked(self, done: "asyncio.Future[Any]") -> None:
        self._go_on(done)
        # A partition may have no leader for hours, and a look takes a millisecond of the loop: pause before the next.
        asyncio.get_running_loop().call_later(self._retry_backoff, self._may_look, done)

    def _may_look(self, done: "asyncio.Future[Any]") -> None:
        self._looks_for_leaders = False
        self._go_on(done)

    def _batch_came(self, came: "asyncio.Future[None]") -> None:
        # A drain sets the future too, and has then replaced it.
        if came is self._message_accumulator.waiter():
            self._go_on(came)

    def _go_on(self, done: "asyncio.Future[Any]") -> None:
        self._requests.discard(done)
        if self._failure.done() or self._sender_task.done():
            return
        try:
            done.result()
            self._drain()
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - each send that waits for an ack fails with this
            self._failure.set_exception(error)


def _pack(batches: Mapping[TopicPartition, Any]) -> None:
    for place, batch in batches.items():
        builder = batch._builder  # noqa: SLF001 - it builds a batch once, and keeps the bytes for its retries
        if place.topic in PACKED and builder._buffer is None:  # noqa: SLF001 - as above
            builder._buffer = packed(builder._build())  # noqa: SLF001 - as above


class BatchProducer(AIOKafkaProducer):  # type: ignore[misc] # as above
    """aiokafka's producer on a `QuickSender`, which also takes a batch without a task that waits."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - as aiokafka's own
        super().__init__(**options)
        looping: Any = self._sender
        self._sender: Any = QuickSender(
            self.client,
            acks=looping._acks,  # noqa: SLF001 - what the producer has made it with
            txn_manager=self._txn_manager,
            message_accumulator=self._message_accumulator,
            retry_backoff_ms=looping._retry_backoff * 1000,  # noqa: SLF001 - as above
            request_timeout_ms=self._request_timeout_ms,
        )

    def hand_over(self, batch: Any, topic: str, partition: int) -> "asyncio.Future[Any] | None":  # noqa: ANN401
        """Queue a batch, and return the future of its ack. Never cancel it. None: use `send_batch`, which waits.

        That is `send_batch` where it meets nothing to wait for: it knows the partition, and has sent the partition's
        previous batch. Its coroutine, and the future that shields the batch's own, cost as much as the rest of it.
        """
        accumulator, place = self._message_accumulator, TopicPartition(topic, partition)
        known = self._metadata._partitions.get(topic)  # noqa: SLF001 - the public question copies the set
        # `send_batch` raises whatever is wrong with the producer.
        fit = not accumulator._closed and accumulator._exception is None  # noqa: SLF001
        if not fit or known is None or partition not in known or accumulator._batches.get(place):  # noqa: SLF001
            return None
        handed_over: asyncio.Future[Any] = accumulator._append_batch(batch, place).future  # noqa: SLF001
        return handed_over
