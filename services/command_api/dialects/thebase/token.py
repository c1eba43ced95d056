"""`POST /oauth/token`: a client's id and secret for a bearer token (RFC 6749, client credentials)."""

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.desk import Busy, Desk, IssuedToken
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.headers import authorization
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.thebase.answers import error, unavailable
from shared.events.base import is_writable

_FIELDS_MAX: Final = 20
# No cache may keep a token (RFC 6749, section 5.1).
_UNCACHED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def token(desk: Desk, request: Request) -> Response:
    """Answer with a token, or with an error that also has its RFC 6749 code."""
    grant_type = _grant_type(await request.body())
    if grant_type is None:
        return error(400, "grant_type is mandatory.", oauth="invalid_request")
    if grant_type != "client_credentials":
        return error(400, "grant_type is not client_credentials.", oauth="unsupported_grant_type")
    try:
        issued = await _issued(desk, _basic(authorization(request)))
    except ReadsAwayError:
        return unavailable()
    if isinstance(issued, Busy):
        return unavailable(issued.retry_after_seconds)
    if issued is None:
        return _no_such_client()
    body = {
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": issued.expires_in_seconds,
    }
    return Response(written(body), 200, _UNCACHED, "application/json")


async def _issued(desk: Desk, credentials: Sequence[tuple[str, str]]) -> IssuedToken | Busy | None:
    for client_id, secret in credentials:
        issued = await desk.identities.issue_token(client_id, secret)
        if issued is not None:
            return issued
    return None


def _no_such_client() -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="stint"'}
    return error(401, "The client is unknown, or its secret is another.", headers, oauth="invalid_client")


def _grant_type(body: bytes) -> str | None:
    try:
        given = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None
    types = given.get("grant_type", [""])
    return types[0] or None if len(types) == 1 else None


def _basic(given: str | None) -> list[tuple[str, str]]:
    """Return id and secret as they were sent, and then percent-decoded.

    RFC 6749 (2.3.1) has clients encode both, and some do: Go, Spring and .NET send `crm@firm.example` as
    `crm%40firm.example`. Most do not, so an id that looks encoded is first tried as it is.
    """
    scheme, _, encoded = (given or "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return []
    found = [(client_id, secret)]
    with suppress(ValueError):
        found.append((unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")))
    # An id that the table cannot hold is not looked up.
    return [pair for pair in dict.fromkeys(found) if all(pair) and is_writable(pair[0])]
