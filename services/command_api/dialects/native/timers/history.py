"""`GET /v1/timers/{timer_id}/history`: every press on a timer and every end that nobody pressed, in the log's order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.desk.rows import HistoryRow
from services.command_api.dialects.answering import read
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS, moment
from services.command_api.dialects.native.lists.cursor import read_press_cursor, write_press_cursor
from services.command_api.dialects.native.lists.filters import limit_of, query_of
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

_BEGINNING: Final = -1


@dataclass(frozen=True, slots=True)
class NativeHistory:
    """The history of a timer."""

    desk: Desk

    async def history(self, request: Request) -> Response:
        """`GET /v1/timers/{timer_id}/history?cursor=&limit=`."""
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        timer_id = parse_timer_id(request.path_params["timer_id"])
        asked = _asked(request, timer_id)
        if isinstance(asked, Malformed):
            return await read(self.desk, request, caller, WORDS, asked)
        unknown = WORDS.refused(Rule.TIMER_UNKNOWN)
        ask = unknown if timer_id is None else partial(self._history, caller, timer_id, *asked)
        return await read(self.desk, request, caller, WORDS, ask)

    async def _history(self, caller: Caller, timer_id: int, after: int, limit: int) -> Response:
        timer = await self.desk.reads.timer(caller.tenant, timer_id)
        if timer is None or caller.person not in {None, timer.owner}:
            return WORDS.refused(Rule.TIMER_UNKNOWN)
        found = await self.desk.reports.history(timer_id, after, limit + 1)
        page = _page(found, limit)
        next_cursor = write_press_cursor(timer_id, page[-1].source_offset) if len(found) > limit else None
        body = {"items": list(map(_line, page)), "next_cursor": next_cursor}
        return Response(written(body), 200, media_type="application/json")


def _asked(request: Request, timer_id: int | None) -> tuple[int, int] | Malformed:
    """Return behind which offset the page begins, and how many lines it may have."""
    query = query_of(request, "cursor", "limit")
    if isinstance(query, Malformed):
        return query
    after: int | Malformed = _BEGINNING
    if timer_id is not None and "cursor" in query:
        after = read_press_cursor(query["cursor"], timer_id)
    limit = limit_of(query)
    if isinstance(after, Malformed):
        return after
    return limit if isinstance(limit, Malformed) else (after, limit)


def _page(found: Sequence[HistoryRow], limit: int) -> Sequence[HistoryRow]:
    """Return the lines of whole records: about `limit`, never none where there are any."""
    if len(found) <= limit:
        return found
    cut = found[limit].source_offset
    return [row for row in found if row.source_offset < cut] or found


def _line(row: HistoryRow) -> dict[str, object]:
    told = row.told
    asked_at = told.get("asked_at")
    return {
        "what": told["what"],
        "by": row.by,
        "at": moment(row.at),
        "asked_at": None if asked_at is None else moment(datetime.fromisoformat(asked_at)),
        "recorded_at": moment(row.log_time),
        "client": told.get("client"),
        "person": told.get("person"),
        "role": told.get("role"),
        "dialect": told.get("dialect"),
        "verdict": told["verdict"],
        "rule": told.get("rule"),
        "state": told["state"],
        "event_id": str(row.event_id),
        "position": row.position,
    }
