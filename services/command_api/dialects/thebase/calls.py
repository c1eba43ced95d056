"""Dialect A, `/v2/timer` and `/oauth/token`, as TheBase's CRM publishes it (docs/contract.md, section 2).

Safe to change: nothing that a client can see.
Ours, where the page says nothing: a person's token works too, for that person's timers. Another person's timer is
404, and a start for another person 400.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import caller_within_quota, opening_here, press, press_at, read
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.thebase import answers
from services.command_api.dialects.thebase.answers import LIST, START, STOP
from services.command_api.dialects.thebase.reading import read_page, read_start, read_stop
from services.command_api.dialects.thebase.token import token
from shared.process.http.front import DirectRoute


@dataclass(frozen=True, slots=True)
class TheBase:
    """The calls of dialect A."""

    desk: Desk

    async def token(self, request: Request) -> Response:
        """`POST /oauth/token`."""
        return await token(self.desk, request)

    async def start(self, request: Request) -> Response:
        """`POST /v2/timer/start`."""
        caller = await caller_within_quota(self.desk, request, START)
        if isinstance(caller, Response):
            return caller
        policy = self.desk.policies.latest(caller.tenant)
        if policy is None:
            return START.unavailable()
        reading = partial(read_start, await request.body())
        return await press_at(self.desk, request, caller, reading, opening_here(self.desk, policy.zone), START)

    async def stop(self, request: Request) -> Response:
        """`PUT /v2/timer/{timer_id}`."""
        caller = await caller_within_quota(self.desk, request, STOP)
        if isinstance(caller, Response):
            return caller
        command = read_stop(request.path_params["timer_id"], await request.body())
        return await press(self.desk, request, caller, command, STOP)

    async def open(self, request: Request) -> Response:
        """`GET /v2/timer/open`."""
        caller = await caller_within_quota(self.desk, request, LIST)
        if isinstance(caller, Response):
            return caller
        page = read_page(request.query_params)
        if isinstance(page, Malformed):
            return LIST.malformed(page)
        return await read(self.desk, request, caller, LIST, partial(self._open, caller, *page))

    async def _open(self, caller: Caller, limit: int, offset: int) -> Response:
        found = await self.desk.reads.open_timers(caller.tenant, limit, offset, owner=caller.person)
        return answers.open_timers(found, limit, offset)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of dialect A."""
    calls = TheBase(desk)
    return [
        DirectRoute("/v2/timer/start", calls.start, methods=["POST"], direct=["POST"]),
        Route(answers.OPEN_PATH, calls.open, methods=["GET"]),
        DirectRoute("/v2/timer/{timer_id}", calls.stop, methods=["PUT"], direct=["PUT"]),
        Route("/oauth/token", calls.token, methods=["POST"]),
    ]


def error_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a request that no call answered, with the statuses that this dialect knows."""
    match status:
        case 401 | 404 | 405 | 500 | 503:
            return answers.error(status, headers=headers)
        case _:
            # Too large (413) and too slow (408) are the caller's fault too, and this dialect has no status for them.
            return answers.error(400 if status < 500 else 500, headers=headers)  # noqa: PLR2004 - the first status that is our fault


def path_not_utf8() -> Response:
    """Answer a path that is not UTF-8 as a malformed id, which is an unknown timer here."""
    return answers.error(404)
