"""Records: whose an outcome is, told by its own bytes, and what is no outcome."""

import pytest

from services.feed.window.record import record_in
from tests.support.story.judged import outcome_bytes


def test_an_outcome_keeps_its_bytes() -> None:
    body = outcome_bytes(7)
    record = record_in(3, 9, 1, body)
    assert (record.is_outcome, record.source_offset, record.tenant, record.body) == (True, 7, "acme", body)


def test_an_outcome_of_a_later_release_is_passed_on_as_it_is() -> None:
    body = b'{"v":2,"source_offset":7,"tenant":"acme","verdict":"postponed","more":[1,{"x":null}]}'
    assert record_in(0, 0, 0, body).body == body


def test_an_unreadable_press_is_no_tenants() -> None:
    record = record_in(0, 0, 0, outcome_bytes(7, None))
    assert (record.is_outcome, record.tenant) == (True, None)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"source_offset":7}',
        b'{"source_offset":-1,"tenant":"acme"}',
        b'{"source_offset":"7","tenant":"acme"}',
        b'{"source_offset":7,"tenant":4}',
        b'{"source_offset":7,"tenant":"acme"} {"more":1}',
        b'{"source_offset":7,"tenant":"acme","text":"a\nb"}',
        b'{"source_offset":7,"tenant":"acme","text":"\xff"}',
    ],
)
def test_what_is_no_outcome_is_told_to_nobody(value: bytes | None) -> None:
    record = record_in(0, 0, 0, value)
    assert (record.is_outcome, record.tenant) == (False, None)


def test_an_outcome_is_one_line_whatever_its_writer_did() -> None:
    """A line end within an outcome would end a line of the feed, and forge the next."""
    body = b'{\r\n"source_offset":7,\n"tenant":"acme","a":"\\n"}'
    assert record_in(0, 0, 0, body).body == b'{  "source_offset":7, "tenant":"acme","a":"\\n"}'
