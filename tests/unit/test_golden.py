"""Recorded logs: each record in tests/golden/log reads for ever, by each of our readers, and still adds up."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final, get_args

import jsonschema  # type: ignore[import-untyped]
import pytest

from deploy.pages.records import FOLDER
from services.command_api.desk.commands import Asked, Caller
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.reading import Dead, ParsedCommand, read_command
from services.command_api.openapi.document import VERSION
from services.command_api.openapi.records import RecordType, record_types
from services.command_api.submit.press import press_of
from services.feed.window.record import record_in
from services.projector.audit import audit
from services.projector.domain.entry import moment_of
from services.projector.texts.batch import Erased, TextRecord, Written, read_text
from shared.events import topics
from shared.events.brief import BriefOutcome, read_brief_replies
from shared.events.codec import Press, Unreadable, read, write_body
from shared.events.durations import microseconds
from shared.events.envelope import encode_headers
from shared.events.models import BODY_OF
from shared.events.outcome import (
    By,
    Outcome,
    State,
    Verdict,
    join_replies,
    key_of_body,
    outcome_key,
    read_outcome,
    read_replies,
    write_outcome,
)
from shared.events.policies.book import PolicyBook
from shared.packing.bodies import pack, unpack
from tests.golden.record import main
from tests.golden.recorded import NAMES, Recorded, records
from tests.support.fakes.desks import ANY_TIME, NOON

IN_FORCE: Final = {"0.1.0": [0, 1, 2]}
# What is judged in another way today: the offset and the members of each outcome that a mend of a rule has changed.
MENDED: Final[dict[str, list[tuple[int, tuple[str, ...]]]]] = {"0.1.0": []}
FACTS: Final = {"profile", "leave", "attendance", "estimate", "texts_erased"}


def of(topic: str) -> list[Any]:
    """Return the records of a topic in all logs, as cases of a test."""
    return [pytest.param(one, id=f"{log}:{one.offset}") for log in NAMES for one in records(log, topic)]


def everything(topic: str) -> list[Recorded]:
    return [one for log in NAMES for one in records(log, topic)]


def still_there(before: Any, now: Any) -> bool:  # noqa: ANN401 - any JSON
    """Say whether all that a record held is still said. A later release may say more."""
    if isinstance(before, dict) and isinstance(now, dict):
        return all(name in now and still_there(said, now[name]) for name, said in before.items())
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(still_there, before, now))
    return bool(before == now)


def satisfies(name: str, value: bytes) -> None:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(json.loads(value))


@pytest.mark.parametrize("record", of(topics.EVENTS))
def test_a_recorded_event_is_the_press_that_it_was(record: Recorded) -> None:
    press = read(record.headers, record.value)
    if isinstance(press, Unreadable):
        verdicts = [outcome.verdict for outcome in outcomes() if outcome.reason == press.reason]
        assert verdicts == ["unreadable"]
        return
    assert isinstance(press, Press)
    assert record.value is not None
    assert record.type is not None
    assert set(record.headers) <= set(encode_headers(press.envelope))
    assert still_there(json.loads(record.value), json.loads(write_body(press.event)))
    satisfies(record.type, record.value)


def outcomes() -> Iterator[Outcome]:
    for record in everything(topics.OUTCOMES):
        yield read_outcome(record.value or b"")


@pytest.mark.parametrize("record", of(topics.OUTCOMES))
def test_a_recorded_outcome_says_to_each_reader_what_it_said(record: Recorded) -> None:
    body = record.value or b""
    outcome = read_outcome(body)
    assert still_there(json.loads(body), json.loads(write_outcome(outcome)))
    # The quick reader of whole outcomes is tried beside this one in tests/properties; these read two members alone.
    assert key_of_body(body) == outcome_key(outcome) == record.key
    streamed = record_in(0, record.offset, record.timestamp, body)
    assert (streamed.source_offset, streamed.tenant, streamed.body) == (outcome.source_offset, outcome.tenant, body)
    assert unpack(pack(body)) == body
    satisfies("timer.outcome.v1", body)


@pytest.mark.parametrize("record", of(topics.REPLIES))
def test_a_recorded_reply_is_heard_as_it_was_written(record: Recorded) -> None:
    body = record.value or b""
    whole, heard = read_replies(body), read_brief_replies(body)
    written = join_replies([(reply.request_id, write_outcome(reply.outcome)) for reply in whole])
    assert still_there(json.loads(body), json.loads(written))
    assert [reply.request_id for reply in heard] == [reply.request_id for reply in whole]
    for short, long in zip(heard, whole, strict=True):
        assert all(getattr(short.outcome, one.name) == getattr(long.outcome, one.name) for one in fields(BriefOutcome))
    satisfies("timer.replies.v1", body)


@pytest.mark.parametrize("log", NAMES)
def test_recorded_policies_come_into_force_as_they_did(log: str) -> None:
    book, in_force = PolicyBook(), []
    for record in records(log, topics.POLICIES):
        if (taken := book.apply(record.offset, record.key, record.value, moment_of(record.timestamp))) is not None:
            tenant, document = taken
            said = json.loads(record.value or b"")
            assert tenant == (record.key or b"").decode()
            assert still_there(said, document.model_dump(mode="json", by_alias=True))
            in_force.append(record.offset)
        satisfies("timer.policy.v1", record.value or b"")
    assert in_force == IN_FORCE[log]


@pytest.mark.parametrize("record", of(topics.TEXTS))
def test_a_recorded_text_is_what_was_written_or_an_erasure(record: Recorded) -> None:
    text = read_text(TextRecord(0, record.offset, record.key, record.value))
    if record.value is None:
        assert isinstance(text, Erased)
        return
    assert isinstance(text, Written)
    assert still_there(json.loads(record.value), text.text.model_dump(mode="json"))
    satisfies("timer.text.v1", record.value)


@pytest.mark.parametrize("log", NAMES)
def test_recorded_commands_are_the_presses_or_the_dead_letters_that_they_were(log: str) -> None:
    presses = {dict(one.headers)["ce_id"]: one.value for one in records(log, topics.EVENTS)}
    dead = {(one.key, one.value): dict(one.headers) for one in records(log, topics.DEAD)}
    for record in records(log, topics.COMMANDS):
        said = read_command(CommandRecord(0, record.offset, record.key, record.value, record.headers, NOON), ANY_TIME)
        if isinstance(said, Dead):
            letter = dead.pop((record.key, record.value))
            # The sentence is for people, and may become clearer.
            assert (letter["dead_reason"], bool(letter["dead_detail"])) == (said.reason.encode(), True)
            assert set(record.headers) <= set(letter.items())
            continue
        assert isinstance(said, ParsedCommand)
        caller = Caller(said.tenant, said.client, "machine")
        asked = Asked(said.command, caller, "kafka", said.key)
        press = press_of(asked, now=moment_of(record.timestamp), expires_after=timedelta(seconds=30))
        assert presses[str(press.event_id).encode()] == press.body()
        satisfies(record.type or "", record.value or b"")
    assert dead == {}


@pytest.mark.parametrize("log", NAMES)
def test_a_recorded_log_is_judged_as_it_was(log: str) -> None:
    assert differences(log, records(log, topics.EVENTS)) == MENDED[log]
    # The control: a log on which one press came a minute later has another outcome.
    late = [
        replace(one, timestamp=one.timestamp + 60_000) if one.type == "timer.stopped.v1" else one
        for one in records(log, topics.EVENTS)
    ]
    assert differences(log, late) != MENDED[log]


def differences(log: str, events: list[Recorded]) -> list[tuple[int, tuple[str, ...]]]:
    book = PolicyBook()
    for record in records(log, topics.POLICIES):
        book.apply(record.offset, record.key, record.value, moment_of(record.timestamp))
    told = (record.value or b"" for record in records(log, topics.OUTCOMES))
    # A member that is new, and null, differs in bytes alone.
    return [(found.source_offset, found.fields) for found in audit(0, events, told, book, 1) if found.fields]


def test_the_recorded_minutes_still_add_up() -> None:
    """A timer's total is the sum of its intervals, and of their days, without ends that were taken back."""
    intervals: Counter[int] = Counter()
    days: Counter[int] = Counter()
    totals: dict[int, int] = {}
    for outcome in outcomes():
        for change in outcome.changed:
            totals[change.timer] = change.after.total_us
            if (closed := change.closed) is not None:
                intervals[change.timer] += microseconds(closed.start, closed.end)
                days[change.timer] += sum(part.us for part in closed.days)
                if closed.was is not None:
                    intervals[change.timer] -= microseconds(closed.start, closed.was.end)
                    days[change.timer] -= sum(part.us for part in closed.was.days)
    assert len(totals) > 5
    assert intervals == days == totals


