"""Topics, headers and records as one document. docs/asyncapi.json is what `make pages` makes of it.

AsyncAPI 3.0.0, which is what tools read. The view is that of Stint: it receives commands and replies to them, and sends
outcomes. Topics that only our own processes use are in it too, because operators and auditors read them.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from services.command_api.openapi.records import RecordType, record_types
from shared.events import topics

_ABOUT: Final = """\
Records of Stint on Kafka. What they mean for a caller is in docs/contract.md, sections 5, 7 and 9. Commands and \
events are CloudEvents 1.0 in binary mode. Readers ignore members that they do not know."""
# What each topic is for, and how its records are keyed.
_TOPICS: Final = {
    topics.COMMANDS: (
        "Presses of other services. What cannot be read goes to timer.dead.v1 with the reason.",
        "One owner's commands under one key: order holds only within it.",
    ),
    topics.EVENTS: (
        "The log of presses, kept for ever. Only Stint writes here.",
        "The timer's short id, or tenant/owner for owner facts and deadlines.",
    ),
    topics.TEXTS: ("Comments and work items; no value: erased.", "The timer's short id."),
    topics.OUTCOMES: (
        "Every kept press with its verdict, at least once. Skip any `source_offset` at or below a partition's last.",
        "tenant/owner, or the tenant alone; none if the press could not be read.",
    ),
    topics.REPLIES: ("Verdicts for our own API processes. Other services make a topic of their own.", None),
    topics.POLICIES: ("Each tenant's policy, revision by revision; a revision is an offset.", "The tenant."),
    topics.DEAD: ("Commands that became no press: key, value and headers as they came, and the reason.", None),
}
_ANSWERS: Final = "answers"

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "string", "pattern": "^[0-9]+$"}
# Header, schema, and whether it is always there.
_COMMAND_HEADERS: Final = (
    ("ce_specversion", {"const": "1.0"}, True),
    ("ce_id", {"type": "string", "minLength": 1, "maxLength": 255, "description": "The idempotency key."}, True),
    ("ce_source", {"type": "string", "description": "The id of a client that Stint knows."}, True),
    ("content-type", {"const": "application/json"}, False),
    ("reply_to", {"type": "string", "pattern": r"^timer\.replies\.", "description": "Where the answer goes."}, False),
    ("reply_partition", _NUMBER, False),
    ("traceparent", _TEXT, False),
)
_EVENT_HEADERS: Final = (
    ("ce_specversion", {"const": "1.0"}, True),
    ("ce_id", {"type": "string", "format": "uuid", "description": "The event id."}, True),
    ("ce_source", _TEXT, True),
    ("ce_time", {"type": "string", "format": "date-time", "description": "The API's clock at the press."}, True),
    ("ce_policyrev", {"type": "string", "pattern": "^-?[0-9]+$"}, True),
    ("content-type", {"const": "application/json"}, True),
    ("ce_subject", {"type": "string", "pattern": "^[0-9]+$", "description": "The timer's short id."}, False),
    ("ce_expirytime", {"type": "string", "format": "date-time"}, False),
    ("ce_correlationid", _TEXT | {"description": "Absent: the record's own ce_id."}, False),
    ("traceparent", _TEXT, False),
    ("reply", {"type": "string", "pattern": "^[0-9]{1,9}/", "description": "For Stint's own processes."}, False),
    ("reply_to", _TEXT, False),
    ("reply_partition", _NUMBER, False),
    ("request_id", _TEXT, False),
)
_DEAD_HEADERS: Final = (
    ("dead_reason", _TEXT, True),
    ("dead_detail", _TEXT, True),
    ("dead_topic", _TEXT, True),
    ("dead_partition", _NUMBER, True),
    ("dead_offset", _NUMBER, True),
    ("dead_bytes", {"type": "string", "description": "There when key, value and headers were too large."}, False),
)


@cache
def asyncapi_text() -> str:
    """Return the document as JSON, one member a line: the same bytes in each process of a release."""
    return json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n"


def asyncapi() -> dict[str, Any]:
    """Return the document as the code says."""
    types = record_types()
    payloads, components = _payloads(types)
    named = topics.topics(topics.DEFAULT_PARTITIONS)
    channels = {topic.name: _channel(topic, [one.name for one in types if one.topic == topic.name]) for topic in named}
    channels[topics.DEAD]["messages"] = {"dead": {"$ref": "#/components/messages/dead"}}
    channels[_ANSWERS] = {
        "address": None,
        "description": "The topic that a command names in `reply_to`. It begins with timer.replies. and exists.",
        "messages": {"timer.replies.v1": {"$ref": "#/components/messages/timer.replies.v1"}},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Stint", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(types),
        "components": {
            "messages": {one.name: _message(one, payloads[one.name]) for one in types}
            | {
                "dead": {
                    "summary": "A dead letter.",
                    "headers": _headers(_DEAD_HEADERS),
                    "payload": {"description": "The command's own value, whatever it was."},
                }
            },
            "schemas": components,
        },
    }


def _payloads(types: Iterable[RecordType]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of each type's value, and the parts that they share."""
    schemas, shared = TypeAdapter.json_schemas(
        [(one.name, one.mode, one.value) for one in types], ref_template="#/components/schemas/{model}"
    )
    values = {name: schema for (name, _), schema in schemas.items()}
    parts = shared.get("$defs", {})
    # Pydantic lists our own types too, of which no caller sends one.
    text = json.dumps([values, parts])
    return values, {name: part for name, part in parts.items() if f'"#/components/schemas/{name}"' in text}


def _channel(topic: topics.Topic, messages: Iterable[str]) -> dict[str, Any]:
    about, key = _TOPICS[topic.name]
    config: dict[str, Any] = {"cleanup.policy": [topic.config["cleanup.policy"]]}
    config |= {name: int(topic.config[name]) for name in ("retention.ms", "retention.bytes") if name in topic.config}
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": config,
        "bindingVersion": "0.5.0",
    }
    return {
        "address": topic.name,
        "description": about if key is None else f"{about} Key: {key}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": kafka},
    }


def _message(one: RecordType, payload: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"name": one.name, "contentType": "application/json"}
    if one.topic in {topics.COMMANDS, topics.EVENTS}:
        headers = _COMMAND_HEADERS if one.topic == topics.COMMANDS else _EVENT_HEADERS
        message["headers"] = _headers((*headers, ("ce_type", {"const": one.name}, True)))
    return message | {"payload": payload}


def _headers(headers: Iterable[tuple[str, dict[str, Any], bool]]) -> dict[str, Any]:
    listed = list(headers)
    return {
        "type": "object",
        "properties": {name: schema for name, schema, _ in listed},
        "required": [name for name, _, always in listed if always],
    }


def _operations(types: Iterable[RecordType]) -> dict[str, Any]:
    def of(topic: str) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/{topic}/messages/{one.name}"} for one in types if one.topic == topic]

    return {
        "takeCommands": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{topics.COMMANDS}"},
            "messages": of(topics.COMMANDS),
            "reply": {
                "address": {"location": "$message.header#/reply_to"},
                "channel": {"$ref": f"#/channels/{_ANSWERS}"},
            },
        },
        "tellOutcomes": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{topics.OUTCOMES}"},
            "messages": of(topics.OUTCOMES),
        },
        "buryCommands": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{topics.DEAD}"},
            "messages": [{"$ref": f"#/channels/{topics.DEAD}/messages/dead"}],
        },
        "recordPresses": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{topics.EVENTS}"},
            "messages": of(topics.EVENTS),
        },
    }
