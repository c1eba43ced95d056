"""The reports of dialect C: `GET /v1/violations`, and the days of an owner, an account and a job.

A person's token reads that person's findings and days. Another owner's are 404, as if there were no such owner. An
account's and a job's days are many owners', so a person may not read them.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.desk.rows import DaysRow
from services.command_api.dialects.answering import read
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS, refused
from services.command_api.dialects.native.lists.cursor import write_cursor
from services.command_api.dialects.native.lists.pages import answer_page, if_theirs
from services.command_api.dialects.native.reports import answers
from services.command_api.dialects.native.reports.accept import CSV, XLSX, form_wanted
from services.command_api.dialects.native.reports.asking import (
    DaysAsked,
    ViolationsAsked,
    Whose,
    read_days,
    read_violations,
)
from services.command_api.dialects.native.reports.tables import csv
from shared.events.rules import Rule

VIOLATIONS_PATH: Final = "/v1/violations"
# The parameter of each path is named as whose days they are: `read_days` takes it by that name.
DAYS_PATHS: Final[dict[Whose, str]] = {
    "owner": "/v1/owners/{owner}/days",
    "account": "/v1/accounts/{account}/days",
    "job": "/v1/jobs/{job}/days",
}

# How long a caller waits for its turn. A workbook of a year takes 30 ms.
_WORKBOOK_WITHIN_SECONDS: Final = 2.0

_MANY_OWNERS: Final = "A person may read their own days only."


@dataclass(frozen=True, slots=True)
class NativeReports:
    """The reports of dialect C."""

    desk: Desk
    # Workbooks are made one at a time: they share one interpreter with the presses, and two are no faster than one.
    _workbooks: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def violations(self, request: Request) -> Response:
        """`GET /v1/violations?owner=&rule=&from=&to=&cursor=&limit=`."""
        return await answer_page(self.desk, request, read_violations, self._violations)

    async def _violations(self, caller: Caller, asked: ViolationsAsked) -> Response:
        found = await self.desk.reports.violations(caller.tenant, asked.filter, asked.after, asked.limit)
        page = found[: asked.limit]
        more = len(found) > len(page)
        return answers.violations(page, write_cursor(asked.filter, page[-1].key) if more else None)

    async def days(self, whose: Whose, request: Request) -> Response:
        """`GET /v1/owners/{owner}/days?from=&to=`, and the same of an account or a job. CSV or XLSX by `Accept`."""
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        if whose != "owner" and caller.person is not None:
            return refused(Rule.NOT_THE_OWNER, _MANY_OWNERS)
        form = form_wanted(request)
        asked = read_days(request, self.desk.now(), whose, form)
        if isinstance(asked, Malformed):
            return await read(self.desk, request, caller, WORDS, asked)
        ask = partial(self._days, caller, asked, form)
        theirs = if_theirs(caller, asked.about, ask) if whose == "owner" else ask
        return await read(self.desk, request, caller, WORDS, theirs)

    async def _days(self, caller: Caller, asked: DaysAsked, form: str) -> Response:
        found = await self._found(caller.tenant, asked)
        policy = self.desk.policies.latest(caller.tenant)
        zone_name = found.zone or (None if policy is None else policy.zone)
        if zone_name is None:
            return WORDS.unavailable()
        if form == CSV:
            return csv.days(found, zone_name, asked)
        if form == XLSX:
            return await self._workbook(found, zone_name, asked)
        return answers.days(found, zone_name)

    async def _workbook(self, found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
        try:
            async with asyncio.timeout(_WORKBOOK_WITHIN_SECONDS):
                await self._workbooks.acquire()
        except TimeoutError:
            return WORDS.unavailable()
        try:
            return await asyncio.to_thread(_workbook, found, zone_name, asked)
        finally:
            self._workbooks.release()

    async def _found(self, tenant: str, asked: DaysAsked) -> DaysRow:
        reports = self.desk.reports
        if asked.whose == "owner":
            return await reports.days(tenant, asked.about, asked.first, asked.last)
        return await reports.work_days(tenant, asked.whose, asked.about, asked.first, asked.last)


def _workbook(found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
    # XlsxWriter takes a seventh of a second and 9 MB of memory. An API that makes no workbook does not pay for it.
    from services.command_api.dialects.native.reports.tables import xlsx  # noqa: PLC0415 - only for who asks

    return xlsx.days(found, zone_name, asked)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of the reports."""
    calls = NativeReports(desk)
    return [
        Route(VIOLATIONS_PATH, calls.violations, methods=["GET"]),
        *(Route(path, partial(calls.days, whose), methods=["GET"]) for whose, path in DAYS_PATHS.items()),
    ]
