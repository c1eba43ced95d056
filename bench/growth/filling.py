"""Filling: a pattern is taken from the topics, and its copies are appended to them, events first."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Final, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from bench.growth.patterns import Copied, Pattern, Press, changed, placed
from deploy.local.trouble import Trouble
from shared.events.ids import partition_of, slot_of_timer
from shared.events.topics import EVENTS, OUTCOMES

_AT_ONCE: Final = 20_000
_WITHIN_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.2
_PRESSES: Final = 2


def take_pattern(kafka: str, partitions: int, owner: str, short: int, day: date) -> Pattern:
    """Return the records of a timer that `owner` has started and stopped, as soon as both outcomes are there."""
    partition = partition_of(slot_of_timer(short), partitions)
    until = time.monotonic() + _WITHIN_SECONDS
    while time.monotonic() < until:
        bodies = [(each, json.loads(each.value() or b"{}")) for each in _records(kafka, OUTCOMES, partition)]
        outcomes = [(each, body["event_id"]) for each, body in bodies if body.get("subject") == str(short)]
        if len(outcomes) == _PRESSES:
            events = {_text(each, "ce_id"): each for each in _records(kafka, EVENTS, partition)}
            return Pattern(owner, short, day, [_press(events[event_id], each, event_id) for each, event_id in outcomes])
        time.sleep(_PAUSE_SECONDS)
    raise Trouble(f"The outcomes of timer {short} are not on {OUTCOMES} after {_WITHIN_SECONDS:.0f} s.")


def _press(event: Message, outcome: Message, event_id: str) -> Press:
    return Press(
        event_id,
        event.key() or b"",
        list(_headers(event).items()),
        event.value() or b"",
        outcome.key() or b"",
        outcome.value() or b"",
    )


def _records(kafka: str, topic: str, partition: int) -> Iterator[Message]:
    """Return all records of a partition."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "bench.growth", "enable.auto.commit": False})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), _WITHIN_SECONDS)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        offset = 0
        while offset < end and (record := consumer.poll(_WITHIN_SECONDS)) is not None and record.error() is None:
            offset = (record.offset() or 0) + 1
            yield record
    finally:
        consumer.close()


def _headers(record: Message) -> dict[str, bytes]:
    headers = cast("list[tuple[str, bytes]]", record.headers() or [])
    return dict(headers)


def _text(record: Message, header: str) -> str:
    return _headers(record).get(header, b"").decode()


class Filler:
    """Appends copies of a pattern to the topics of one deployment. Its projectors have ended before."""

    def __init__(self, kafka: str, partitions: int, pattern: Pattern) -> None:
        self._partitions = partitions
        self._pattern = pattern
        # Every ack in the order of its partition's records: where the record is, and when the broker wrote it there.
        self._acked: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._producer = Producer(
            {"bootstrap.servers": kafka, "enable.idempotence": True, "queue.buffering.max.messages": 3 * _AT_ONCE}
        )

    def fill(self, timers: int, began: datetime, say: Callable[[int], None]) -> None:
        """Append the presses of so many timers. `say` is called now and then with how many there are."""
        for first in range(0, timers, _AT_ONCE):
            some = [Copied(number, began) for number in range(first, min(first + _AT_ONCE, timers))]
            self._append_events(some)
            self._append_outcomes(some)
            say(some[-1].number + 1)

    def _append_events(self, timers: Sequence[Copied]) -> None:
        self._acked.clear()
        for timer in timers:
            partition = partition_of(timer.slot, self._partitions)
            for nth, press in enumerate(self._pattern.presses):
                changes = self._pattern.changes(timer, nth)
                self._producer.produce(
                    EVENTS,
                    changed(press.event, changes),
                    changed(press.key, changes),
                    partition=partition,
                    headers=[(name, changed(value, changes)) for name, value in press.headers],
                    on_delivery=self._on_ack,
                )
            self._producer.poll(0)
        self._flush()

    def _append_outcomes(self, timers: Sequence[Copied]) -> None:
        places = {partition: iter(acked) for partition, acked in self._acked.items()}
        for timer in timers:
            partition = partition_of(timer.slot, self._partitions)
            for nth, press in enumerate(self._pattern.presses):
                changes = self._pattern.changes(timer, nth)
                outcome = placed(changed(press.outcome, changes), *next(places[partition]))
                self._producer.produce(OUTCOMES, outcome, changed(press.outcome_key, changes), partition=partition)
            self._producer.poll(0)
        self._flush()

    def _on_ack(self, error: KafkaError | None, record: Message) -> None:
        if error is not None:
            raise Trouble(f"Kafka refused what was filled in: {error}.")
        self._acked[record.partition() or 0].append((record.offset() or 0, record.timestamp()[1]))

    def _flush(self) -> None:
        if self._producer.flush(_WITHIN_SECONDS):
            raise Trouble(f"Kafka did not acknowledge what was filled in within {_WITHIN_SECONDS:.0f} s.")