def test_every_type_of_record_is_recorded() -> None:
    held = {topic: {one.type for one in everything(topic)} for topic in {one.topic for one in record_types()}}
    several = {topics.COMMANDS, topics.EVENTS}
    missing = [
        one.name for one in record_types() if (one.name if one.topic in several else None) not in held[one.topic]
    ]
    assert missing == []
    assert set(BODY_OF) <= held[topics.EVENTS]
    assert everything(topics.DEAD) != []
    assert VERSION in NAMES


@pytest.mark.parametrize("one", record_types(), ids=lambda one: one.name)
def test_every_member_of_a_record_is_recorded(one: RecordType) -> None:
    """A member that is new: write a log that has it, beside those that are there (tests/golden/record.py)."""
    alike = [other for other in record_types() if other.topic == one.topic]
    # What each event says is said of one of them.
    of_all = set.intersection(*(members(other.schema()) for other in alike)) if one.topic == topics.EVENTS else set()
    theirs = [record for record in everything(one.topic) if record.type in {None, one.name}]
    wanted = members(one.schema()) - of_all - given(theirs)
    # The outcome in a reply has the bytes that it has on its own topic.
    assert {path for path in wanted if not path.startswith("[].outcome.")} == set()
    assert of_all <= given(everything(one.topic))


