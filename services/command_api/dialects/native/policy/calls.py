"""`PUT /v1/policy`, and the GETs of policies.

All are answered from memory, so a read needs no other part unless its caller names an `X-Min-Position`.

Ours: a revision that moved on is 409, also when If-Match named it (412 would be a second word for one thing).
"""

from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.desk.policies import MovedOn, NotSet, Revision, SetTooOften
from services.command_api.dialects.answering import read
from services.command_api.dialects.malformed import Malformed, fault_in, first_of
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS
from services.command_api.dialects.native.lists.filters import NO_PARAMETERS, query_of
from services.command_api.dialects.native.policy import answers
from services.command_api.dialects.native.policy.reading import (
    HistoryPage,
    knows,
    read_page,
    read_put,
    read_revision,
)

POLICY_PATH: Final = "/v1/policy"


@dataclass(frozen=True, slots=True)
class NativePolicy:
    """The calls about the tenant's policy."""

    desk: Desk

    async def policy(self, request: Request) -> Response:
        """`PUT /v1/policy` and `GET /v1/policy`: one route, so that a 405 names both methods."""
        if request.method != "PUT":
            return await self._in_force(request)
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        # Read in any case, because an unread body costs the caller its connection.
        body = await request.body()
        return await self._put(request, caller, body)

    async def _put(self, request: Request, caller: Caller, body: bytes) -> Response:
        if caller.role != "admin":
            return answers.not_for_this_role("Only an admin may set the policy.")
        put = read_put(body, request.headers.getlist("if-match"))
        query = NO_PARAMETERS if request.query_params else None
        if isinstance(put, Malformed):
            return WORDS.malformed(first_of(put, query))
        if query is not None:
            return WORDS.malformed(query)
        match await self.desk.policy_log.put(caller, put.document, put.replaces):
            case Revision() as revision:
                return answers.document(revision)
            case MovedOn() as why:
                return answers.moved_on(why)
            case SetTooOften() as why:
                return answers.set_too_often(why)
            case NotSet() as why:
                return answers.not_set(why)
            case became:
                assert_never(became)

    async def _in_force(self, request: Request) -> Response:
        caller = await self._reader(request)
        if isinstance(caller, Response):
            return caller
        ask = fault_in(query_of(request)) or partial(self._shown, request, caller, None, answers.none_yet())
        return await read(self.desk, request, caller, WORDS, ask)

    async def revision(self, request: Request) -> Response:
        """`GET /v1/policy/{revision}`."""
        caller = await self._reader(request)
        if isinstance(caller, Response):
            return caller
        number = read_revision(request.path_params["revision"])
        missing = answers.no_such_revision()
        ask = missing if number is None else partial(self._shown, request, caller, number, missing)
        return await read(self.desk, request, caller, WORDS, fault_in(query_of(request)) or ask)

    async def history(self, request: Request) -> Response:
        """`GET /v1/policy/history?cursor=&limit=`."""
        caller = await self._reader(request)
        if isinstance(caller, Response):
            return caller
        page = read_page(request)
        ask = page if isinstance(page, Malformed) else partial(self._history, caller, page)
        return await read(self.desk, request, caller, WORDS, ask)

    async def _history(self, caller: Caller, page: HistoryPage) -> Response:
        if not self.desk.policy_log.has_begun:
            return WORDS.unavailable()
        found = self.desk.policy_log.history(caller.tenant, page.before, page.most + 1)
        shown = found[: page.most]
        return answers.history(shown, shown[-1].revision if len(found) > len(shown) else None)

    async def _reader(self, request: Request) -> Caller | Response:
        """Return the caller, or the answer to one that may not read policies."""
        caller = await admitted(self.desk, request)
        if isinstance(caller, Caller) and caller.role == "person":
            return answers.not_for_this_role("A person may not read the policy.")
        return caller

    async def _shown(self, request: Request, caller: Caller, number: int | None, missing: Response) -> Response:
        # Until the past is read, an older revision would pass for the one in force.
        if not self.desk.policy_log.has_begun:
            return WORDS.unavailable()
        revision = self.desk.policy_log.revision(caller.tenant, number)
        if revision is None:
            return missing
        return answers.unchanged(revision) if knows(request, answers.etag_of(revision)) else answers.document(revision)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of the policy. The history comes before the revisions, because it is spelt like one."""
    calls = NativePolicy(desk)
    return [
        Route(POLICY_PATH, calls.policy, methods=["GET", "PUT"]),
        Route(f"{POLICY_PATH}/history", calls.history, methods=["GET"]),
        Route(f"{POLICY_PATH}/{{revision}}", calls.revision, methods=["GET"]),
    ]
