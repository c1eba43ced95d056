"""The reports of dialect C: `GET /v1/violations` and `GET /v1/owners/{owner}/days`.

A person's token reads that person's findings and days. Another owner's are 404, as if there were no such owner.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import caller_or_answer, read
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.answers import WORDS, refused
from services.command_api.dialects.native.reports import answers
from services.command_api.dialects.native.reports.asking import DaysAsked, ViolationsAsked, read_days, read_violations
from services.command_api.dialects.native.reports.cursor import write_cursor
from shared.events.rules import Rule

VIOLATIONS_PATH: Final = "/v1/violations"
DAYS_PATH: Final = "/v1/owners/{owner}/days"

_NO_SUCH_OWNER: Final = "There is no such owner."


@dataclass(frozen=True, slots=True)
class NativeReports:
    """The reports of dialect C."""

    desk: Desk

    async def violations(self, request: Request) -> Response:
        """`GET /v1/violations?owner=&rule=&from=&to=&cursor=&limit=`."""
        caller = await caller_or_answer(self.desk, request, WORDS)
        if isinstance(caller, Response):
            return caller
        policy = self.desk.policies.latest(caller.tenant)
        if policy is None:
            return WORDS.unavailable()  # a filter may name a day, which is a day of the tenant's zone
        asked = read_violations(request, policy.zone, caller.person)
        if isinstance(asked, Malformed):
            return WORDS.malformed(asked)
        if not may_see(caller, asked.filter.owner):
            return no_such_owner()
        return await read(self.desk, request, caller, WORDS, partial(self._violations, caller, asked))

    async def _violations(self, caller: Caller, asked: ViolationsAsked) -> Response:
        found = await self.desk.reports.violations(caller.tenant, asked.filter, asked.after, asked.limit)
        page = found[: asked.limit]
        more = len(found) > len(page)
        return answers.violations(page, write_cursor(asked.filter, page[-1].key) if more else None)

    async def days(self, request: Request) -> Response:
        """`GET /v1/owners/{owner}/days?from=&to=`."""
        caller = await caller_or_answer(self.desk, request, WORDS)
        if isinstance(caller, Response):
            return caller
        asked = read_days(request, self.desk.now())
        if isinstance(asked, Malformed):
            return WORDS.malformed(asked)
        if not may_see(caller, asked.owner):
            return no_such_owner()
        return await read(self.desk, request, caller, WORDS, partial(self._days, caller, asked))

    async def _days(self, caller: Caller, asked: DaysAsked) -> Response:
        found = await self.desk.reports.days(caller.tenant, asked.owner, asked.first, asked.last)
        if found.zone is not None:
            return answers.days(found, found.zone)
        policy = self.desk.policies.latest(caller.tenant)
        return WORDS.unavailable() if policy is None else answers.days(found, policy.zone)


def may_see(caller: Caller, owner: str | None) -> bool:
    """Return whether a caller may see what is an owner's; None: what is everybody's."""
    return caller.person in {None, owner}


def no_such_owner() -> Response:
    """Answer a caller that asks about an owner whom they may not see."""
    return refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OWNER)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of the reports."""
    calls = NativeReports(desk)
    return [
        Route(VIOLATIONS_PATH, calls.violations, methods=["GET"]),
        Route(DAYS_PATH, calls.days, methods=["GET"]),
    ]
