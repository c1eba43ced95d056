"""The ports of dialect D: its clients, the recorder, and letters to other services."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.command_api.desk.commands import Asked, Caller, Decided, NotRecorded, Position, StillWaiting
from services.command_api.desk.tally import Tally
from shared.events.envelope import Headers, ReplyAddress
from shared.events.outcome import Outcome


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One record of the commands' topic as it came: its place, its bytes, and when it was written.

    `written_at` is the broker's time. A record that is read again has the same, so its start is backdated by as much.
    """

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    written_at: datetime


class Clients(Protocol):
    """The machine clients of all tenants."""

    async def client(self, client_id: str) -> Caller | None:
        """Return the caller that a client's id stands for, None: unknown. Raises ReadsAwayError."""


class Recorder(Protocol):
    """Records presses, and returns or passes on their outcomes. Never raises because a part is away."""

    async def judged(self, asked: Asked) -> Decided[Outcome] | StillWaiting | NotRecorded:
        """Record one press and return its outcome, if it was written down in time."""

    async def pass_on(self, asked: Asked, reply: ReplyAddress | None) -> Position | NotRecorded:
        """Record one press, perhaps once more, and leave it to the projector to answer at `reply`."""


class Letters(Protocol):
    """Single records to other services. Both raise ConnectionError while the brokers do not answer."""

    async def leads_somewhere(self, topic: str, partition: int) -> bool:
        """Return whether a topic exists that we may write to, and has this partition."""

    async def send(
        self, topic: str, partition: int, value: bytes | None, key: bytes | None = None, headers: Headers = ()
    ) -> bool:
        """Write one record, and return after its ack; perhaps it is written twice. False: this topic will not take it.

        Then the topic is gone or forbidden, or the record is too large.
        """


@dataclass(frozen=True, slots=True)
class Intake:
    """All that dialect D may ask, part by part. Wired once, in `app`.

    `policies_read` says whether the policies of the past are read: before that, a tenant without policy may have one.
    """

    clients: Clients
    recorder: Recorder
    letters: Letters
    policies_read: Callable[[], bool]
    answer_within_seconds: float
    backdate_days_max: int
    tally: Tally
