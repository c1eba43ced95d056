"""Dialect A's tokens: only a client's id and secret get one."""

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
        (BASIC, GRANT, 401, "invalid_client"),  # the clerk knows no client
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


async def test_too_many_token_requests_are_503_with_retry_after() -> None:
    async with Clerk(issued=Busy(3)).client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json()["code"] == "ServiceUnavailable"


@pytest.mark.parametrize(
    ("sent", "tried"),
    [
        ("crm:secret", [("crm", "secret")]),
        ("crm%40firm.example:s%2Bt+u", [("crm%40firm.example", "s%2Bt+u"), ("crm@firm.example", "s+t u")]),
        ("%64emo:secret", [("%64emo", "secret"), ("demo", "secret")]),
        ("a%3Ab:s:t", [("a%3Ab", "s:t"), ("a:b", "s:t")]),
        ("crm:50%", [("crm", "50%")]),
        ("crm%ff:secret", [("crm%ff", "secret")]),
        ("crm%00:secret", [("crm%00", "secret")]),
        ("%:%", [("%", "%")]),
        (":secret", []),
        ("crm:", []),
    ],
)
async def test_credentials_are_tried_as_sent_and_then_decoded(sent: str, tried: list[tuple[str, str]]) -> None:
    clerk = Clerk()
    headers = {"Authorization": "Basic " + base64.b64encode(sent.encode()).decode()}
    async with clerk.client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers=headers)
    assert answer.status_code == 401
    assert clerk.asked == [("issue_token", *pair) for pair in tried]


async def test_credentials_that_fit_as_sent_are_not_tried_again() -> None:
    clerk = Clerk(issued=IssuedToken("a.b.c", 3600))
    headers = {"Authorization": "Basic " + base64.b64encode(b"crm%40x:s").decode()}
    async with clerk.client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers=headers)
    assert (answer.status_code, len(clerk.asked)) == (200, 1)


async def test_two_authorizations_buy_no_token() -> None:
    clerk = Clerk(issued=IssuedToken("a.b.c", 3600))
    async with clerk.client() as client:
        headers = [("Authorization", BASIC), ("Authorization", BASIC)]
        answer = await client.post("/oauth/token", content=GRANT, headers=headers)
    assert (answer.status_code, answer.json()["error"], clerk.asked) == (401, "invalid_client", [])
