"""A command that the official CloudEvents SDK writes is read, and so is what we say of one that is dead."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from services.command_api.desk.commands import PressTimer, StartTimer
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.answers import dead_headers
from services.command_api.dialects.kafka.reading import CLIENT_UNKNOWN, Dead, ParsedCommand, read_command
from shared.events.envelope import ReplyAddress
from tests.support.fakes.desks import ANY_TIME
from tests.support.story.commands import REPLY_TOPIC, command

SHORT = "914385031908034631"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def told(verb: str, **body: object) -> CloudEvent:
    """Return a command as a program writes it with the SDK, with more attributes than we need."""
    attributes: dict[str, Any] = {
        "id": "order-17",
        "type": f"timer.{verb}.v1",
        "source": "crm",
        "time": NOON,
        "subject": "order 17",
        "datacontenttype": "application/json",
        "dataschema": "urn:stint:timer.start.v1",
        "partitionkey": "dana",
    }
    return CloudEvent(attributes, {"tenant": "acme"} | body)


def record_of(message: KafkaMessage, **more: str) -> CommandRecord:
    key = message.key.encode() if isinstance(message.key, str) else message.key
    headers = [*message.headers.items(), *((name, value.encode()) for name, value in more.items())]
    return CommandRecord(partition=4, offset=17, key=key, value=message.value, headers=headers, written_at=NOON)


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "stop"])
def test_a_command_that_the_sdk_wrote_says_what_one_of_ours_does(verb: str) -> None:
    body: dict[str, object] = {"owner": "dana", "reference": "דוח 7"} if verb == "start" else {"timer_id": SHORT}
    said = read_command(
        record_of(to_binary_event(told(verb, **body)), reply_to=REPLY_TOPIC, reply_partition="3"), ANY_TIME
    )
    assert isinstance(said, ParsedCommand)
    assert said == read_command(command(verb, value=json.dumps({"tenant": "acme"} | body).encode()), ANY_TIME)
    assert (said.client, said.tenant, said.key) == ("crm", "acme", "order-17")
    assert isinstance(said.command, StartTimer if verb == "start" else PressTimer)
    assert said.reply == ReplyAddress(REPLY_TOPIC, 3, "order-17")


def test_a_command_in_structured_mode_is_a_dead_letter_that_says_which_mode_we_read() -> None:
    dead = read_command(record_of(to_structured_event(told("start", owner="dana"))), ANY_TIME)
    assert dead == Dead(
        "header_missing", "The header ce_specversion is missing: commands are CloudEvents in binary mode."
    )


def test_the_sdk_reads_a_dead_letter_as_the_command_that_it_was() -> None:
    record = command("start")
    headers = {name: value or b"" for name, value in dead_headers(record, CLIENT_UNKNOWN)}
    assert headers["dead_reason"] == b"client_unknown"
    heard = from_binary_event(KafkaMessage(headers, record.key, record.value or b""))
    assert (heard.get_id(), heard.get_type(), heard.get_source()) == ("order-17", "timer.start.v1", "crm")
    assert heard.get_data() == json.loads(record.value or b"")
