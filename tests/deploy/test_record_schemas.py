"""docs/schemas and docs/asyncapi.json agree with the code, and with records as they are written and read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest

from deploy.pages import asyncapi
from deploy.pages.records import FOLDER, files
from services.command_api.dialects.kafka.reading import StartCommand
from services.command_api.openapi import records
from services.command_api.openapi.asyncapi import asyncapi as document_of_records
from services.command_api.openapi.asyncapi import asyncapi_text
from services.command_api.openapi.records import record_types
from shared.events.codec import write_body
from shared.events.envelope import Envelope, ReplyAddress, encode_headers
from shared.events.idempotency import digest_of
from shared.events.models import BODY_OF, Actor, TimerPaused, TimerStarted
from shared.events.outcome import join_replies, write_outcome
from shared.events.topics import topics
from tests.support.story.outcomes import EVENT_ID, NOW, outcome

GOLDEN: Final = Path(__file__).resolve().parents[1] / "golden" / "commands"
SAID: Final[dict[str, Any]] = {"tenant": "acme", "actor": Actor(client="crm", role="machine"), "dialect": "kafka"}


def _satisfies(name: str, value: object) -> None:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


def test_the_files_are_as_the_models_say_and_there_is_no_other() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == files()


def test_the_document_is_as_the_code_says() -> None:
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi_text()


def test_a_new_field_changes_files_and_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one field more, the tests above would fail."""

    class Next(StartCommand):
        mood: str = "good"

    monkeypatch.setattr(records, "StartCommand", Next)
    assert FOLDER.joinpath("timer.start.v1.json").read_text(encoding="utf-8") != files()["timer.start.v1.json"]
    assert json.loads(asyncapi.FILE.read_text(encoding="utf-8")) != document_of_records()


@pytest.mark.parametrize("one", record_types(), ids=lambda one: one.name)
def test_each_schema_is_one_of_2020_12(one: records.RecordType) -> None:
    jsonschema.Draft202012Validator.check_schema(one.schema())


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_commands_and_their_presses_satisfy_their_schemas(path: Path) -> None:
    golden = json.loads(path.read_text(encoding="utf-8"))
    _satisfies(golden["headers"]["ce_type"], golden["value"])
    _satisfies(golden["press"]["ce_type"], golden["press"]["value"])


def test_what_is_written_satisfies_its_schema() -> None:
    digest = digest_of("start", "dana", {})
    _satisfies("timer.started.v1", json.loads(write_body(TimerStarted(**SAID, digest=digest, owner="dana"))))
    _satisfies("timer.paused.v1", json.loads(write_body(TimerPaused(**SAID, digest=digest, asked_at=NOW))))
    body = write_outcome(outcome())
    _satisfies("timer.outcome.v1", json.loads(body))
    _satisfies("timer.replies.v1", json.loads(join_replies([("order-17", body)])))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timer.start.v1", {"tenant": "acme"}),
        ("timer.start.v1", {"tenant": "acme", "owner": "dana", "lunch": True}),
        ("timer.start.v1", {"tenant": "acme", "owner": "dana", "billable": "yes"}),
        ("timer.stop.v1", {"tenant": "acme", "timer_id": "1", "reason": "lunch"}),
        *(("timer.stop.v1", {"tenant": "acme", "timer_id": odd}) for odd in ("", "desk", "-1", "1" * 40, -1, 1 << 128)),
        ("timer.outcome.v1", {"v": 2}),
    ],
)
def test_what_is_no_such_record_fails_its_schema(name: str, value: object) -> None:
    """The control."""
    with pytest.raises(jsonschema.ValidationError):
        _satisfies(name, value)


def test_each_topic_is_a_channel_and_each_type_a_message() -> None:
    told = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
    assert told["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in told["channels"].values()} == {None, *(one.name for one in topics(12))}
    assert told["components"]["messages"].keys() == {"dead", *(one.name for one in record_types())}
    assert BODY_OF.keys() <= told["components"]["messages"].keys()


def test_every_reference_of_the_document_leads_somewhere() -> None:
    told = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
    references = list(_references(told))
    assert len(references) > 50
    for reference in references:
        place: Any = told
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_headers_as_they_are_written_are_those_of_the_document() -> None:
    envelope = Envelope(
        event_id=EVENT_ID,
        type="timer.stopped.v1",
        recorded_at=NOW,
        policy_rev=-1,
        subject=17,
        expires_at=NOW,
        correlation_id=str(EVENT_ID),
        traceparent="00-a-b-01",
        reply=ReplyAddress("timer.replies.v1", 3, "r-1"),
    )
    elsewhere = replace(envelope, reply=ReplyAddress("timer.replies.payroll", 3, "r-1"))
    told = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
    schema = told["components"]["messages"]["timer.stopped.v1"]["headers"]
    ours, theirs = ({name: value.decode() for name, value in encode_headers(one)} for one in (envelope, elsewhere))
    for said in (ours, theirs):
        jsonschema.Draft202012Validator(schema).validate(said)
    assert ours.keys() | theirs.keys() == schema["properties"].keys()
    least = Envelope(event_id=EVENT_ID, type="timer.stopped.v1", recorded_at=NOW, policy_rev=7)
    assert {name for name, _ in encode_headers(least)} == set(schema["required"])
    for path in GOLDEN.glob("*.json"):
        golden = json.loads(path.read_text(encoding="utf-8"))
        message = told["components"]["messages"][golden["headers"]["ce_type"]]
        jsonschema.Draft202012Validator(message["headers"]).validate(golden["headers"])


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
