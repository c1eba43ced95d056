"""The lists of timers: `GET /v1/timers` and `GET /v1/owners/{owner}/current`.

A person's token lists that person's timers. Another owner's are 404, as if there were no such owner.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.lists.cursor import write_timer_cursor
from services.command_api.dialects.native.lists.filters import LIMIT_MAX
from services.command_api.dialects.native.lists.pages import answer_about_owner, answer_page
from services.command_api.dialects.native.timers.asking import TimersAsked, read_timers
from services.command_api.dialects.native.timers.history import NativeHistory

HISTORY_PATH: Final = f"{answers.TIMERS_PATH}/{{timer_id}}/history"
CURRENT_PATH: Final = "/v1/owners/{owner}/current"


@dataclass(frozen=True, slots=True)
class NativeTimers:
    """The lists of timers of dialect C."""

    desk: Desk

    async def timers(self, request: Request) -> Response:
        """`GET /v1/timers?owner=&state=&from=&to=&account=&job=&reference=&flag=&cursor=&limit=`."""
        return await answer_page(self.desk, request, read_timers, self._timers)

    async def _timers(self, caller: Caller, asked: TimersAsked) -> Response:
        page = await self.desk.reports.timers(caller.tenant, asked.filter, asked.after, asked.limit)
        return answers.listed(page.rows, None if page.after is None else write_timer_cursor(asked.filter, page.after))

    async def current(self, request: Request) -> Response:
        """`GET /v1/owners/{owner}/current`."""
        return await answer_about_owner(self.desk, request, self._current)

    async def _current(self, caller: Caller, owner: str) -> Response:
        return answers.listed(await self.desk.reports.current(caller.tenant, owner, LIMIT_MAX), None)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of the lists, but that of `/v1/timers`, where a start is pressed too."""
    calls = NativeTimers(desk)
    return [
        Route(CURRENT_PATH, calls.current, methods=["GET"]),
        Route(HISTORY_PATH, NativeHistory(desk).history, methods=["GET"]),
    ]
