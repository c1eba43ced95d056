"""The intake of commands from Kafka: all its parts, each with a mood for every call.

Where it differs: nothing is judged or sent. What was asked of a part is remembered, and the test says what it answers.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.command_api.desk.commands import Asked, Caller, Decided, NotRecorded, Position, StillWaiting
from services.command_api.desk.intake.ports import Intake
from services.command_api.desk.tally import Tally
from services.command_api.dialects.kafka.calls import Commands
from shared.events.envelope import Headers, ReplyAddress
from shared.events.outcome import Outcome
from tests.support.fakes.desks import BACKDATE_DAYS_MAX
from tests.support.story.commands import REPLY_TOPIC
from tests.support.story.outcomes import outcome

CRM = Caller("acme", "crm", "machine")
KNOWN: Caller | None = CRM
OUTCOME = outcome()

# What a part does at one call: it raises, or returns.
Mood = Any
Well = TypeVar("Well")


@dataclass
class Parts:
    """All parts of an intake. Each list is what the next calls meet; when it is empty, all is well."""

    client_moods: list[Mood] = field(default_factory=list)
    press_moods: list[Mood] = field(default_factory=list)
    pass_on_moods: list[Mood] = field(default_factory=list)
    letter_moods: list[Mood] = field(default_factory=list)
    addresses: bool = True
    # Their partitions have no leader: a send waits, and waits.
    sick_topics: set[str] = field(default_factory=set)
    answer_within_seconds: float = 2.0
    policies_read: bool = True
    tally: Tally = field(default_factory=Tally)
    pressed: list[Asked] = field(default_factory=list)
    passed_on: list[tuple[Asked, ReplyAddress | None]] = field(default_factory=list)
    letters: list[tuple[str, int, bytes | None, bytes | None, Headers]] = field(default_factory=list)

    async def client(self, client_id: str) -> Caller | None:
        assert client_id == "crm"
        return _next(self.client_moods, KNOWN)

    async def judged(self, asked: Asked) -> Decided[Outcome] | StillWaiting | NotRecorded:
        self.pressed.append(asked)
        well: Decided[Outcome] | StillWaiting | NotRecorded = Decided(3, OUTCOME)
        return _next(self.press_moods, well)

    async def pass_on(self, asked: Asked, reply: ReplyAddress | None) -> Position | NotRecorded:
        self.passed_on.append((asked, reply))
        well: Position | NotRecorded = Position(3, 42)
        return _next(self.pass_on_moods, well)

    async def leads_somewhere(self, topic: str, partition: int) -> bool:
        assert topic in {REPLY_TOPIC, *self.sick_topics}
        assert partition == 3
        return self.addresses

    async def send(
        self, topic: str, partition: int, value: bytes | None, key: bytes | None = None, headers: Headers = ()
    ) -> bool:
        if topic in self.sick_topics:
            await asyncio.Event().wait()
        taken = _next(self.letter_moods, well=True)
        if taken:
            self.letters.append((topic, partition, value, key, headers))
        return taken

    def commands(self) -> Commands:
        intake = Intake(
            clients=self,
            recorder=self,
            letters=self,
            policies_read=lambda: self.policies_read,
            answer_within_seconds=self.answer_within_seconds,
            backdate_days_max=BACKDATE_DAYS_MAX,
            tally=self.tally,
        )
        return Commands(intake)

    @property
    def buried(self) -> str:
        """The reason of the one dead letter."""
        ((topic, partition, _, _, said),) = self.letters
        assert (topic, partition) == ("timer.dead.v1", 0)
        return (dict(said)["dead_reason"] or b"").decode()


def _next(moods: list[Mood], well: Well) -> Well:
    mood: Well = moods.pop(0) if moods else well
    if isinstance(mood, Exception):
        raise mood
    return mood
