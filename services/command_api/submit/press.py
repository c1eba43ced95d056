"""Press: what one command amounts to on the log, before it is sent. Pure: moments and chance are arguments.

With care: ids and digests. A press that is made again under the same key must come out the same, in every process and
in every release for thirty days.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, assert_never
from uuid import UUID

from services.command_api.desk.commands import Asked, Caller, Command, Dialect, FactCommand, PressTimer, StartTimer
from services.command_api.submit.facts import fact_digest, fact_event
from shared.events.codec import write_body
from shared.events.envelope import Envelope, ReplyAddress, encode_headers
from shared.events.idempotency import digest_of, keyed_event_id
from shared.events.ids import fresh_event_id, slot_of, slot_of_timer
from shared.events.models import (
    Actor,
    OwnerFact,
    Role,
    TimerPaused,
    TimerPress,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from shared.events.texts import TimerText
from shared.events.value import value

_PRESSED: Final[dict[str, type[TimerPress]]] = {"resume": TimerResumed, "stop": TimerStopped}
# Clients that press at one time. Most presses come from a few machines, whose actor is always the same value.
_ACTORS_MAX: Final = 1024


@value
class OutgoingPress:
    """One press, ready to be sent. `timer_id` None: a start, whose id is drawn at each send, or a fact: it has none."""

    event_id: UUID
    event: TimerStarted | TimerPress | OwnerFact
    slot: int
    timer_id: int | None
    recorded_at: datetime
    expires_at: datetime
    traceparent: str | None
    text: bytes | None

    @property
    def draws_an_id(self) -> bool:
        """Whether a timer's id is to be drawn for it."""
        return isinstance(self.event, TimerStarted)

    def key(self, timer_id: int | None) -> bytes:
        """Return the key of the record: the timer's id, or tenant and owner of a fact."""
        if timer_id is None and not isinstance(self.event, TimerPress):
            return f"{self.event.tenant}/{self.event.owner}".encode()
        return str(timer_id).encode()

    def envelope(self, timer_id: int | None, policy_rev: int, reply: ReplyAddress | None = None) -> Envelope:
        """Return the envelope of the press."""
        return Envelope(
            event_id=self.event_id,
            type=self.event.type,
            recorded_at=self.recorded_at,
            policy_rev=policy_rev,
            subject=timer_id,
            expires_at=self.expires_at,
            traceparent=self.traceparent,
            reply=reply,
        )

    def headers(self, timer_id: int | None, policy_rev: int, reply: ReplyAddress) -> list[tuple[str, bytes]]:
        """Return the headers of the record."""
        return encode_headers(self.envelope(timer_id, policy_rev, reply))

    def body(self) -> bytes:
        """Return the value of the record."""
        return write_body(self.event)


def press_of(asked: Asked, *, now: datetime, expires_after: timedelta) -> OutgoingPress:
    """Return the press that was asked for. Raises ValidationError for values that a dialect should have refused."""
    command, caller, key = asked.command, asked.caller, asked.key
    if isinstance(command, PressTimer):
        kind, target, timer_id, slot = "timer", str(command.timer_id), command.timer_id, slot_of_timer(command.timer_id)
    else:
        kind, target, timer_id, slot = "owner", command.owner, None, slot_of(caller.tenant, command.owner)
    event_id = fresh_event_id(now) if key is None else keyed_event_id(caller.tenant, caller.client, kind, target, key)
    return OutgoingPress(
        event_id=event_id,
        event=_event(command, caller, asked.dialect, digest(command)),
        slot=slot,
        timer_id=timer_id,
        recorded_at=now,
        expires_at=now + expires_after,
        traceparent=asked.traceparent,
        text=_text(command, caller, event_id) if isinstance(command, StartTimer) else None,
    )


def digest(command: Command) -> str:
    """Return a digest that differs for two commands under one key (R24): of what was asked, not of dialect or spelling.

    Free text is left out. The digest is in a stream that is kept for ever, and a short text could be guessed from it
    after the text was erased. So the same key with another comment gets the first answer.
    """
    match command:
        case StartTimer(owner=owner, at=at):
            given = {
                "account_id": command.account_id,
                "job_id": command.job_id,
                "project_id": command.project_id,
                "billable": command.billable,
                "work_date": None if command.work_date is None else command.work_date.isoformat(),
                "at": None if at is None else at.spelt,
                "reference": command.reference,
            }
            return digest_of("start", owner, given)
        case PressTimer(verb=verb, timer_id=timer_id, at=at, reason=reason):
            return digest_of(verb, str(timer_id), {"at": None if at is None else at.spelt, "reason": reason})
        case fact:
            return fact_digest(fact)


def _event(
    command: Command, caller: Caller, dialect: Dialect, command_digest: str
) -> TimerStarted | TimerPress | OwnerFact:
    actor = _actor(caller.client, caller.person, caller.presses_as)
    if isinstance(command, FactCommand):
        return fact_event(command, caller.tenant, actor, dialect)
    asked_at = None if command.at is None else command.at.instant
    match command:
        case StartTimer():
            return TimerStarted(
                tenant=caller.tenant,
                actor=actor,
                dialect=dialect,
                digest=command_digest,
                asked_at=asked_at,
                owner=command.owner,
                account_id=command.account_id or None,
                job_id=command.job_id or None,
                project_id=command.project_id or None,
                billable=command.billable is not False,
                work_date=command.work_date,
                zone_assumed=command.at is not None and command.at.zone_assumed,
                reference=command.reference or None,
            )
        case PressTimer(verb=verb, reason=reason):
            tenant, digest_ = caller.tenant, command_digest
            if verb == "pause":
                return TimerPaused(
                    tenant=tenant, actor=actor, dialect=dialect, digest=digest_, asked_at=asked_at, reason=reason
                )
            return _PRESSED[verb](tenant=tenant, actor=actor, dialect=dialect, digest=digest_, asked_at=asked_at)
        case _:
            assert_never(command)


@lru_cache(_ACTORS_MAX)
def _actor(client: str, person: str | None, role: Role) -> Actor:
    return Actor(client=client, person=person, role=role)


def _text(command: StartTimer, caller: Caller, event_id: UUID) -> bytes | None:
    if not command.comment and not command.work_item:
        return None
    text = TimerText(
        tenant=caller.tenant,
        owner=command.owner,
        event_id=event_id,
        comment=command.comment or None,
        work_item=command.work_item or None,
    )
    return text.__pydantic_serializer__.to_json(text, exclude_none=True)
