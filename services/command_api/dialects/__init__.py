"""Dialects: each published API, translated into commands and back. No rules that need history live here.

A dialect is a room: `reading` (a request to a command), `answers` (a verdict to its words), `calls` (its `routes(desk)`
and `error_response(status, headers)`). The rest is shared.

    answering                            the one way of a request: caller, key, submission, verdict
    thebase/                             dialect A: calls reading answers token
    zoho/                                dialect B: calls reading answers dates running
    native/                              dialect C: calls reading answers reads policy/ timers/ reports/ owners/
    kafka/                               dialect D: calls reading answers; no routes, its records come from `inbox/`
    headers, parameters, values, times   what requests say, read
    malformed, reasons, jsontext         what answers share: first problem, sentences of rules, JSON without a model

What each dialect answers to a refusal is in the table of rules, `shared/events/rule_table.py`.
Safe to change: words that are "ours" in docs/contract.md. With care: what counts as "not given", because digests rest
on it.
Never: a published word, status, key or code point; clients compare them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from services.command_api.desk.desk import Desk
from services.command_api.dialects.native import calls as native
from services.command_api.dialects.thebase import calls as thebase
from services.command_api.dialects.zoho import calls as zoho

_THEBASE: Final = ("/v2/", "/oauth/")
_ZOHO: Final = "/people/"


class EncodedSlash(BaseRoute):
    """Answers 404 to a path with `%2F` in it, before a route takes that for a slash.

    A gateway that allows by path sees one segment, `ID%2Fstop`, where the routes would see two.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match each such path, whatever its method."""
        found = scope["type"] == "http" and b"%2f" in scope["raw_path"].lower()
        return (Match.FULL if found else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the port's arguments
        """Answer 404, in the words of the dialect that the path belongs to."""
        raise HTTPException(HTTPStatus.NOT_FOUND)


class NotUtf8(BaseRoute):
    """Refuses a path that is not UTF-8 (R03), before a route reads it.

    The server reads it with U+FFFD in the place of such bytes. `Jos%E9` would name an owner whom nobody named.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match each such path, whatever its method."""
        found = scope["type"] == "http" and not _is_utf8(scope["raw_path"])
        return (Match.FULL if found else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the words of the dialect that the path belongs to."""
        await _unreadable(Request(scope))(scope, receive, send)


def _is_utf8(raw_path: bytes) -> bool:
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(request: Request) -> Response:
    path = request.url.path
    if path.startswith(_THEBASE):
        return thebase.path_not_utf8()
    return zoho.path_not_utf8(request) if path.startswith(_ZOHO) else native.path_not_utf8()


def routes(desk: Desk, *, zoho_errors_as_200: bool = False) -> list[BaseRoute]:
    """Return the routes of all dialects, in the order in which they are tried."""
    return [
        EncodedSlash(),
        NotUtf8(),
        *thebase.routes(desk),
        *zoho.routes(desk, errors_as_200=zoho_errors_as_200),
        *native.routes(desk),
    ]


def error_response(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no route answered (404, 405, 408, 413, 500 …), in the words of the dialect that owns the path."""
    path = request.url.path
    if path.startswith(_THEBASE):
        return thebase.error_response(status, headers)
    if path.startswith(_ZOHO):
        return zoho.error_response(request, status, headers)
    return native.error_response(status, headers)
