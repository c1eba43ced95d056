"""What admins state about an owner, `/v1/owners/{owner}`, and what is known of one.

Ours: each statement is a press on the owner's partition, for admins alone (R06 403). Aliases are no fact on the log:
they belong to the person, are set after the press is recorded, and count when person or token is looked up again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller, FactCommand, Learned, StillWaiting
from services.command_api.desk.desk import Desk
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.answering import asked_for, count_role_refused, malformed_press, worded
from services.command_api.dialects.headers import idempotency_key, preferred_wait
from services.command_api.dialects.malformed import Malformed, fault_in, first_of
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS, recorded
from services.command_api.dialects.native.lists.filters import NO_PARAMETERS
from services.command_api.dialects.native.lists.pages import answer_about_owner
from services.command_api.dialects.native.owners import answers
from services.command_api.dialects.native.owners.reading import (
    StatedAttendance,
    read_attendance,
    read_erasure,
    read_estimate,
    read_leave,
    read_profile,
)
from services.command_api.dialects.values import read_name

_Stated = TypeVar("_Stated")
_Statement = Callable[["NativeOwners", Request, Caller, str, bytes], Awaitable[Response]]


def _by_an_admin(state: _Statement) -> "Callable[[NativeOwners, Request], Awaitable[Response]]":
    """Let admins alone state something."""

    @wraps(state)
    async def call(self: "NativeOwners", request: Request) -> Response:
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        # Read in any case, because an unread body costs the caller its connection.
        body = await request.body()
        if caller.role != "admin":
            count_role_refused(self.desk, WORDS)
            return answers.not_an_admin()
        try:
            return await state(self, request, caller, request.path_params["owner"], body)
        except ReadsAwayError:
            return WORDS.unavailable()

    return call


@dataclass(frozen=True, slots=True)
class NativeOwners:
    """The calls of dialect C about owners."""

    desk: Desk

    async def owner(self, request: Request) -> Response:
        """`PUT` and `GET /v1/owners/{owner}`: one route, so that a 405 names both methods."""
        if request.method == "PUT":
            return await self._set_profile(request)
        return await answer_about_owner(self.desk, request, self._known)

    @_by_an_admin
    async def _set_profile(self, request: Request, caller: Caller, owner: str, body: bytes) -> Response:
        checked = _checked(request, read_profile(owner, body))
        if isinstance(checked, Malformed):
            return malformed_press(self.desk, checked, WORDS)
        stated, key = checked
        if stated.aliases is not None and (await self.desk.reads.owner(caller.tenant, owner)).aliases is None:
            return answers.no_such_person()
        answer = await self._submit(request, caller, stated.fact, key)
        if stated.aliases is None or isinstance(answer, Response):
            return _answered(answer)
        if not await self.desk.people.set_aliases(caller.tenant, owner, stated.aliases):
            return answers.no_such_person()
        return _answered(answer, stated.aliases)

    @_by_an_admin
    async def leave(self, request: Request, caller: Caller, owner: str, body: bytes) -> Response:
        """`PUT` and `DELETE /v1/owners/{owner}/leave/{day}`: one route, so that a 405 names both methods."""
        stated = read_leave(owner, request.path_params["day"], body, granted=request.method == "PUT")
        return await self._state(request, caller, stated)

    @_by_an_admin
    async def record_attendance(self, request: Request, caller: Caller, owner: str, body: bytes) -> Response:
        """`POST /v1/owners/{owner}/attendance`."""
        checked = _checked(request, read_attendance(owner, body))
        if isinstance(checked, Malformed):
            return malformed_press(self.desk, checked, WORDS)
        stated, key = checked
        zone_name = await self._zone_for(caller, stated)
        if zone_name is None:
            return WORDS.unavailable()
        command = stated.on_its_day(zone_name)
        if isinstance(command, Malformed):
            return malformed_press(self.desk, command, WORDS)
        return _answered(await self._submit(request, caller, command, key))

    @_by_an_admin
    async def set_estimate(self, request: Request, caller: Caller, owner: str, body: bytes) -> Response:
        """`PUT /v1/owners/{owner}/estimates/{job}`."""
        return await self._state(request, caller, read_estimate(owner, request.path_params["job"], body))

    @_by_an_admin
    async def erase_texts(self, request: Request, caller: Caller, owner: str, body: bytes) -> Response:
        """`DELETE /v1/owners/{owner}/texts`."""
        return await self._state(request, caller, read_erasure(owner, body))

    async def _known(self, caller: Caller, owner: str) -> Response:
        return answers.known(owner, await self.desk.reads.owner(caller.tenant, owner))

    async def _zone_for(self, caller: Caller, stated: StatedAttendance) -> str | None:
        """Return the zone that finds the day of a window. None: the tenant has no policy."""
        policy = self.desk.policies.latest(caller.tenant)
        if policy is None or stated.on is not None:
            # The caller named the day, so Postgres is not asked: the press is recorded without it.
            return None if policy is None else policy.zone
        return (await self.desk.reads.owner(caller.tenant, stated.owner)).zone or policy.zone

    async def _state(self, request: Request, caller: Caller, command: FactCommand | Malformed) -> Response:
        checked: tuple[FactCommand, str | None] | Malformed = _checked(request, command)
        if isinstance(checked, Malformed):
            return malformed_press(self.desk, checked, WORDS)
        return _answered(await self._submit(request, caller, *checked))

    async def _submit(
        self, request: Request, caller: Caller, command: FactCommand, key: str | None
    ) -> Response | Learned | StillWaiting:
        """Record a statement. Return the answer at once when it was refused or not recorded."""
        asked = asked_for(self.desk, request, caller, command, WORDS, key, preferred_wait(request))
        answer = await self.desk.submitter.submit(asked)
        return answer if isinstance(answer, Learned | StillWaiting) else worded(asked, answer, WORDS)


def _checked(request: Request, stated: _Stated | Malformed) -> tuple[_Stated, str | None] | Malformed:
    """Return what is stated and under which key, or the first rule in order that query, path, body or key breaks."""
    # A caller that sends query parameters means them, and a statement has none.
    query = NO_PARAMETERS if request.query_params else None
    owner, key = read_name(request.path_params["owner"], "owner"), idempotency_key(request)
    others = first_of(query, fault_in(owner))
    if isinstance(stated, Malformed):
        return first_of(stated, others, fault_in(key))
    if isinstance(key, Malformed):
        return first_of(key, others)
    return others or (stated, key)


def _answered(answer: Response | Learned | StillWaiting, aliases: tuple[str, ...] | None = None) -> Response:
    match answer:
        case Learned():
            return answers.learned(answer, aliases)
        case StillWaiting():
            return recorded(answer)
        case Response():
            return answer
        case _:
            assert_never(answer)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes about owners."""
    calls = NativeOwners(desk)
    owner = f"{answers.OWNERS_PATH}/{{owner}}"
    return [
        Route(owner, calls.owner, methods=["GET", "PUT"]),
        Route(f"{owner}/leave/{{day}}", calls.leave, methods=["PUT", "DELETE"]),
        Route(f"{owner}/attendance", calls.record_attendance, methods=["POST"]),
        Route(f"{owner}/estimates/{{job}}", calls.set_estimate, methods=["PUT"]),
        Route(f"{owner}/texts", calls.erase_texts, methods=["DELETE"]),
    ]
