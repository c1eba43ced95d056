"""Admitted: the caller of a request of dialect C, who is known and within their quota. Every call asks here first."""

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import caller_or_answer
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.answers import WORDS
from shared.events.rules import Rule


async def admitted(desk: Desk, request: Request) -> Caller | Response:
    """Return the caller, or the answer to a request that has none (401, 503) or one request too many (429)."""
    caller = await caller_or_answer(desk, request, WORDS)
    if isinstance(caller, Response):
        return caller
    over = desk.quotas.over(caller)
    if over is None:
        return caller
    desk.tally.turned_away[WORDS.dialect, Rule.RATE_LIMITED] += 1
    return answers.over_quota(over.retry_after_seconds)
