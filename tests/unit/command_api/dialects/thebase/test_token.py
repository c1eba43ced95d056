"""Dialect A's tokens: a client's id and secret, and nothing else, buy one."""

import base64

import pytest

from services.command_api.desk.desk import Busy, IssuedToken
from tests.support.fakes.desks import Clerk

BASIC = "Basic " + base64.b64encode(b"crm:s3cr:et").decode()
GRANT = b"grant_type=client_credentials"


async def test_a_token_is_issued_for_basic_credentials() -> None:
    clerk = Clerk(issued=IssuedToken("a.b.c", 3600))
    async with clerk.client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.text) == (
        200,
        '{"access_token":"a.b.c","token_type":"bearer","expires_in":3600}',
    )
    assert answer.headers["cache-control"] == "no-store"
    assert clerk.asked == [("issue_token", "crm", "s3cr:et")]


@pytest.mark.parametrize(
    ("authorization", "body", "status", "error"),
    [
        (BASIC, GRANT, 401, "invalid_client"),  # the clerk knows nobody
        (None, GRANT, 401, "invalid_client"),
        ("Basic !!!", GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(b"nocolon").decode(), GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), GRANT, 401, "invalid_client"),
        ("Bearer x", GRANT, 401, "invalid_client"),
        (BASIC, b"", 400, "invalid_request"),
        (BASIC, b"grant_type=", 400, "invalid_request"),
        (BASIC, GRANT + b"&" + GRANT, 400, "invalid_request"),
        (BASIC, b"grant_type=%ff", 400, "invalid_request"),
        (BASIC, b"\xff", 400, "invalid_request"),
        (BASIC, b"grant_type=password", 400, "unsupported_grant_type"),
    ],
)
async def test_a_token_is_refused(authorization: str | None, body: bytes, status: int, error: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with Clerk().client() as client:
        answer = await client.post("/oauth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_no_token_without_postgres_is_503() -> None:
    async with Clerk(away=True).client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_too_many_who_ask_for_tokens_hear_503_and_when_to_come_back() -> None:
    async with Clerk(issued=Busy(3)).client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json()["code"] == "ServiceUnavailable"
