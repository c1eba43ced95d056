"""Tokens that anybody can write, with a header of odd types: each dialect answers as to any unknown token."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from services.command_api import dialects
from services.command_api.auth.identities import TokenIdentities
from tests.support.fakes.desks import SHORT, Clerk

# The headers are {"alg":"HS256","crit":5} and {"alg":"HS256","crit":[{}]}, the signatures nobody's.
ODD: Final = ("eyJhbGciOiJIUzI1NiIsImNyaXQiOjV9.e30.AA", "eyJhbGciOiJIUzI1NiIsImNyaXQiOlt7fV19.e30.AA")
ORDINARY: Final = "eyJhbGciOiJIUzI1NiJ9.e30.AA"


async def heard(token: str, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
    no_directory: Any = SimpleNamespace()
    identities = TokenIdentities(no_directory, b"k" * 32, lambda: datetime.now(UTC), tokens_max=10, fresh_seconds=60.0)
    app = Starlette(routes=dialects.routes(replace(Clerk().desk(), identities=identities)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        return await client.request(method, path, headers={"authorization": f"Bearer {token}"}, **given)


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "/v2/timer/open", {}),
        ("POST", "/v2/timer/start", {"json": {"owner": "7"}}),
        ("POST", f"/people/api/timetracker/timer?timeLogId={SHORT}&timer=stop", {}),
        ("GET", "/people/api/timetracker/getcurrentlyrunningtimer", {}),
        ("GET", "/v1/timers", {}),
        ("POST", "/v1/timers", {"json": {"owner": "dana"}}),
    ],
)
async def test_an_odd_token_is_answered_as_an_unknown_one(method: str, path: str, given: dict[str, Any]) -> None:
    unknown = await heard(ORDINARY, method, path, given)
    assert unknown.status_code in {400, 401}
    for token in ODD:
        answer = await heard(token, method, path, given)
        assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
