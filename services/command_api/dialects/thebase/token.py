"""`POST /oauth/token`: a client's id and secret for a bearer token (RFC 6749, client credentials)."""

import base64
import binascii
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.desk import Busy, Desk
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.headers import authorization
from services.command_api.dialects.jsontext import members, quoted
from services.command_api.dialects.thebase.answers import error, unavailable

_FIELDS_MAX: Final = 20
# A token must not lie in anybody's cache (RFC 6749, section 5.1).
_UNCACHED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def token(desk: Desk, request: Request) -> Response:
    """Answer with a token, or with an error that also bears its name in RFC 6749."""
    grant_type = _grant_type(await request.body())
    if grant_type is None:
        return error(400, "grant_type is mandatory.", oauth="invalid_request")
    if grant_type != "client_credentials":
        return error(400, "grant_type is not client_credentials.", oauth="unsupported_grant_type")
    credentials = _basic(authorization(request))
    if credentials is None:
        return _no_such_client()
    try:
        issued = await desk.identities.issue_token(*credentials)
    except ReadsAwayError:
        return unavailable()
    if isinstance(issued, Busy):
        return unavailable(issued.retry_after_seconds)
    if issued is None:
        return _no_such_client()
    body = members(
        ("access_token", quoted(issued.access_token)),
        ("token_type", quoted("bearer")),
        ("expires_in", str(issued.expires_in_seconds)),
    )
    return Response(body, 200, _UNCACHED, "application/json")


def _no_such_client() -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="stint"'}
    return error(401, "The client is unknown, or its secret is another.", headers, oauth="invalid_client")


def _grant_type(body: bytes) -> str | None:
    try:
        given = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None
    said = given.get("grant_type", [""])
    return said[0] or None if len(said) == 1 else None


def _basic(given: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (given or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    # Whatever cannot be in the table is not worth a look at it.
    known_shape = colon and client_id and secret and "\x00" not in client_id
    return (client_id, secret) if known_shape else None
