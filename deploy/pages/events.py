"""docs/events.md, from the models in shared/events: `make pages` writes it anew.

Names and types of fields are written once, in the code. A test compares the page with the code.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from shared.events import topics
from shared.events.envelope import Envelope, ReplyAddress, encode_headers
from shared.events.models import BODY_OF, Event
from shared.events.outcome import Outcome, Reply
from shared.events.texts import TimerText

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "events.md"

# A key is chosen where a record is sent, so no model names it. A topic without a line here fails the page.
_KEY_AND_VALUE: Final[Mapping[str, tuple[str, str]]] = {
    topics.COMMANDS: ("owner", "a command: [contract](contract.md), section 5"),
    topics.EVENTS: ("timer's short id, or tenant/owner for owner facts and deadlines", "[one event](#events)"),
    topics.TEXTS: ("timer's short id", "[a text](#timertext); null: erased"),
    topics.OUTCOMES: ("tenant/owner, or the tenant (R05); none if unreadable", "[an outcome](#outcome)"),
    topics.REPLIES: ("none", "a list of [replies](#reply)"),
    topics.POLICIES: ("tenant", "a policy: [contract](contract.md), section 8"),
    topics.DEAD: ("the command's", "a command that cannot be read, and the reason: [contract](contract.md), section 5"),
}
# What a header that is left out stands for, where that is not nothing.
_STANDS_FOR: Final = {"ce_correlationid": "optional: `ce_id`"}
_INTRODUCTION: Final = """\
<!-- Written by `make pages` from the models in shared/events. Do not edit by hand. -->
# Records: topics, headers and fields

Other teams write code against this page. What the fields mean for a caller is in the
[contract](contract.md), sections 5, 7 and 9. Values are JSON in UTF-8. A field that is marked
*optional* may be missing; beside the mark is what it then stands for, unless that is null or empty.
Readers ignore members that they do not know: a later release may add one to any record. (Our own judge
does not, because it must understand an event whole: it waits for its upgrade, and the wheel's `codec.read`
returns `Newer`.) The same for programs: a JSON Schema for each type of record in [schemas/](schemas),
and topics, headers and records together in [asyncapi.json](asyncapi.json), which a running Stint shows
at `/docs/events`.
Python programs need not write these models again: the wheel
[stint-events](../packages/stint-events/README.md) has them.
"""
_MOMENT: Final = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
_EVENT_ID: Final = UUID("00000000-0000-4000-8000-000000000000")
_NAMED: Final = {"date-time": "moment (RFC 3339, UTC)", "date": "day (`YYYY-MM-DD`)", "uuid": "UUID"}

Schema = dict[str, Any]


def page() -> str:
    """Return the page as it must be."""
    return "\n".join([_INTRODUCTION, *_topics(), *_headers(), *_events(), *_models()]).rstrip() + "\n"


def _topics() -> Iterator[str]:
    anything_but_a_constant = 999
    yield "## Topics\n\nP is the number of partitions of the deployment, fixed for its life.\n"
    yield "| topic | partitions | key | value | settings that promises rest on |\n|---|---|---|---|---|"
    for topic in topics.topics(anything_but_a_constant):
        key, value = _KEY_AND_VALUE[topic.name]
        partitions = "P" if topic.partitions == anything_but_a_constant else str(topic.partitions)
        settings = "<br>".join(f"`{name}={said}`" for name, said in sorted(topic.config.items()))
        yield f"| `{topic.name}` | {partitions} | {key} | {value} | {settings} |"
    yield ""


def _headers() -> Iterator[str]:
    least = Envelope(event_id=_EVENT_ID, type="timer.started.v1", recorded_at=_MOMENT, policy_rev=7)
    elsewhere = ReplyAddress(f"{topics.REPLIES_PREFIX}payroll", 31, "…")
    most = Envelope(
        event_id=_EVENT_ID,
        type="timer.started.v1",
        recorded_at=_MOMENT,
        policy_rev=7,
        subject=914381451209738825,
        expires_at=_MOMENT.replace(second=30),
        correlation_id=str(_EVENT_ID),
        traceparent="00-…-…-01",
        reply=ReplyAddress(topics.REPLIES, 31, "…"),
    )
    always = {name for name, _ in encode_headers(least)}
    yield f"## Headers of `{topics.EVENTS}`\n\n{_prose(Envelope.__doc__)}\n"
    yield "| header | | example |\n|---|---|---|"
    for name, value in dict(encode_headers(most) + encode_headers(replace(most, reply=elsewhere))).items():
        mark = "" if name in always else _STANDS_FOR.get(name, "optional")
        yield f"| `{name}` | {mark} | `{value.decode()}` |"
    yield ""


def _events() -> Iterator[str]:
    shared = TypeAdapter(Event).json_schema(mode="serialization")
    yield f"## Events\n\nThe value of a record on `{topics.EVENTS}`; `ce_type` says which.\n"
    yield from _section("### In every event", shared)
    for type_, adapter in BODY_OF.items():
        yield from _section(f"### `{type_}`", adapter.json_schema(mode="serialization"), without=shared["properties"])


def _models() -> Iterator[str]:
    yield "## Texts, outcomes, replies\n"
    told: dict[str, Schema] = {}
    for model in (TimerText, Outcome, Reply, Event):
        schema = TypeAdapter(model).json_schema(mode="serialization")
        told |= {model.__name__: schema} | schema.get("$defs", {})
    del told["Event"]
    for name, schema in told.items():
        yield from _section(f"### {name}", schema)


def _section(heading: str, schema: Schema, without: Mapping[str, Any] | None = None) -> Iterator[str]:
    yield f"{heading}\n\n{_prose(schema.get('description'))}\n"
    fields = {name: kind for name, kind in schema.get("properties", {}).items() if name not in (without or {})}
    if "properties" not in schema:
        yield f"One of {_kind(schema)}.\n"
    elif not fields:
        yield "No fields of its own.\n"
    else:
        yield "| field | | kind |\n|---|---|---|"
        for name, kind in fields.items():
            optional = "" if name in schema.get("required", ()) else _optional(kind)
            yield f"| `{name}` | {optional} | {_kind(kind)} |"
        yield ""


def _optional(schema: Schema) -> str:
    default = schema.get("default")
    return "optional" if default in (None, [], "") else f"optional: `{json.dumps(default)}`"


def _prose(docstring: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (docstring or "").split("\n\n"))


def _kind(schema: Schema) -> str:
    """Say in words what a JSON schema allows."""
    match schema:
        case {"$ref": str(ref)}:
            name = ref.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(kinds)}:
            return " or ".join(map(_kind, kinds))
        case {"const": said}:
            return f"`{said}`"
        case {"enum": list(words)}:
            return ", ".join(f"`{word}`" for word in words)
        case {"type": "array"}:
            return f"list of {_kind(schema.get('items', {}))}"
        case {"type": "string"}:
            return _text(schema)
        case {"type": str(kind), "minimum": least}:
            return f"{kind}, {least} to {schema['maximum']}" if "maximum" in schema else f"{kind}, at least {least}"
        case {"type": str(kind)}:
            return kind
        case _:
            return "anything"


def _text(schema: Schema) -> str:
    if "format" in schema:
        named: str = schema["format"]
        return _NAMED.get(named, named)
    if "pattern" in schema:
        return f"text like `{schema['pattern']}`".replace("|", "\\|")
    return f"text, {schema['minLength']} to {schema['maxLength']} characters" if "maxLength" in schema else "text"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is as the code says.\n")
