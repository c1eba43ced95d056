"""Callers: machines read their tenant, persons do not, and nobody learns which tokens exist."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from services.feed.callers import own_tokens
from services.feed.callers.callers import Callers
from services.feed.callers.own_tokens import FeedCaller, FeedTokens
from services.feed.callers.tokens import TokenRows, TokensAwayError
from shared.events.rules import Rule
from shared.identity import TokenClaims, TokenRole, sign_token, token_sha256

KEY: Final = b"k" * 32
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
# Its header is {"alg":"HS256","crit":5}, its signature nobody's.
ODD: Final = "eyJhbGciOiJIUzI1NiIsImNyaXQiOjV9.e30.AA"


class FakeTokens:
    def __init__(self) -> None:
        self.revoked = False
        self.away = False
        self.looks = 0

    async def token_end(self, sha256: str) -> datetime | None:
        return {token_sha256("danas"): NOW + HOUR, token_sha256("old"): NOW}.get(sha256)

    async def is_revoked(self, client: str) -> bool:
        self.looks += 1
        if self.away:
            raise TokensAwayError
        return self.revoked and client == "desk"


def signed(
    role: TokenRole = "machine", *, key: bytes = KEY, expires_at: datetime = NOW + HOUR, client: str = "desk"
) -> str:
    return sign_token(TokenClaims("acme", client, role, NOW - HOUR, expires_at), key)


async def heard(token: str | None) -> FeedCaller | Rule:
    header = None if token is None else f"Bearer {token}"
    return await Callers(KEY, FakeTokens(), lambda: NOW, fresh_seconds=25.0).caller_of(header)


@pytest.mark.parametrize("role", ["machine", "reader", "admin"])
async def test_a_client_reads_its_tenant_until_its_token_expires(role: TokenRole) -> None:
    assert await heard(signed(role)) == FeedCaller("acme", "desk", NOW + HOUR)


@pytest.mark.parametrize("token", ["danas", signed("person")])
async def test_a_person_does_not_read_the_feed(token: str) -> None:
    assert await heard(token) is Rule.NOT_THE_OWNER


@pytest.mark.parametrize(
    "token", [None, "", "nobodys", "old", ODD, signed(key=b"x" * 32), signed(expires_at=NOW), signed() + "x"]
)
async def test_a_token_that_is_not_known_is_unknown(token: str | None) -> None:
    assert await heard(token) is Rule.TOKEN_UNKNOWN


async def test_a_revoked_clients_tokens_end_and_it_is_looked_up_seldom() -> None:
    tokens = FakeTokens()
    callers = Callers(KEY, tokens, lambda: NOW, fresh_seconds=0.05)
    header = f"Bearer {signed()}"
    assert isinstance(await callers.caller_of(header), FeedCaller)
    tokens.revoked = True
    assert isinstance(await callers.caller_of(header), FeedCaller)
    assert tokens.looks == 1
    await asyncio.sleep(0.06)
    assert await callers.caller_of(header) is Rule.TOKEN_UNKNOWN


async def test_without_postgres_what_was_found_last_is_believed() -> None:
    tokens, seconds = FakeTokens(), 1000.0
    callers = Callers(KEY, tokens, lambda: NOW, fresh_seconds=25.0, clock=lambda: seconds)
    header = f"Bearer {signed()}"
    tokens.away = True
    caller = await callers.caller_of(header)
    assert isinstance(caller, FeedCaller)
    assert not await callers.has_ended(header, caller)
    tokens.away, tokens.revoked = False, True
    seconds += 5  # it is asked again soon, because nothing was found
    assert await callers.has_ended(header, caller)
    tokens.away = True
    seconds += 25
    assert await callers.has_ended(header, caller)
    assert await callers.caller_of(header) is Rule.TOKEN_UNKNOWN


async def test_a_client_is_looked_up_once_for_all_its_tokens() -> None:
    tokens = FakeTokens()
    callers = Callers(KEY, tokens, lambda: NOW, fresh_seconds=25.0)
    for minutes in range(1, 5):
        token = signed(expires_at=NOW + timedelta(minutes=minutes))
        assert isinstance(await callers.caller_of(f"Bearer {token}"), FeedCaller)
    assert tokens.looks == 1


async def test_what_is_remembered_of_clients_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_tokens, "_CLIENTS_MAX", 3)
    known = FeedTokens(KEY, FakeTokens(), lambda: NOW, 25.0)
    for n in range(10):
        assert await known.signed(signed(client=f"client-{n}")) is not None
    assert list(known._looked) == ["client-7", "client-8", "client-9"]


async def test_without_postgres_a_lookup_says_so_in_time() -> None:
    rows = TokenRows("postgresql://nobody@127.0.0.1:9/none", None, 1.0)
    await rows.open()
    try:
        with pytest.raises(TokensAwayError):
            await rows.token_end("a")
    finally:
        await rows.close()
