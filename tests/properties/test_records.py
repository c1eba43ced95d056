"""Records: true of every record, with any bytes."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from hypothesis import given
from hypothesis import strategies as st

from services.projector.texts.batch import Erased, TextBatch, TextRecord, UnreadableText, Written, read_text
from shared.events.codec import Newer, Press, Unreadable, read
from shared.events.envelope import Envelope, ReplyAddress, decode_headers, encode_headers, tolerant
from shared.events.idempotency import digest_of
from shared.events.models import BODY_OF
from shared.events.policies.book import PolicyBook
from shared.events.texts import TIMER_TEXT
from shared.events.zones import instant_of, zone
from tests.support.story.presses import EVENT_ID, NOON, Headers, body, headers

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - they get one
walls = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - a wall clock has none
lines = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | lines,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(lines, inner, max_size=4),
    max_leaves=12,
)
addresses = st.builds(ReplyAddress, lines, st.integers(0, 63), lines)
envelopes = st.builds(
    Envelope,
    event_id=st.uuids(),
    type=lines,
    recorded_at=moments,
    policy_rev=st.integers(-1, 2**63 - 1),
    subject=st.none() | st.integers(0, 2**63 - 1),
    expires_at=st.none() | moments,
    correlation_id=st.none() | lines,
    traceparent=st.none() | lines,
    reply=st.none() | addresses,
    source=lines,
)
names = st.sampled_from([name for name, _ in headers()]) | lines
any_headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=40) | lines.map(str.encode)), max_size=12)


@given(envelopes)
def test_an_envelope_reads_back_as_it_was_written(envelope: Envelope) -> None:
    assert decode_headers(tolerant(encode_headers(envelope))) == envelope


@given(any_headers, st.none() | st.binary(max_size=200))
def test_a_record_of_any_bytes_reads_without_an_error(given_headers: Headers, value: bytes | None) -> None:
    assert isinstance(read(given_headers, value), Press | Unreadable | Newer)
    # Drawn headers follow the good ones, and the later win. So each header may be the only bad one.
    assert isinstance(read([*headers(), *given_headers], body()), Press | Unreadable | Newer)


@given(st.sampled_from(sorted(BODY_OF)), json_values)
def test_a_record_of_any_json_reads_without_an_error(type_: str, value: Any) -> None:  # noqa: ANN401 - anything at all
    found = read(headers(ce_type=type_), json.dumps(value).encode())
    assert isinstance(found, Unreadable)


@given(
    st.sampled_from(["owner", "tenant", "asked_at", "actor", "billable", "work_date", "reference", "more"]), json_values
)
def test_a_wrong_field_is_reported_and_not_quoted(name: str, value: Any) -> None:  # noqa: ANN401 - anything
    found = read(headers(), body(**{name: value}))
    assert isinstance(found, Newer) == (name == "more")
    if isinstance(found, Unreadable):
        assert len(found.reason) <= 200


@given(st.dictionaries(lines, st.none() | st.booleans() | lines, max_size=6), st.randoms())
def test_a_digest_depends_neither_on_order_nor_on_empty_fields(given_: dict[str, Any], chance: Any) -> None:  # noqa: ANN401 - hypothesis' own
    items = [(name, value) for name, value in given_.items() if value not in (None, "")]
    chance.shuffle(items)
    assert digest_of("start", "dana", given_) == digest_of("start", "dana", dict(items))


@given(walls, st.sampled_from(sorted(available_timezones())))
def test_a_local_time_reads_back_or_is_moved_past_the_gap(wall: datetime, name: str) -> None:
    again = instant_of(wall, name).astimezone(zone(name)).replace(tzinfo=None)
    assert again >= wall
    assert again == wall or instant_of(again, name) == instant_of(wall, name)


@given(st.lists(st.tuples(st.integers(0, 30), st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=60))))
def test_the_policy_book_takes_any_bytes(records: list[tuple[int, bytes | None, bytes | None]]) -> None:
    book = PolicyBook()
    for offset, key, value in records:
        book.apply(offset, key, value, NOON)
    assert book.position == max((offset for offset, _, _ in records), default=-1)


@given(st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=200))
def test_a_text_of_any_bytes_reads_without_an_error(key: bytes | None, value: bytes | None) -> None:
    found = read_text(TextRecord(0, 0, key, value))
    assert isinstance(found, Written | Erased | UnreadableText)


text_records = st.lists(
    st.builds(
        lambda timer, event, comment: (timer, event, comment),
        st.integers(1, 2),
        st.integers(1, 2),
        st.none() | st.sampled_from(["one", "two"]),
    ),
    max_size=12,
)


@given(text_records, st.integers(0, 12))
def test_texts_are_the_same_in_one_batch_or_in_two(records: list[tuple[int, int, str | None]], split: int) -> None:
    def rows(*runs: list[tuple[int, int, str | None]]) -> dict[tuple[int, int], str | None]:
        kept: dict[tuple[int, int], str | None] = {}
        for run in runs:
            batch = TextBatch.of([_text(*record) for record in run])
            kept = {key: value for key, value in kept.items() if key[0] not in batch.erased}
            kept |= {(timer, event.int): text.comment for (timer, event), text in batch.kept.items()}
        return kept

    one_by_one = rows(*[[record] for record in records])
    assert rows(records) == rows(records[:split], records[split:]) == one_by_one


def _text(timer: int, event: int, comment: str | None) -> Written | Erased:
    if comment is None:
        return Erased(timer)
    said = {"tenant": "acme", "owner": "dana", "event_id": str(EVENT_ID)[:-1] + str(event), "comment": comment}
    return Written(timer, TIMER_TEXT.validate_python(said))
