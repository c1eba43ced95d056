"""Dialects: each published API, translated into commands and back. No rules that need history live here.

A dialect is a room: `reading` (a request to a command), `answers` (a verdict to its words), `calls` (its `routes(desk)`
and `error_response(status, headers)`). The rest is shared.

    answering                            the one way of a request: caller, key, submission, verdict
    thebase/                             dialect A: calls reading answers token
    zoho/                                dialect B: calls reading answers dates running
    native/                              dialect C: calls reading answers reads
    headers, parameters, values, times   what requests say, read
    malformed, reasons, jsontext         what answers share: first problem, sentences of rules, JSON without a model

Safe to change: words that are "ours" in CONTRACT. With care: what counts as "not given", because digests rest on it.
Never: a published word, status, key or code point; clients compare them.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from services.command_api.desk.desk import Desk
from services.command_api.dialects.native import calls as native
from services.command_api.dialects.thebase import calls as thebase
from services.command_api.dialects.zoho import calls as zoho


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of all dialects."""
    return [*thebase.routes(desk), *zoho.routes(desk), *native.routes(desk)]


def error_response(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no route answered (404, 405, 408, 413, 500 …) in the words of the dialect whose path it is."""
    path = request.url.path
    if path.startswith(("/v2/", "/oauth/")):
        return thebase.error_response(status, headers)
    if path.startswith("/people/"):
        return zoho.error_response(request, status, headers)
    return native.error_response(status, headers)
