"""Text batch: the net effect of a run of text records."""

import json
from typing import Any
from uuid import UUID

import pytest

from services.projector.texts.batch import Erased, TextBatch, TextRecord, UnreadableText, Written, read_text
from shared.events.ids import to_long
from shared.events.texts import TimerText
from tests.support.story.presses import EVENT_ID, SHORT

OTHER_EVENT = UUID(int=EVENT_ID.int + 1)
NEIGHBOUR = SHORT + 1  # another timer in the same slot


def value(**changed: Any) -> bytes:  # noqa: ANN401 - a test gives a field any value
    return json.dumps(
        {"tenant": "acme", "owner": "dana", "event_id": str(EVENT_ID), "comment": "hi"} | changed
    ).encode()


def record(key: bytes | None, body: bytes | None) -> TextRecord:
    return TextRecord(partition=0, offset=0, key=key, value=body)


def text(comment: str, event_id: UUID = EVENT_ID) -> TimerText:
    return TimerText(tenant="acme", owner="dana", event_id=event_id, comment=comment)


def test_a_text_is_somebodys_words_about_one_timer() -> None:
    assert read_text(record(b"%d" % SHORT, value())) == Written(SHORT, text("hi"))


def test_a_record_without_value_erases_what_was_written_about_its_timer() -> None:
    assert read_text(record(b"%d" % SHORT, None)) == Erased(SHORT)


@pytest.mark.parametrize(
    "key", [None, b"", b"dana", b"\xff", b"-1", b" 1", b"9" * 19, b"9" * 10_000, to_long(SHORT).encode()]
)
def test_a_key_that_is_no_short_id_is_unreadable(key: bytes | None) -> None:
    assert read_text(record(key, value())) == UnreadableText("key: no timer's id")
    assert read_text(record(key, None)) == UnreadableText("key: no timer's id")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "body: json_invalid"),
        (b"\xff", "body: json_invalid"),
        (b"[" * 100_000, "body: json_invalid"),
        (value(comment="\ud800"), "body: json_invalid"),
        (value(event_id="7"), "body: uuid_parsing at event_id"),
        (value(comment=7), "body: string_type at comment"),
        (value(canary=1), "body: extra_forbidden"),
        (value(comment="a\x00b"), "body: U+0000, which Postgres cannot keep"),
        (value(work_item="\x00"), "body: U+0000, which Postgres cannot keep"),
        (value(owner="somebody else"), "body: the owner does not live in the timer's slot"),
    ],
)
def test_a_malformed_value_is_named_by_its_place_and_not_quoted(body: bytes, reason: str) -> None:
    assert read_text(record(b"%d" % SHORT, body)) == UnreadableText(reason)


def test_the_later_of_two_texts_of_one_event_counts() -> None:
    batch = TextBatch.of([Written(SHORT, text("one")), Written(SHORT, text("two"))])
    assert batch == TextBatch(erased=set(), kept={(SHORT, EVENT_ID): text("two")})


def test_texts_of_two_events_on_one_timer_are_two_texts() -> None:
    batch = TextBatch.of([Written(SHORT, text("one")), Written(SHORT, text("two", OTHER_EVENT))])
    assert batch.kept == {(SHORT, EVENT_ID): text("one"), (SHORT, OTHER_EVENT): text("two", OTHER_EVENT)}


def test_an_erasure_takes_earlier_texts_and_no_later_one() -> None:
    batch = TextBatch.of(
        [
            Written(SHORT, text("one")),
            Written(SHORT, text("two", OTHER_EVENT)),
            Written(NEIGHBOUR, text("mine")),
            Erased(SHORT),
            Written(SHORT, text("three")),
        ]
    )
    assert batch == TextBatch(
        erased={SHORT}, kept={(NEIGHBOUR, EVENT_ID): text("mine"), (SHORT, EVENT_ID): text("three")}
    )
