"""Strict JSON: text that two parsers may understand differently is refused, and what is written is exact."""

import json
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from services.command_api.dialects.jsontext import read_json, seconds, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(('"', '":', '\\"', "a", ":", "\\")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(('":', '\\"', "a")), inner),
)


@hypothesis.given(VALUES, st.booleans(), st.sampled_from((None, 2)))
def test_json_is_read_as_it_is(value: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    assert read_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a" \n:2}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":1,"a":2}}',
        b'{"x":[1,{"a":1,"a":2}]}',
        b'[[{"a":[],"a":{}}]]',
        b'{"":1,"":2}',
        b'{"\\"":1,"\\"":2}',
        b'{"n":NaN}',
        b'{"n":[Infinity]}',
        b'{"n":-Infinity}',
        b'{"a":1,}',
        b"[1,]",
        b"{'a':1}",
        b'{"a":1} x',
        b"",
        b"{",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":"\t"}',
        b'{"a":01}',
        b"[" * 9000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"a":%b}' % (b"9" * 5000),
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_text_that_is_not_json_or_has_two_meanings_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its message is not shown
        read_json(body)


def test_members_of_one_name_in_two_objects_are_two_members() -> None:
    assert read_json(b'[{"a":1},{"a":{"a":"a\\":"}}]') == [{"a": 1}, {"a": {"a": 'a":'}}]


def test_an_integer_of_39_digits_is_exact() -> None:
    assert read_json(b'{"a":%d}' % (2**128 - 1)) == {"a": 2**128 - 1}


@hypothesis.given(st.integers(0, 2**63 - 1))
def test_seconds_are_written_to_the_microsecond_whatever_a_float_could_hold(us: int) -> None:
    text = written({"seconds": seconds(us)}).decode()
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == {"seconds": Decimal(us) / 1_000_000}
    assert "e" not in text.removeprefix('{"seconds":').lower()


def test_a_float_would_lose_a_microsecond() -> None:
    """The control of the test above."""
    us = 90_071_992_547_409_931
    assert written({"seconds": seconds(us)}) == b'{"seconds":90071992547.409931}'
    assert written(us / 1_000_000) != b"90071992547.409931"


@hypothesis.given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_is_written_as_it_is_but_for_quotes_and_control_characters(text: str) -> None:
    """Callers compare bytes: these are those of Python's own encoder, which wrote our first answers."""
    assert written({"text": text}) == json.dumps({"text": text}, ensure_ascii=False, separators=(",", ":")).encode()
