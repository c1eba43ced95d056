"""Who calls dialect C, or what to answer instead."""

from typing import assert_never

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Away, Desk, Unknown
from services.command_api.dialects.native import answers
from shared.events.rules import Rule


async def caller_or_answer(desk: Desk, request: Request) -> Caller | Response:
    """Return the caller, or the answer to somebody who is none."""
    caller = await desk.caller_of(request)
    match caller:
        case Caller():
            return caller
        case Unknown():
            return answers.refused(Rule.TOKEN_UNKNOWN)
        case Away():
            return answers.unavailable()
        case _:
            assert_never(caller)
