"""The quick reader of outcomes: for any bytes it comes to what `read_outcome` comes to."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints

from services.projector.helpers import quick_reader
from services.projector.helpers.quick_reader import read_quickly
from services.projector.store.history import history_of
from shared.events.base import Instant
from shared.events.models import ToldActor
from shared.events.outcome import (
    Change,
    Closed,
    DayPart,
    Fact,
    Finding,
    NewerOutcomeError,
    Opened,
    Outcome,
    TimerAfter,
    UnreadableOutcomeError,
    Was,
    read_outcome,
    write_outcome,
)
from shared.events.topics import OUTCOMES
from tests.golden.recorded import NAMES, records

GOLDEN = read_outcome((Path(__file__).parents[1] / "golden/outcomes/stopped.v1.json").read_bytes())
lines = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
references = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC))  # noqa: DTZ001 - they get one
days = st.dates(date(1, 1, 2), date(9999, 12, 30))
ids = st.integers(0, 2**63 - 1)
numbers = st.integers(-(2**63), 2**63 - 1)
parts = st.lists(st.builds(DayPart, on=st.dates(), us=numbers, after_lock=st.booleans()), max_size=2).map(tuple)
timers = st.builds(
    TimerAfter,
    id=ids,
    owner=lines,
    account_id=references,
    job_id=references,
    project_id=references,
    work_date=st.none() | days,
    started_at=moments,
    stopped_at=st.none() | moments,
    total_us=numbers,
    last_at=moments,
    flags=st.lists(lines, max_size=2).map(tuple),
    reference=st.none() | lines,
)
closed = st.builds(
    Closed,
    seq=numbers,
    start=moments,
    end=moments,
    zone=lines,
    days=parts,
    was=st.none() | st.builds(Was, end=moments, days=parts),
    reason=st.none() | lines,
)
opened = st.none() | st.builds(Opened, seq=numbers, start=moments, zone=lines)
changes = st.builds(Change, timer=ids, by=lines, after=timers, opened=opened, closed=st.none() | closed)
findings = st.builds(Finding, timer_id=ids, rule=lines, from_=moments, to=st.none() | moments, amount_us=numbers)
outcomes = st.builds(
    Outcome,
    source_offset=numbers,
    event_id=st.none() | st.uuids(),
    event_type=st.none() | lines,
    subject=st.none() | ids,
    tenant=st.none() | lines,
    owner=st.none() | lines,
    actor=st.none() | st.builds(ToldActor, client=lines, person=st.none() | lines, role=lines),
    dialect=st.none() | lines,
    digest=st.none() | lines,
    recorded_at=st.none() | moments,
    log_time=moments,
    asked_at=st.none() | moments,
    at=st.none() | moments,
    policy_rev=numbers,
    policy_revision=st.none() | numbers,
    flags=st.lists(lines, max_size=2).map(tuple),
    findings=st.lists(findings, max_size=1).map(tuple),
    timer=st.none() | timers,
    changed=st.lists(changes, max_size=2).map(tuple),
    fact=st.none() | st.builds(Fact, kind=lines, about=lines, body=st.dictionaries(lines, lines, max_size=2)),
    due=st.none() | moments,
)
# What stands in the place of a member's value, as JSON has it or as it should not.
others = st.sampled_from(
    [
        *("", "null", "true", "0", "-1", "1.0", "1e2", "1.5", "01", "NaN", "Infinity", "{}", "[]", "[1]", "1772434804"),
        *("9" * 30, "9" * 5000, '"' + "x" * 129 + '"', '""', '" 7"', '"007"', '"+7"', '"1_000"', '"7.0"', '"\\u0037"'),
        *('"\\ud800"', '"\\ud83d\\ude00"', '"\x01"', '"RUNNING"', '"accepted"', '"later"'),
        *('"2026-03-02T07:00:04.1234567Z"', '"2026-03-02T07:00:04.9999999Z"', '"2026-03-02T09:00:04+02:00"'),
        *('"2026-03-02T07:00:04"', '"2026-03-02T07:00:04.5"', '"2026-03-02T02:00:04-05:00"'),
        *('"2026-03-02 07:00:04Z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.5Z"', '"9999-12-31"'),
        *(
            '"2026-03-02"',
            '"0001-01-01"',
            '"0001-01-02T13:00:00+14:00"',
            '"01A2225B32597B9FBA3D8A1A8E2B0A78"',
            '[{"on":"2026-03-02","us":1.0}]',
        ),
    ]
)


def alike(quick: Any, strict: Any) -> bool:  # noqa: ANN401 - any member of an outcome
    """Say whether a reading has the members of an outcome, down to the last."""
    if is_dataclass(strict):
        return all(alike(getattr(quick, field.name), getattr(strict, field.name)) for field in fields(strict))
    if isinstance(strict, tuple):
        return len(quick) == len(strict) and all(map(alike, quick, strict))
    return bool(quick == strict) and isinstance(quick, type(strict))


def came(read: Callable[[bytes], Outcome], body: bytes) -> Outcome | type[Exception]:
    try:
        return read(body)
    except (NewerOutcomeError, UnreadableOutcomeError) as error:
        return type(error)


def both_alike(body: bytes) -> bool:
    quick, strict = came(read_quickly, body), came(read_outcome, body)
    return quick == strict if isinstance(strict, type) else alike(quick, strict)


@pytest.mark.parametrize("log", NAMES)
def test_recorded_outcomes_are_read_quickly_and_alike(log: str) -> None:
    bodies = [record.value or b"" for record in records(log, OUTCOMES)]
    assert all(map(both_alike, bodies))
    assert [type(read_quickly(body)) is Outcome for body in bodies] == [b'"fact":null' not in body for body in bodies]


def test_an_instant_with_another_offset_makes_the_same_history() -> None:
    body = write_outcome(replace(GOLDEN, asked_at=GOLDEN.at))
    asked = json.loads(body)["asked_at"]
    elsewhere = datetime.fromisoformat(asked).astimezone(timezone(timedelta(hours=2))).isoformat()
    body = body.replace(f'"asked_at":"{asked}"'.encode(), f'"asked_at":"{elsewhere}"'.encode())
    assert list(history_of(read_quickly(body))) == list(history_of(read_outcome(body)))


def members(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    """Return each place in a JSON value: its container, and its name or number there."""
    here = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, name) for name, _ in here] + [found for _, inner in here for found in members(inner)]


@given(outcomes)
def test_an_outcome_as_we_write_it_is_read_quickly_and_alike(outcome: Outcome) -> None:
    body = write_outcome(outcome)
    assert alike(read_quickly(body), outcome)
    at_the_edge = b'"0001-01-0' in body or b'"9999-12-31' in body
    assert isinstance(read_quickly(body), Outcome) == (outcome.fact is not None or at_the_edge)


@given(outcomes, st.data())
def test_a_record_with_another_member_is_read_alike(outcome: Outcome, data: st.DataObject) -> None:
    """One member is dropped, told twice, has another value, or stands elsewhere; or the record has one more."""
    tree = json.loads(write_outcome(outcome))
    container, name = data.draw(st.sampled_from(members(tree)))
    other = data.draw(others)
    before, container[name] = container[name], "\x00here"
    text = json.dumps(tree, separators=(",", ":"), ensure_ascii=False)
    here = json.dumps("\x00here")
    assert text.count(here) == 1
    said = json.dumps(before, separators=(",", ":"), ensure_ascii=False)
    twice = (f'{said},"{name}":{other}', f'{other},"{name}":{said}')
    instead = data.draw(st.sampled_from([other, *twice, f'{said},"new":{other}', f" {said}", said.upper()]))
    assert both_alike(text.replace(here, instead).encode("utf-8", "surrogatepass"))
    del container[name]
    assert both_alike(json.dumps(tree, separators=(",", ":")).encode())


@given(outcomes, st.data())
def test_a_record_with_another_byte_is_read_alike(outcome: Outcome, data: st.DataObject) -> None:
    body = write_outcome(outcome)
    place = data.draw(st.integers(0, len(body)))
    byte = data.draw(st.binary(max_size=1) | st.sampled_from([b"\xed\xa0\x80", b"\\u0000", b" ", b'"', b"0", b"."]))
    assert both_alike(body[:place] + byte + body[place + 1 :])
    assert both_alike(body[:place] + byte + body[place:])
    assert both_alike(body[:place])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_alike(body: bytes) -> None:
    assert both_alike(body)


def test_without_the_comparison_an_instant_would_be_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: msgspec rounds the seventh decimal, and `read_outcome` cuts it off."""
    body = _at("2026-03-02T07:00:04.9999999Z")
    assert both_alike(body)
    said_again = SimpleNamespace(encode_into=lambda _, written: written.__init__(body))
    monkeypatch.setattr(quick_reader, "_ENCODER", said_again)
    assert not both_alike(body)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-02T13:00:00+14:00"])
