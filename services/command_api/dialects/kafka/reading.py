"""A record on `timer.commands.v1`, from its bytes to a command. CloudEvents 1.0 in binary mode; pure.

With care: fields of the bodies. Adding one is free, but the digest counts every field that was sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from services.command_api.desk.commands import PressTimer, StartTimer, TimerCommand
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.headers import is_key, is_traceparent
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.reasons import sentence_about
from services.command_api.dialects.times import Opening
from services.command_api.dialects.values import (
    Name,
    PressAt,
    ReasonCode,
    ReferenceText,
    RequiredName,
    ResumeAt,
    StartAt,
    TimerId,
    WorkDate,
    YesOrNo,
    read_body,
)
from shared.events.envelope import ReplyAddress
from shared.events.rules import Rule
from shared.events.topics import REPLIES, REPLIES_PREFIX

BODY_BYTES_MAX: Final = 65_536

_HEADERS: Final = (
    "ce_specversion",
    "ce_type",
    "ce_id",
    "ce_source",
    "content-type",
    "reply_to",
    "reply_partition",
)
Verb = Literal["pause", "resume", "stop"]
Body = TypeVar("Body", bound=BaseModel)
_VERBS: Final[dict[str, Verb]] = {
    "timer.pause.v1": "pause",
    "timer.resume.v1": "resume",
    "timer.stop.v1": "stop",
}
_START: Final = "timer.start.v1"
_JSON: Final = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)
# As ids of clients are made; and as Kafka lets topics be named.
_CLIENT: Final = re.compile(r"[!-9;-~]{1,128}", re.ASCII)
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_PARTITION: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class StartCommand(BaseModel):
    """The body of `timer.start.v1`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: RequiredName
    owner: RequiredName
    at: StartAt = None
    account_id: Name = None
    job_id: Name = None
    project_id: Name = None
    billable: YesOrNo = None
    work_date: WorkDate = None
    reference: ReferenceText = None


class PressCommand(BaseModel):
    """The body of `timer.stop.v1`. `at`: when it happened, for work that was queued."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: RequiredName
    timer_id: TimerId
    at: PressAt = None


class ResumeCommand(PressCommand):
    """The body of `timer.resume.v1`."""

    at: ResumeAt = None


class PauseCommand(PressCommand):
    """The body of `timer.pause.v1`. `reason`: the caller's code for why."""

    reason: ReasonCode = None


_BODIES: Final[Mapping[Verb, type[PressCommand]]] = {
    "pause": PauseCommand,
    "resume": ResumeCommand,
    "stop": PressCommand,
}

# Every reason of a dead letter.
REASONS: Final = (
    "header_missing",
    "header_twice",
    "header_unreadable",
    "specversion_unknown",
    "type_unknown",
    "id_unfit",
    "content_type_unknown",
    "reply_address",
    Rule.PARAMETER_MISSING.reason,
    Rule.VALUE_INVALID.reason,
    Rule.TEXT_TOO_LONG.reason,
    "client_unknown",
    "other_tenant",
    "role_may_not_press",
    "no_policy",
    "internal",
)


@dataclass(frozen=True, slots=True)
class Dead:
    """Why a record becomes no press: a code, and a sentence for the people of the service that wrote the record."""

    reason: str
    sentence: str


CLIENT_UNKNOWN: Final = Dead("client_unknown", "The header ce_source is no client that is known here.")


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """What a record asks for. Whether its client exists, and is of this tenant, is not known yet."""

    client: str
    tenant: str
    key: str
    command: TimerCommand
    reply: ReplyAddress | None
    traceparent: str | None


def read_command(record: CommandRecord, opening: Opening) -> ParsedCommand | Dead:
    """Return what a record asks for, or the first reason why it is no command."""
    headers = _headers(record)
    if isinstance(headers, Dead):
        return headers
    if (dead := _no_cloud_event(headers)) is not None:
        return dead
    reply = _reply(headers)
    if isinstance(reply, Dead):
        return reply
    body = _body(headers["ce_type"], record.value, opening)
    if isinstance(body, Malformed):
        return Dead(body.rule.reason, sentence_about(body))
    tenant, command = body
    return ParsedCommand(
        client=headers["ce_source"],
        tenant=tenant,
        key=headers["ce_id"],
        command=command,
        reply=reply,
        traceparent=_trace(record),
    )


def _headers(record: CommandRecord) -> dict[str, str] | Dead:
    """Return those headers that mean something to us. One that is given twice has two meanings."""
    found: dict[str, str] = {}
    for name, value in record.headers:
        if name not in _HEADERS or value is None:
            continue
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return Dead("header_unreadable", f"The header {name} is not UTF-8.")
        # A library may add the type of the content to what the program has said of it.
        if name in found and not (name == "content-type" and text == found[name]):
            return Dead("header_twice", f"The header {name} is given twice.")
        found[name] = text
    return found