def test_every_word_of_an_outcome_is_recorded() -> None:
    told = list(outcomes())
    answered = [reply.outcome for record in everything(topics.REPLIES) for reply in read_replies(record.value or b"")]
    changes = [change for outcome in told for change in outcome.changed]
    assert {outcome.verdict for outcome in (*told, *answered)} == set(get_args(Verdict))
    assert {change.by for change in changes} == set(get_args(By))
    assert {change.after.state for change in changes} == set(State)
    assert {outcome.fact.kind for outcome in told if outcome.fact is not None} == FACTS
    assert {outcome.rule for outcome in answered if outcome.verdict == "refused"} == {"R24"}


def test_a_log_that_is_there_is_never_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["record"])
    with pytest.raises(SystemExit, match="never edited"):
        main()


def members(schema: dict[str, Any]) -> set[str]:
    """Return the path of each member that a schema lists, at every depth."""
    return set(_members(schema, schema, ""))


def _members(whole: dict[str, Any], part: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any part of a schema
    if isinstance(reference := part.get("$ref"), str):
        yield from _members(whole, whole["$defs"][reference.removeprefix("#/$defs/")], path)
    for name, inner in part.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _members(whole, inner, f"{path}.{name}")
    for choice in part.get("anyOf", ()):
        yield from _members(whole, choice, path)
    if isinstance(part.get("items"), dict):
        yield from _members(whole, part["items"], f"{path}[]")


def given(recorded: list[Recorded]) -> set[str]:
    """Return the path of each member that some of these records give. Null gives nothing."""
    readable = [one.value for one in recorded if one.value is not None and one.value.startswith((b"{", b"["))]
    return {path for value in readable for path in _given(json.loads(value), "")}


def _given(value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner is not None:
                yield f"{path}.{name}"
                yield from _given(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _given(inner, f"{path}[]")