def test_without_its_bounds_the_calendars_first_day_would_be_accepted(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    body = _at(moment)
    assert came(read_quickly, body) == UnreadableOutcomeError
    monkeypatch.setattr(quick_reader, "_FIRST_DAYS", b"\x00")
    assert not both_alike(body)


NOWHERE = "2026-03-02T07:00:04"


def test_an_instant_without_an_offset_is_believed_by_neither_reader() -> None:
    """Written again it is the same bytes, so the comparison alone would believe it."""
    assert came(read_quickly, _at(NOWHERE)) == came(read_outcome, _at(NOWHERE)) == UnreadableOutcomeError


def test_without_the_zone_in_its_kind_such_an_instant_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    kinds = [(kind, datetime if kind == Instant else type_) for kind, type_ in quick_reader._KINDS]
    monkeypatch.setattr(quick_reader, "_KINDS", kinds)
    monkeypatch.setattr(quick_reader, "_DECODER", msgspec.json.Decoder(quick_reader._struct_of(Outcome)))
    assert not both_alike(_at(NOWHERE))


@pytest.mark.parametrize("other", ["0%s", " %s", "+%s", "%s.0", "%s_0", "\u0660%s", "\u2003%s", "x", ""])
def test_an_id_in_another_spelling_is_read_alike(other: str) -> None:
    assert all(map(both_alike, _with_id(other)))


def test_without_its_spelling_an_id_in_other_digits_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control. Ids are text to msgspec, so the comparison alone believes any text."""
    monkeypatch.setattr(quick_reader, "_number", int)
    assert not any(map(both_alike, _with_id("\u0660%s")))


def _with_id(other: str) -> list[bytes]:
    """Return an outcome as we write it, but for the spelling of one id of its timer, and of all of them."""
    body, told = write_outcome(GOLDEN).decode(), str(GOLDEN.subject)
    assert body.count(f'"{told}"') > 1
    spelt = other.replace("%s", told)
    return [body.replace(f'"{told}"', f'"{spelt}"', count).encode() for count in (1, -1)]


def test_a_kind_that_could_be_read_in_two_ways_is_refused() -> None:
    """An outcome with a new kind of member fails here, and not in a helper."""
    for kind in (float, Annotated[int, Field(ge=0)], Annotated[str, StringConstraints(pattern="x")]):
        with pytest.raises(TypeError, match="does not know"):
            quick_reader._type_and_notes(kind)


def _at(text: str) -> bytes:
    """Return an outcome as we write it, but for the spelling of one instant."""
    return write_outcome(GOLDEN).replace(
        b'"log_time":"2026-11-28T13:32:11.738000Z"', b'"log_time":"%s"' % text.encode()
    )
