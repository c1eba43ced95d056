"""Texts in the world: their topic, its foreign records, and the product's reading of it checked by a plain one.

Where it differs: no texts are written to Postgres here; that half is tried on real parts. Here is the pure half: with
any records on the topic, read in runs of any length, each start keeps its newest text and an erased timer keeps none.
"""

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from services.projector.texts.batch import TextBatch, TextRecord, UnreadableText, read_text
from shared.events.ids import slot_of

_STRANGE: Final[tuple[tuple[bytes | None, bytes | None], ...]] = (
    (None, b"{}"),
    (b"", None),
    (b"\xff", b"{}"),
    (b"9" * 40, b"{}"),
    (b"12", b"not json"),
    (b"12", b'{"tenant":"acme","owner":"o0"}'),
    (b"12", b'{"tenant":"acme","owner":"o0","event_id":"x","mood":1}'),
)

# By timer and event id of the start: owner, comment, work item.
Texts = dict[tuple[int, str], tuple[Any, ...]]


class TextTopic:
    """`timer.texts.v1`, all partitions in one list, in the order in which they were written."""

    def __init__(self) -> None:
        self.records: list[TextRecord] = []

    def append(self, kpart: int, key: bytes | None, value: bytes | None) -> TextRecord:
        """Append one record and return it."""
        record = TextRecord(kpart, len(self.records), key, value)
        self.records.append(record)
        return record

    def strange(self, chance: Random, partitions: int) -> None:
        """Put a foreign record: no text, or another text or an erasure of a known timer."""
        written = [record for record in self.records if record.key and record.value]
        key, value = chance.choice(_STRANGE)
        if written and chance.random() < 0.5:
            other = chance.choice(written)
            key, value = other.key, None if chance.random() < 0.3 else chance.choice(written).value
        self.append(chance.randrange(partitions), key, value)


def problems_of(topic: TextTopic, chance: Random, commented: Mapping[str, str]) -> list[str]:
    """Return where the product's reading differs from a plain one, or lacks a comment that was acked."""
    read, plain = _read(topic, chance), _plain(topic)
    differ = [key for key in sorted(read.keys() | plain.keys()) if read.get(key) != plain.get(key)]
    wrong = [f"texts: {key} is {read.get(key)} and should be {plain.get(key)}" for key in differ]
    written = {record.value for record in topic.records}
    for event_id, comment in commented.items():
        if not any(value and event_id.encode() in value and comment.encode() in value for value in written):
            wrong.append(f"texts: the comment of {event_id} was acked with its press, and is not on the topic")
    return wrong


def _read(topic: TextTopic, chance: Random) -> Texts:
    """Project the topic as the product does: in runs of any length, some of them read twice."""
    kept: Texts = {}
    upto = 0
    while upto < len(topic.records):
        begin = max(0, upto - chance.randrange(4))
        end = min(len(topic.records), upto + chance.randint(1, 9))
        fresh = [read_text(record) for record in topic.records[begin:end] if record.offset >= upto]
        batch = TextBatch.of(text for text in fresh if not isinstance(text, UnreadableText))
        kept = {key: text for key, text in kept.items() if key[0] not in batch.erased}
        kept |= {
            (timer, str(event_id)): (text.owner, text.comment, text.work_item)
            for (timer, event_id), text in batch.kept.items()
        }
        upto = end
    return kept


def _plain(topic: TextTopic) -> Texts:
    kept: Texts = {}
    for timer, said in _readable(topic):
        if said is None:
            kept = {key: text for key, text in kept.items() if key[0] != timer}
        else:
            kept[timer, said["event_id"]] = (said["owner"], said.get("comment"), said.get("work_item"))
    return kept


def _readable(topic: TextTopic) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield each record that is a text or an erasure to any reader."""
    for record in topic.records:
        key = (record.key or b"").decode(errors="replace")
        if not key.isascii() or not key.isdigit() or len(key) > 19 or int(key) >= 1 << 63:
            continue
        if record.value is None:
            yield int(key), None
            continue
        try:
            said = json.loads(record.value)
            lives_here = slot_of(said["tenant"], said["owner"]) == (int(key) >> 10) & 4095
            reads = len(said["event_id"]) == 36 and not set(said) - _FIELDS
        except (ValueError, KeyError, TypeError):
            continue
        if lives_here and reads:
            yield int(key), said


_FIELDS: Final = {"tenant", "owner", "event_id", "comment", "work_item"}
