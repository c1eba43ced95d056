"""Admitted: the caller of a request of dialect C, who is known and within their quota. Every call asks here first."""

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import caller_within_quota
from services.command_api.dialects.native.answers import WORDS


async def admitted(desk: Desk, request: Request) -> Caller | Response:
    """Return the caller, or the answer to a request that has none (401, 503) or one request too many (429)."""
    return await caller_within_quota(desk, request, WORDS)
