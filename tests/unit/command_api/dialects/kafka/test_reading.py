"""A record on the commands' topic: what it says, or why it says nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from services.command_api.desk.commands import AskedTime, PressTimer, StartTimer
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.reading import BODY_BYTES_MAX, REASONS, Dead, ParsedCommand, read_command
from services.command_api.dialects.times import Opening
from shared.events.envelope import ReplyAddress
from tests.support.fakes.desks import ANY_TIME, BACKDATE_DAYS_MAX, LONG, NOON, SHORT
from tests.support.story.commands import REPLY_TOPIC, command, headers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_start_says_all_that_its_body_may_hold() -> None:
    record = command(
        said=headers(traceparent=TRACE),
        owner="dana",
        at="2026-03-01T11:00:00+02:00",
        account_id=17,
        job_id="J-1",
        project_id="P-1",
        billable=False,
        work_date="2026-03-01",
        reference="O-17",
    )
    assert read_command(record, ANY_TIME) == ParsedCommand(
        client="crm",
        tenant="acme",
        key="order-17",
        command=StartTimer(
            owner="dana",
            account_id="17",
            job_id="J-1",
            project_id="P-1",
            billable=False,
            work_date=date(2026, 3, 1),
            at=AskedTime(NINE, "2026-03-01T11:00:00+02:00"),
            reference="O-17",
        ),
        reply=ReplyAddress(REPLY_TOPIC, 3, "order-17"),
        traceparent=TRACE,
    )


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize("spelt", [str(SHORT), SHORT, LONG, int(LONG)])
def test_a_press_names_its_timer_in_any_spelling(verb: str, spelt: object) -> None:
    said = read_command(command(verb, timer_id=spelt), ANY_TIME)
    assert isinstance(said, ParsedCommand)
    assert isinstance(said.command, PressTimer)
    assert (said.command.verb, said.command.timer_id, said.command.at) == (verb, SHORT, None)


def test_a_pause_alone_has_a_reason() -> None:
    said = read_command(command("pause", timer_id=SHORT, reason="lunch"), ANY_TIME)
    assert isinstance(said, ParsedCommand)
    assert said.command == PressTimer("pause", SHORT, None, "lunch")
    assert isinstance(read_command(command("stop", timer_id=SHORT, reason="lunch"), ANY_TIME), Dead)


def test_a_command_may_do_without_reply_address_content_type_and_trace() -> None:
    said = read_command(
        command(said=headers(reply_to=None, reply_partition=None, content_type=None, traceparent="x")), ANY_TIME
    )
    assert isinstance(said, ParsedCommand)
    assert (said.reply, said.traceparent) == (None, None)


def test_headers_of_other_programs_mean_nothing() -> None:
    strange: list[tuple[str, bytes | None]] = [("x", None), ("x", b"\xff"), ("ce_subject", b"1"), ("ce_time", b"\xff")]
    assert isinstance(read_command(command(said=[*strange, *headers()]), ANY_TIME), ParsedCommand)


@pytest.mark.parametrize(
    ("traces", "read"),
    [([TRACE.encode()], TRACE), ([TRACE.encode()] * 2, None), ([b"\xff"], None), ([None], None), ([b"odd"], None)],
)
def test_no_command_is_dead_because_of_its_trace(traces: list[bytes | None], read: str | None) -> None:
    """Libraries that follow a request add this header, one beside the other."""
    said = read_command(command(said=[*headers(), *(("traceparent", trace) for trace in traces)]), ANY_TIME)
    assert isinstance(said, ParsedCommand)
    assert said.traceparent == read


def test_the_type_of_the_content_may_be_said_twice_if_it_is_the_same() -> None:
    twice = read_command(command(said=[*headers(), ("content-type", b"application/json")]), ANY_TIME)
    assert isinstance(twice, ParsedCommand)


BAD_HEADERS = [
    ("header_missing", headers(ce_specversion=None)),
    ("header_missing", headers(ce_type=None)),
    ("header_missing", headers(ce_id=None)),
    ("header_missing", headers(ce_source=None)),
    ("header_missing", [("ce_id", None), *headers(ce_id=None)]),
    ("header_twice", [*headers(), ("ce_id", b"another")]),
    ("header_twice", [*headers(), ("ce_id", b"order-17")]),
    ("header_twice", [*headers(), ("content-type", b"application/json; charset=utf-8")]),
    ("header_twice", [*headers(), ("reply_to", b"timer.replies.other")]),
    ("header_unreadable", headers(ce_source=b"\xff")),
    ("specversion_unknown", headers(ce_specversion="0.3")),
    ("type_unknown", headers("lunch")),
    ("type_unknown", headers(ce_type="timer.started.v1")),
    ("id_unfit", headers(ce_id="")),
    ("id_unfit", headers(ce_id="x" * 256)),
    ("id_unfit", headers(ce_id="קוד")),
    ("client_unknown", headers(ce_source="")),
    ("client_unknown", headers(ce_source="crm\0")),
    ("client_unknown", headers(ce_source="person:dana")),
    ("client_unknown", headers(ce_source="x" * 129)),
    ("content_type_unknown", headers(content_type="application/cloudevents+json")),
    ("reply_address", headers(reply_partition=None)),
    ("reply_address", headers(reply_to=None)),
    ("reply_address", headers(reply_partition="-1")),
    ("reply_address", headers(reply_partition="٣")),
    ("reply_address", headers(reply_to="timer.events.v1")),
    ("reply_address", headers(reply_to="timer.replies.v1")),
    ("reply_address", headers(reply_to="")),
    ("reply_address", headers(reply_to="timer.replies." + "x" * 249)),
    ("reply_address", headers(reply_to="timer.replies.pay roll")),
]


@pytest.mark.parametrize(("reason", "said"), BAD_HEADERS)
def test_bad_headers_have_a_reason(reason: str, said: list[tuple[str, bytes | None]]) -> None:
    dead = read_command(command(said=said), ANY_TIME)
    assert isinstance(dead, Dead)
    assert (dead.reason, dead.reason in REASONS) == (reason, True)
    assert dead.sentence.strip()


def test_the_contract_lists_every_reason_and_no_other() -> None:
    contract = Path(__file__).resolve().parents[5] / "docs" / "contract.md"
    (row,) = [line for line in contract.read_text(encoding="utf-8").splitlines() if line.startswith("| `dead_reason`")]
    assert re.findall("`([a-z_]+)`", row)[1:] == list(REASONS)


def _stop(**body: Any) -> CommandRecord:  # noqa: ANN401 - JSON
    return command("stop", **({"timer_id": str(SHORT)} | body))


BAD_BODIES = [
    ("value_invalid", "body", CommandRecord(0, 0, None, None, headers(), NOON)),
    ("value_invalid", "body", command(value=b"")),
    ("value_invalid", "body", command(value=b"[]")),
    ("value_invalid", "body", command(value=b"\xff")),
    ("value_invalid", "body", command(value=b'{"tenant":"acme","owner":"dana","owner":"noa"}')),
    ("value_invalid", "body", command(job_id="x" * 100, pad="x" * BODY_BYTES_MAX)),
    ("value_invalid", "body", command(lunch=True)),
    ("value_invalid", "body", command(comment="free text has no place on this topic")),
    ("value_invalid", "body", command(timer_id=str(SHORT))),
    ("parameter_missing", "tenant", command(tenant=...)),
    ("parameter_missing", "owner", command(owner="")),
    ("parameter_missing", "timer_id", command("stop")),
    ("value_invalid", "timer_id", _stop(timer_id="7x")),
    ("value_invalid", "timer_id", _stop(timer_id=LONG[:-1] + str((int(LONG[-1]) + 1) % 10))),
    ("value_invalid", "owner", command(owner=1.5)),
    ("value_invalid", "owner", command(value=b'{"tenant":"acme","owner":"a\\u0000b"}')),
    ("text_too_long", "owner", command(owner="x" * 129)),
    ("value_invalid", "at", command(at="2026-03-01T09:00:00")),
    ("value_invalid", "at", command(at="2019-12-31T23:59:59Z")),
    ("value_invalid", "at", _stop(at="nine")),
    ("value_invalid", "work_date", command(work_date="1.3.2026")),
    ("value_invalid", "billable", command(billable="yes")),
]


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (
            CommandRecord(0, 0, None, None, headers(), NOON),
            "The record has no value: the body of a command is a JSON object.",
        ),
        (command(value=b"x" * (BODY_BYTES_MAX + 1)), "The body is larger than 65536 bytes."),
        (command(value=b"tenant=acme"), "The body is no JSON in UTF-8."),
        (command(value=b'{"tenant":"\xff"}'), "The body is no JSON in UTF-8."),
        (command(value=b"[]"), "The body is no JSON object."),
        (command(value=b'{"tenant":"acme","owner":"dana","owner":"noa"}'), "The body gives a member twice."),
        (
            command("pause", timer_id=SHORT, comment="lunch"),
            "The body has a member that this command does not know, comment. It knows tenant, timer_id, at, reason.",
        ),
        (
            command("stop", value=f'{{"tenant":"acme","timer_id":"{SHORT}","\\u001b[2J":1}}'.encode()),
            "The body has a member that this command does not know. It knows tenant, timer_id, at.",
        ),
    ],
)
def test_a_bad_body_is_dead_with_a_sentence_that_says_what_is_wrong_with_it(record: CommandRecord, detail: str) -> None:
    """Its writer reads it on the topic of the dead, and hears nothing else."""
    assert read_command(record, ANY_TIME) == Dead("value_invalid", detail)


@pytest.mark.parametrize(("reason", "parameter", "record"), BAD_BODIES)
def test_a_bad_body_has_a_reason_that_names_the_place(reason: str, parameter: str, record: CommandRecord) -> None:
    dead = read_command(record, ANY_TIME)
    assert isinstance(dead, Dead)
    assert dead.reason == reason
    assert parameter in dead.sentence


HERE: Final = Opening(lambda: NOON, BACKDATE_DAYS_MAX)
OLDEST: Final = NOON - timedelta(days=BACKDATE_DAYS_MAX)
TOO_OLD: Final = (OLDEST - timedelta(microseconds=1)).isoformat()
TWO_FAULTS = [
    ("parameter_missing", "owner", command(owner="", at="soon", job_id="x" * 129)),
    ("parameter_missing", "timer_id", command("resume", at=TOO_OLD)),
    ("value_invalid", "at", command(at="soon", job_id="x" * 129)),
    ("value_invalid", "time", command(at=TOO_OLD, job_id="x" * 129)),
    ("value_invalid", "work_date", command(work_date="2" * 65, owner="x" * 129)),
    ("value_invalid", "timer_id", _stop(timer_id="7" * 129)),
    ("value_invalid", "timer_id", _stop(timer_id="7x", tenant="x" * 129)),
    ("value_invalid", "at", _stop(at="soon", tenant="x" * 129)),
    ("text_too_long", "job_id", command(at=OLDEST.isoformat(), job_id="x" * 129)),
]


@pytest.mark.parametrize(("reason", "parameter", "record"), TWO_FAULTS)
def test_of_two_faults_the_first_rule_in_order_is_the_reason(
    reason: str, parameter: str, record: CommandRecord
) -> None:
    dead = read_command(record, HERE)
    assert isinstance(dead, Dead)
    assert dead.reason == reason
    assert parameter in dead.sentence


@pytest.mark.parametrize(
    ("is_read", "record"),
    [
        (False, command(at=TOO_OLD)),
        (False, command("resume", timer_id=SHORT, at=TOO_OLD)),
        (True, command(at=OLDEST.isoformat())),
        (True, command("pause", timer_id=SHORT, at=TOO_OLD)),
        (True, _stop(at=TOO_OLD)),
    ],
)
def test_only_what_begins_an_interval_may_be_too_long_ago(is_read: bool, record: CommandRecord) -> None:  # noqa: FBT001 - a column
    assert isinstance(read_command(record, HERE), ParsedCommand) is is_read
