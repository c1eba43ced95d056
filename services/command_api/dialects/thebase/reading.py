"""The requests of dialect A: bodies and pages, from their bytes to commands.

With care: the reading of `start_time`, because minutes are counted from it.
Ours, where the page says nothing: unknown members of a body are ignored, and a `start_time` without a time of day is
refused.
"""

import re
from typing import Final

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import QueryParams

from services.command_api.desk.commands import PressTimer, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.times import Opening
from services.command_api.dialects.values import Comment, Name, RequiredName, StartAt, read_body, says_nothing
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

LIMIT_DEFAULT: Final = 25
LIMIT_MAX: Final = 1000

# The published page prints a stop's body like this, so some caller will have typed it.
_NULL_BODY: Final = b"NULL Body"
_COUNT: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class StartBody(BaseModel):
    """The body of `POST /v2/timer/start`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: RequiredName
    account_id: Name = None
    start_time: StartAt = None
    comment: Comment = None


def read_start(body: bytes, opening: Opening) -> StartTimer | Malformed:
    """Translate the body of a start."""
    fields = read_body(StartBody, body, opening)
    if isinstance(fields, Malformed):
        return fields
    return StartTimer(owner=fields.owner, account_id=fields.account_id, comment=fields.comment, at=fields.start_time)


def read_stop(spelt_id: str, body: bytes) -> PressTimer | Malformed | Rule:
    """Translate a stop. It needs only the id, and a malformed id is answered as an unknown timer."""
    if not says_nothing(body) and body.strip() != _NULL_BODY:
        return Malformed(Rule.VALUE_INVALID, "body")
    timer_id = parse_timer_id(spelt_id)
    return Rule.TIMER_UNKNOWN if timer_id is None else PressTimer("stop", timer_id)


def read_page(query: QueryParams) -> tuple[int, int] | Malformed:
    """Return limit and offset of a list."""
    limit, offset = _count(query, "limit", LIMIT_DEFAULT), _count(query, "offset", 0)
    if limit is None or not 1 <= limit <= LIMIT_MAX:
        return Malformed(Rule.VALUE_INVALID, "limit")
    return (limit, offset) if offset is not None else Malformed(Rule.VALUE_INVALID, "offset")


def _count(query: QueryParams, name: str, default: int) -> int | None:
    given = set(query.getlist(name)) - {""}
    if not given:
        return default
    text = given.pop()
    return int(text) if not given and _COUNT.fullmatch(text) else None
