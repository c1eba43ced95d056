"""Texts that cannot be kept, U+0000 and lone surrogates, are R03 wherever they stand in a request, in every dialect."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote_from_bytes

import pytest
from starlette.requests import Request

from services.command_api.dialects.kafka.reading import Dead, read_command
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native import reading as native
from services.command_api.dialects.native.owners.reading import read_estimate
from services.command_api.dialects.native.policy.reading import read_put
from services.command_api.dialects.parameters import query_parameters
from services.command_api.dialects.thebase import reading as thebase
from shared.events.rules import Rule
from tests.support.fakes.desks import ANY_TIME
from tests.support.story.commands import command

Read = Callable[[bytes], Rule | None]


def _rule(read: object) -> Rule | None:
    return read.rule if isinstance(read, Malformed) else None


def _commands_rule(value: bytes) -> Rule | None:
    read = read_command(command(value=value), ANY_TIME)
    return Rule.VALUE_INVALID if isinstance(read, Dead) and read.reason == Rule.VALUE_INVALID.reason else None


# How each dialect reads a body, and one that it takes.
BODIES: Final[dict[str, tuple[Read, bytes]]] = {
    "A": (lambda body: _rule(thebase.read_start(body, ANY_TIME)), b'"owner":"7"'),
    "C": (lambda body: _rule(native.read_start(body, ANY_TIME)), b'"owner":"7"'),
    "C estimate": (lambda body: _rule(read_estimate("dana", "roof", body)), b'"seconds":7'),
    "C policy": (lambda body: _rule(read_put(body, ())), b'"preset":"native","zone":"UTC","replaces":null'),
    "D": (_commands_rule, b'"tenant":"acme","owner":"7"'),
}
# As JSON spells them. There is no other spelling: a control character of its own is no JSON, nor is half of a pair.
UNWRITABLE: Final = (b"a\\u0000b", b"\\ud800", b"x\\uDC00y")
PLACES: Final = {
    "a value": b'"x":"%b"',
    "a name": b'"%b":1',
    "a value within": b'"x":{"y":[1,{"z":["%b"]}]}',
    "a name within": b'"x":[{"y":{"%b":null}}]',
}


@pytest.mark.parametrize("dialect", BODIES)
@pytest.mark.parametrize("text", UNWRITABLE, ids=bytes.decode)
@pytest.mark.parametrize("place", PLACES)
def test_an_unwritable_text_in_a_member_that_is_not_known_is_invalid(place: str, text: bytes, dialect: str) -> None:
    read, known = BODIES[dialect]
    assert read(b"{%b}" % known) is None  # the control: the body is taken without it
    assert read(b"{%b,%b}" % (known, PLACES[place] % text)) is Rule.VALUE_INVALID


@pytest.mark.parametrize("member", [b'"x":"\\\\u0000"', b'"x":"u0000"', b'"\\\\\\\\u0000":"\\u2400"'], ids=bytes.decode)
def test_a_text_that_only_looks_like_it_is_taken(member: bytes) -> None:
    """A backslash that was escaped begins no escape."""
    read, known = BODIES["A"]
    assert read(b"{%b,%b}" % (known, member)) is None


def test_a_parameter_that_is_missing_answers_before_an_unwritable_text_and_a_text_too_long_after() -> None:
    read, _ = BODIES["A"]
    assert read(b'{"x":"\\u0000"}') is Rule.PARAMETER_MISSING
    assert read(b'{"owner":"7","comment":"%b","x":"\\u0000"}' % (b"x" * 4001)) is Rule.VALUE_INVALID


@pytest.mark.parametrize("text", [b"\x00", b"a\x00b", b"\xed\xa0\x80", b"\xff"])
@pytest.mark.parametrize("place", ["x=%s", "%s=1"])
def test_an_unwritable_parameter_leaves_no_clear_request_in_dialect_b(place: str, text: bytes) -> None:
    query = "timer=start&" + place % quote_from_bytes(text)
    read = query_parameters(Request({"type": "http", "query_string": query.encode(), "headers": []}))
    assert (read.clear, read.given) == (False, {"timer": "start"})
