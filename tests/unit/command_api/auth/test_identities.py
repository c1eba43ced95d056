"""Identities: which callers are believed, which are looked up, and what works while Postgres is away."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.command_api.auth.identities import TokenIdentities
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Away, IssuedToken, Unknown
from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import ClientRow, TokenRow
from shared.identity import TokenClaims, hash_secret, read_token, sign_token, token_in, token_sha256
from shared.outside import bearers
from tests.unit.command_api.auth.directory import KEY, FakeDirectory

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DANA = Person("dana", "Dana", ("d@example.org",))
DANA_CALLS = Caller("acme", "person:dana", "person", "dana")


class Wired:
    def __init__(self, fresh_seconds: float = 60.0, tokens_max: int = 100) -> None:
        self.moment = START
        self.directory = FakeDirectory()
        self.directory.tokens[token_sha256("1000.a.b")] = TokenRow("acme", DANA, START + timedelta(hours=1))
        self.identities = TokenIdentities(
            self.directory,  # type: ignore[arg-type]
            KEY,
            lambda: self.moment,
            tokens_max=tokens_max,
            fresh_seconds=fresh_seconds,
        )

    async def call(self, token: str, scheme: str = "Bearer") -> Caller | Unknown | Away:
        return await self.identities.caller_of(f"{scheme} {token}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Zoho-oauthtoken", "ZOHO-OAUTHTOKEN"])
async def test_both_schemes_lead_to_either_kind_of_token(scheme: str) -> None:
    it = Wired()
    signed = sign_token(TokenClaims("acme", "desk", "admin", START, START + timedelta(hours=1)), KEY)
    assert await it.call(signed, scheme) == Caller("acme", "desk", "admin")
    assert await it.call("1000.a.b", scheme) == DANA_CALLS


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token", "Bearer é", "Bearer " + "x" * 5000]
)
async def test_a_malformed_token_is_unknown_without_a_lookup(header: str | None) -> None:
    it = Wired()
    assert token_in(header) is None
    assert await it.identities.caller_of(header) == Unknown()
    assert it.directory.looks == 0


async def test_a_signed_token_needs_no_database_and_ends_when_it_says() -> None:
    it = Wired()
    it.directory.away = True
    signed = sign_token(TokenClaims("acme", "desk", "machine", START, START + timedelta(hours=1)), KEY)
    assert await it.call(signed) == Caller("acme", "desk", "machine")
    it.moment = START + timedelta(hours=1)
    assert await it.call(signed) == Unknown()


async def test_a_token_signed_with_another_key_is_unknown_without_a_lookup() -> None:
    it = Wired()
    signed = sign_token(TokenClaims("acme", "desk", "machine", START, START + timedelta(hours=1)), b"x" * 32)
    assert await it.call(signed) == Unknown()
    assert it.directory.looks == 0


async def test_a_signed_token_of_a_revoked_client_is_unknown() -> None:
    it = Wired(fresh_seconds=0.0)
    signed = sign_token(TokenClaims("acme", "desk", "machine", START, START + timedelta(hours=1)), KEY)
    assert await it.call(signed) == Caller("acme", "desk", "machine")
    it.directory.revoked.add("desk")
    assert await it.call(signed) == Unknown()


async def test_a_persons_token_is_looked_up_once_and_brings_the_person_along() -> None:
    it = Wired()
    for _ in range(3):
        assert await it.call("1000.a.b") == DANA_CALLS
    assert await it.identities.person_of(DANA_CALLS) == DANA
    assert await it.identities.person_of(Caller("acme", "desk", "machine")) is None
    assert it.directory.looks == 1


async def test_fifty_requests_at_once_are_one_look() -> None:
    it = Wired()
    assert await asyncio.gather(*(it.call("1000.a.b") for _ in range(50))) == [DANA_CALLS] * 50
    assert it.directory.looks == 1


async def test_an_unknown_token_is_remembered_as_such_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired()
    assert await it.call("nobody") == await it.call("nobody") == Unknown()
    assert it.directory.looks == 1
    monkeypatch.setattr(bearers, "RETRY_SECONDS", 0.0)
    assert await it.call("new") == Unknown()
    it.directory.tokens[token_sha256("new")] = TokenRow("acme", DANA, START + timedelta(hours=1))
    assert await it.call("new") == DANA_CALLS


async def test_a_withdrawn_token_ends_once_it_is_looked_up_anew() -> None:
    it = Wired(fresh_seconds=0.0)
    assert await it.call("1000.a.b") == DANA_CALLS
    it.directory.tokens.clear()
    assert await it.call("1000.a.b") == Unknown()


async def test_without_postgres_a_cached_token_works_until_it_expires() -> None:
    """Any other token cannot be looked up, so its caller hears "away" and not "unknown"."""
    it = Wired(fresh_seconds=0.0)
    assert await it.call("1000.a.b") == DANA_CALLS
    it.directory.away = True
    assert await it.call("1000.a.b") == DANA_CALLS
    assert await it.call("other") == Away()
    looks = it.directory.looks
    assert await it.call("1000.a.b") == DANA_CALLS  # and no call waits for the same failure again
    assert it.directory.looks == looks
    it.moment = START + timedelta(hours=1)
    assert await it.call("1000.a.b") == Unknown()


async def test_many_unknown_tokens_evict_no_known_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearers, "UNKNOWN_MAX", 5)
    it = Wired(tokens_max=2)
    await it.call("1000.a.b")
    for number in range(20):
        assert await it.call(f"guess-{number}") == Unknown()
    assert len(it.identities._bearers._unknown_until) == 5
    looks = it.directory.looks
    assert await it.call("1000.a.b") == DANA_CALLS
    assert it.directory.looks == looks


async def test_the_oldest_of_too_many_tokens_is_looked_up_again() -> None:
    it = Wired(tokens_max=2)
    for name in ("b", "c"):
        it.directory.tokens[token_sha256(name)] = TokenRow("acme", Person(name, name, ()), START + timedelta(hours=1))
    for token in ("1000.a.b", "b", "c", "1000.a.b"):
        assert isinstance(await it.call(token), Caller)
    assert it.directory.looks == 4


async def test_a_client_gets_a_token_for_its_own_secret_alone() -> None:
    it = Wired()
    it.directory.clients["desk"] = ClientRow("acme", "machine", hash_secret("s3cret"))
    issued = await it.identities.issue_token("desk", "s3cret")
    assert isinstance(issued, IssuedToken)
    assert issued.expires_in_seconds == 3600
    claims = read_token(issued.access_token, KEY, START)
    assert claims == TokenClaims("acme", "desk", "machine", START, START + timedelta(hours=1))
    assert await it.call(issued.access_token) == Caller("acme", "desk", "machine")
    assert await it.identities.issue_token("desk", "wrong") is None
    assert await it.identities.issue_token("nobody", "") is None
    it.directory.away = True
    with pytest.raises(ReadsAwayError):
        await it.identities.issue_token("desk", "s3cret")


async def test_a_persons_token_counts_from_before_its_look() -> None:
    """One that is revoked while Postgres is slow to answer ends within the promised time too."""
    it = Wired(fresh_seconds=0.05)
    it.directory.takes_seconds = 0.05
    assert await it.call("1000.a.b") == DANA_CALLS
    it.directory.tokens.clear()
    assert isinstance(await it.call("1000.a.b"), Unknown)
