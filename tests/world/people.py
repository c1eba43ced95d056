"""People: clients that press one thing after the other, and write what they asked and heard into the history."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, assert_never

from services.command_api.desk.commands import (
    Accepted,
    Answer,
    AskedTime,
    Caller,
    Learned,
    NotRecorded,
    PressTimer,
    Refused,
    StartTimer,
    StillWaiting,
    TimerCommand,
)
from services.command_api.dialects.native import answers as native_answers
from shared.events.ids import ID_EPOCH, make_short, slot_of
from tests.support.proof.checkers.history import Op
from tests.world.office import Office, event_id_of
from tests.world.world import World

# For the presses of this client, a rule of the product is made to raise.
BREAKER: Final = "breaker"
_THINKS_SECONDS: Final = 0.3
_TRIES: Final = 3
# The first and last dates that Postgres and every zone can hold.
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PressRequest:
    """One press as a client words it: its command, its caller, its key."""

    command: TimerCommand
    caller: Caller
    key: str

    @property
    def op(self) -> str:
        """The verb."""
        return self.command.verb if isinstance(self.command, PressTimer) else "start"


class Pressing:
    """One client's day."""

    def __init__(self, world: World, name: str, tenant: str, offices: list[Office]) -> None:
        self._world = world
        self._name = name
        self._tenant = tenant
        self._offices = offices
        self._made: list[PressRequest] = []
        # Under these keys something else was asked too. Only the log knows which of the two was recorded.
        self._reused: set[str] = set()
        self._owners = [owner for of, owner in world.plan.owners if of == tenant] or ["o9"]

    async def live(self) -> None:
        """Press until no presses are left to make."""
        while self._world.left > 0:
            await asyncio.sleep(self._world.chance.random() * _THINKS_SECONDS)
            await self._until_known(self._wish())

    async def _until_known(self, request: PressRequest) -> None:
        """Press, and press again under the same key while the fate of the press is unknown."""
        for _ in range(_TRIES):
            self._world.left -= 1
            if await self._press(request) != "info" or self._world.chance.random() < 0.3:
                return

    async def _press(self, request: PressRequest) -> str:
        event_id = str(event_id_of(request.command, request.caller, request.key))
        timer_id = str(request.command.timer_id) if isinstance(request.command, PressTimer) else None
        self._note(request, event_id, timer_id, "invoke")
        office = self._world.chance.choice(self._offices)
        answer = await office.submit(request.command, request.caller, request.key)
        heard = heard_as(request, answer)
        if isinstance(answer, Accepted) and isinstance(request.command, StartTimer):
            self._world.known.append((self._tenant, int(heard["timer_id"])))
            if request.command.comment is not None and event_id not in self._reused:
                self._world.commented[event_id] = request.command.comment
        self._note(request, event_id, heard.pop("timer_id", timer_id), **heard)
        return self._world.history[-1].type

    def _note(
        self,
        request: PressRequest,
        event_id: str,
        timer_id: str | None,
        type: Literal["invoke", "ok", "fail", "info"],  # noqa: A002 - the word of the history
        **heard: Any,  # noqa: ANN401 - what an answer has
    ) -> None:
        op = Op(self._world.loop.now, self._name, request.op, event_id, timer_id, type, **heard)
        self._world.history.append(op)

    # Wishes.

    def _wish(self) -> PressRequest:
        world, chance = self._world, self._world.chance
        if self._made and world.happens("key_again"):
            return chance.choice(self._made)
        if self._made and world.happens("key_reused"):
            request = chance.choice(self._made)
            self._reused.add(str(event_id_of(request.command, request.caller, request.key)))
            return replace(request, command=_other(request.command))
        command, caller = self._command(), self._caller()
        request = PressRequest(command, caller, f"k{len(world.history)}")
        self._made.append(request)
        return request

    def _caller(self) -> Caller:
        chance = self._world.chance
        if self._world.happens("rule_breaks"):
            return Caller(self._tenant, BREAKER, "machine")
        if chance.random() < 0.25:
            return Caller(self._tenant, self._name, "person", chance.choice(self._owners))
        return Caller(self._tenant, self._name, "machine")

    def _command(self) -> TimerCommand:
        world, chance = self._world, self._world.chance
        known = world.known if chance.random() < 0.05 else [k for k in world.known if k[0] == self._tenant]
        if not known or chance.random() < 0.35:
            return self._start()
        # Mostly the newest: those that still run.
        timer_id = chance.choice(known[-4:])[1] if chance.random() < 0.97 else self._nobodys()
        verbs: tuple[Literal["pause", "resume", "stop"], ...] = ("pause", "resume", "stop")
        verb = chance.choices(verbs, (4, 4, 3))[0]
        reason = (None, "lunch", "call_2")[len(world.history) % 3] if verb == "pause" else None
        return PressTimer(verb, timer_id, self._asked(_FIRST, _LAST), reason)

    def _start(self) -> StartTimer:
        world, chance = self._world, self._world.chance
        day = (world.now() + timedelta(days=chance.choice((0, 0, 0, -1, 1, 2)))).date()
        # No text column takes it.
        nul = chance.choice(("account", "job")) if world.happens("refused_by_store") else None
        return StartTimer(
            owner=chance.choice(self._owners),
            account_id="\0" if nul == "account" else chance.choice((None, "a1", "a,2")),
            job_id="\0" if nul == "job" else chance.choice((None, "j1", "j1", "j2")),
            billable=chance.choice((None, True, False)),
            work_date=day if chance.random() < 0.15 else None,
            at=self._asked(_LAST),
            comment=chance.choice((None, None, f"comment {len(world.history)}")),
            reference=(None, f"crm/{len(world.history)} é", None)[len(world.history) % 3],
        )

    def _nobodys(self) -> int:
        slot = slot_of(self._tenant, self._world.chance.choice(self._owners))
        ms = (self._world.now() - ID_EPOCH) // timedelta(milliseconds=1)
        return make_short(ms, slot, self._world.chance.randrange(1024))

    def _asked(self, *strange: datetime) -> AskedTime | None:
        chance, now = self._world.chance, self._world.now()
        kind = chance.random()
        if kind < 0.55:
            return None
        if kind < 0.75:
            at = now - timedelta(seconds=chance.choice((0.5, 3, 59, 61, 600, 7200, 90_000)) * chance.random())
        elif kind < 0.85:
            at = now - timedelta(days=chance.random() * 3)
        elif kind < 0.93:
            at = now + timedelta(seconds=chance.random() * 62)
        elif kind < 0.97:
            at = now + timedelta(minutes=chance.random() * 100)
        else:
            at = chance.choice(strange)
        return AskedTime(at, at.isoformat(), zone_assumed=chance.random() < 0.2)


