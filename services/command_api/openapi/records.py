"""Every type of record on Kafka, with the JSON Schema 2020-12 of its value, from the models.

What other services write (commands) is described as it is read; all else as it is written. Readers ignore members that
they do not know, although the schema of an event closes its list: it describes what this release writes.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from services.command_api.dialects.kafka.reading import PauseCommand, PressCommand, ResumeCommand, StartCommand
from shared.events import topics
from shared.events.models import BODY_OF
from shared.events.outcome import Outcome, Reply
from shared.events.policies.book import PolicyRecord
from shared.events.texts import TimerText

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of record: its name (the `ce_type`, where a topic has several), its topic, and its value."""

    name: str
    topic: str
    value: TypeAdapter[Any]
    mode: Literal["validation", "serialization"] = "serialization"

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its value."""
        return {"$schema": DIALECT, "$id": f"urn:stint:{self.name}"} | self.value.json_schema(mode=self.mode)


def record_types() -> tuple[RecordType, ...]:
    """Return every type of record, topic by topic."""
    commands = {
        "timer.start.v1": StartCommand,
        "timer.pause.v1": PauseCommand,
        "timer.resume.v1": ResumeCommand,
        "timer.stop.v1": PressCommand,
    }
    return (
        *(RecordType(name, topics.COMMANDS, TypeAdapter(body), "validation") for name, body in commands.items()),
        *(RecordType(name, topics.EVENTS, body) for name, body in BODY_OF.items()),
        RecordType("timer.text.v1", topics.TEXTS, TypeAdapter(TimerText)),
        RecordType("timer.outcome.v1", topics.OUTCOMES, TypeAdapter(Outcome)),
        RecordType("timer.replies.v1", topics.REPLIES, TypeAdapter(list[Reply])),
        RecordType("timer.policy.v1", topics.POLICIES, TypeAdapter(PolicyRecord)),
    )