def _trace(record: CommandRecord) -> str | None:
    """Return the W3C trace context; None when there is none, or two: no command is dead because of its trace."""
    given = [(value or b"").decode("latin-1") for name, value in record.headers if name == "traceparent"]
    return given[0] if len(given) == 1 and is_traceparent(given[0]) else None


def _no_cloud_event(headers: dict[str, str]) -> Dead | None:
    for name in ("ce_specversion", "ce_type", "ce_id", "ce_source"):
        if name not in headers:
            return Dead("header_missing", f"The header {name} is missing: commands are CloudEvents in binary mode.")
    if headers["ce_specversion"] != "1.0":
        return Dead("specversion_unknown", "The header ce_specversion is not 1.0.")
    if headers["ce_type"] != _START and headers["ce_type"] not in _VERBS:
        return Dead("type_unknown", f"The header ce_type is none of {', '.join((_START, *_VERBS))}.")
    if not is_key(headers["ce_id"]):
        return Dead("id_unfit", "The header ce_id is not 1 to 255 printable ASCII characters.")
    if not _CLIENT.fullmatch(headers["ce_source"]):
        return CLIENT_UNKNOWN
    if not _JSON.fullmatch(headers.get("content-type", "application/json")):
        return Dead("content_type_unknown", "The header content-type is not application/json.")
    return None


def _reply(headers: dict[str, str]) -> ReplyAddress | Dead | None:
    topic, partition = headers.get("reply_to"), headers.get("reply_partition")
    if topic is None and partition is None:
        return None
    if topic is None or partition is None or not _PARTITION.fullmatch(partition):
        return Dead(
            "reply_address", "reply_to and reply_partition go together: a topic, and a number of its partition."
        )
    if topic == REPLIES:
        return Dead("reply_address", f"reply_to is {REPLIES}, where our own processes wait: make a topic of your own.")
    if not topic.startswith(REPLIES_PREFIX) or not _TOPIC.fullmatch(topic):
        return Dead("reply_address", f"reply_to is no topic that begins with {REPLIES_PREFIX}")
    return ReplyAddress(topic, int(partition), headers["ce_id"])


def _body(type_: str, value: bytes | None, opening: Opening) -> tuple[str, TimerCommand] | Malformed:
    if value is None:
        return Malformed(Rule.VALUE_INVALID, "body", "The record has no value: the body of a command is a JSON object.")
    if len(value) > BODY_BYTES_MAX:
        return Malformed(Rule.VALUE_INVALID, "body", f"The body is larger than {BODY_BYTES_MAX} bytes.")
    return _start(value, opening) if type_ == _START else _press(_VERBS[type_], value, opening)


def _read(kind: type[Body], value: bytes, opening: Opening) -> Body | Malformed:
    fields = read_body(kind, value, opening)
    if isinstance(fields, Malformed) and fields.parameter == "body" and fields.sentence is None:
        return replace(fields, sentence=_wrong_with(value, kind, fields.unknown))
    return fields


def _wrong_with(value: bytes, kind: type[BaseModel], unknown: str | None) -> str:
    """Say what is wrong with a body as a whole."""
    try:
        body = from_json(value, allow_inf_nan=False)
    except ValueError:
        return "The body is no JSON in UTF-8."
    if not isinstance(body, dict):
        return "The body is no JSON object."
    if body.keys() <= kind.model_fields.keys():
        return "The body gives a member twice."
    named = "" if unknown is None else f", {unknown}"
    return f"The body has a member that this command does not know{named}. It knows {', '.join(kind.model_fields)}."


def _start(value: bytes, opening: Opening) -> tuple[str, StartTimer] | Malformed:
    fields = _read(StartCommand, value, opening)
    if isinstance(fields, Malformed):
        return fields
    command = StartTimer(
        owner=fields.owner,
        account_id=fields.account_id,
        job_id=fields.job_id,
        project_id=fields.project_id,
        billable=fields.billable,
        work_date=fields.work_date,
        at=fields.at,
        reference=fields.reference,
    )
    return fields.tenant, command


def _press(verb: Verb, value: bytes, opening: Opening) -> tuple[str, PressTimer] | Malformed:
    fields = _read(_BODIES[verb], value, opening)
    if isinstance(fields, Malformed):
        return fields
    reason = fields.reason if isinstance(fields, PauseCommand) else None
    return fields.tenant, PressTimer(verb, fields.timer_id, fields.at, reason)