def heard_as(request: PressRequest, answer: Answer | None) -> dict[str, Any]:
    """Return what dialect C answers, as fields of a line of the history."""
    match answer:
        case None:
            return {"type": "info"}
        case NotRecorded():
            return {"type": "info", "status": 503}
        case StillWaiting(position=position):
            return {"type": "info", "status": 202, "position": str(position)}
        case Accepted(timer=timer, position=position):
            said = native_answers.created if request.op == "start" else native_answers.pressed
            response = said(timer, position)
            heard = {"type": "ok", "status": response.status_code, "position": str(position)}
            return heard | {"body": json.loads(bytes(response.body)), "timer_id": str(timer.id)}
        case Refused(rule=rule, position=position):
            status = native_answers.status_of(rule)
            heard = {"type": "fail" if status < 500 else "info", "status": status, "position": str(position)}
            return heard | {"body": {"rule": rule.value}}
        case Learned():
            raise AssertionError("these people press timers only")
        case _:
            assert_never(answer)


def _other(command: TimerCommand) -> TimerCommand:
    """Return another command that may come under the same key."""
    match command:
        case StartTimer():
            return replace(command, job_id="j3")
        case PressTimer(verb=verb):
            return replace(command, verb="stop" if verb == "pause" else "pause", reason=None)
        case _:
            assert_never(command)
