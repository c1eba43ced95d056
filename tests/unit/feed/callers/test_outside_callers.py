"""Callers that somebody else vouches for: what they may read, and when their open streams end."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from services.feed.callers.callers import Callers
from services.feed.callers.own_tokens import FeedCaller
from services.feed.callers.tokens import TokensAwayError
from shared.events.rules import Rule
from shared.identity import TokenClaims, sign_token, token_sha256
from shared.outside.claims import NO_END
from shared.outside.fetching import SourceAwayError
from shared.outside.introspection import Introspector
from shared.outside.issuers import Issuers, TrustedIssuer
from shared.outside.keys import IssuerKeys
from shared.outside.sources import Sources
from shared.outside.trusted import Introspection, Issuer
from tests.support.story.signing import AUDIENCE, ISSUER, NOW, claims, key_set, rsa, signed, told

KEY: Final = b"k" * 32
HOUR: Final = timedelta(hours=1)
URL: Final = "https://id.example/introspect"
CRM: Final = FeedCaller("acme", f"{ISSUER}#crm", NOW + HOUR)
PERSONS: Final = {"person_claim": "employee", "role_claim": "role"}
OPAQUE: Final = "opaque-of-theirs"


@dataclass
class Wired:
    """Callers at a moment that passes with `after`, an issuer with `keys`, and a source that says `said` of all."""

    said: dict[str, Any] = field(default_factory=lambda: {"active": True, "sub": "crm"})
    keys: bytes = key_set(told(rsa("one"), "one"))
    source_away: bool = False
    postgres_away: bool = False
    seconds: float = 1000.0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        issuer = Issuer.model_validate(
            PERSONS | {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "https://id.example/keys", "tenant": "acme"}
        )
        source = Introspection.model_validate(
            PERSONS | {"url": URL, "client_id": "stint", "client_secret": "s", "tenant_claim": "tenant"}
        )
        outside = Sources((), None, self.now)
        keys = IssuerKeys(ISSUER, ("RS256",), self._fetch, lambda: self.seconds)
        outside.issuers = Issuers([TrustedIssuer(issuer, keys)], self.now)
        outside.introspector = Introspector(source, self._ask, self.now, lambda: self.seconds)
        self.callers = Callers(KEY, self, self.now, fresh_seconds=25.0, outside=outside, clock=lambda: self.seconds)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000.0)

    async def token_end(self, sha256: str) -> datetime | None:
        if self.postgres_away:
            raise TokensAwayError
        return {token_sha256("danas"): NOW + HOUR}.get(sha256)

    async def is_revoked(self, client: str) -> bool:
        assert client == "desk"  # our tables are not asked about clients of others
        return False

    async def _fetch(self) -> bytes:
        if self.source_away:
            raise SourceAwayError("status 503")
        return self.keys

    async def _ask(self, token: str) -> bytes:
        self.asked.append(token)
        if self.source_away:
            raise SourceAwayError("status 503")
        return json.dumps({"tenant": "acme"} | self.said).encode()

    async def heard(self, token: str) -> FeedCaller | Rule:
        return await self.callers.caller_of(f"Bearer {token}")

    async def ended(self, token: str, caller: FeedCaller | Rule, after: float) -> bool:
        assert isinstance(caller, FeedCaller)
        self.seconds += after
        return await self.callers.has_ended(f"Bearer {token}", caller)


@pytest.mark.parametrize("role", ["machine", "reader", "admin", None])
async def test_a_client_of_an_issuer_or_of_the_source_reads_its_tenant(role: str | None) -> None:
    it = Wired()
    assert await it.heard(signed(rsa("one"), said=claims(role=role))) == CRM
    assert it.asked == []  # no signed token is asked about
    it.said |= {"tenant": "other", "role": role}
    assert await it.heard(OPAQUE) == FeedCaller("other", f"{URL}#crm", NO_END)


async def test_a_person_whom_somebody_else_vouches_for_does_not_read_the_feed() -> None:
    it = Wired({"active": True, "employee": "dana"})
    assert await it.heard(signed(rsa("one"), said=claims(employee="dana"))) is Rule.NOT_THE_OWNER
    assert await it.heard(OPAQUE) is Rule.NOT_THE_OWNER


async def test_our_own_key_and_tables_are_as_before_and_their_tokens_are_never_sent_outside() -> None:
    it = Wired()
    ours = sign_token(TokenClaims("acme", "desk", "machine", NOW, NOW + HOUR), KEY)
    assert await it.heard(ours) == FeedCaller("acme", "desk", NOW + HOUR)
    assert await it.heard("danas") is Rule.NOT_THE_OWNER
    it.postgres_away = True
    with pytest.raises(TokensAwayError):
        await it.heard("danas-other")
    assert it.asked == []


@pytest.mark.parametrize(
    "wrong", [{"aud": "other"}, {"iss": "https://stranger.example"}, {"iss": None}, {"role": "root"}, {"exp": 1}]
)
async def test_a_token_that_the_api_would_refuse_reads_nothing(wrong: dict[str, Any]) -> None:
    assert await Wired().heard(signed(rsa("one"), said=claims(**wrong))) is Rule.TOKEN_UNKNOWN


async def test_a_stream_ends_when_the_issuer_withdraws_the_key() -> None:
    it = Wired()
    token = signed(rsa("one"))
    caller = await it.heard(token)
    it.keys = key_set(told(rsa("two"), "two"))
    assert not await it.ended(token, caller, after=31)  # the new keys were not fetched yet
    assert isinstance(await it.heard(signed(rsa("two"), {"kid": "two"})), FeedCaller)
    assert await it.ended(token, caller, after=26)
    assert await it.heard(token) is Rule.TOKEN_UNKNOWN


async def test_streams_go_on_with_known_keys_while_the_issuer_is_away() -> None:
    it = Wired()
    token = signed(rsa("one"))
    caller = await it.heard(token)
    it.source_away = True
    assert not await it.ended(token, caller, after=1800)
    with pytest.raises(TokensAwayError):
        await it.heard(signed(rsa("two"), {"kid": "two"}))


async def test_a_stream_ends_within_five_minutes_when_the_source_says_no() -> None:
    it = Wired()
    caller = await it.heard(OPAQUE)
    it.said = {"active": False}
    assert not await it.ended(OPAQUE, caller, after=299)
    assert it.asked == [OPAQUE]
    assert await it.ended(OPAQUE, caller, after=1)
    assert it.asked == [OPAQUE] * 2


async def test_a_stream_goes_on_for_up_to_an_hour_while_the_source_is_away() -> None:
    it = Wired()
    caller = await it.heard(OPAQUE)
    it.source_away = it.postgres_away = True
    assert not await it.ended(OPAQUE, caller, after=3599)
    assert await it.ended(OPAQUE, caller, after=1)
    with pytest.raises(TokensAwayError):  # 503 and never 401
        await it.heard(OPAQUE)


@pytest.mark.parametrize("now", [{"tenant": "other"}, {"sub": "erp"}, {"role": "person"}, {"employee": "dana"}])
async def test_a_stream_ends_when_its_token_stands_for_another_caller(now: dict[str, str]) -> None:
    """The source may say something else of a token than five minutes ago. A tenant hears nothing of another."""
    it = Wired()
    caller = await it.heard(OPAQUE)
    it.said |= now
    assert not await it.ended(OPAQUE, caller, after=299)
    assert await it.ended(OPAQUE, caller, after=1)


async def test_a_token_that_was_made_to_live_longer_stands_for_the_same_caller() -> None:
    it = Wired({"active": True, "sub": "crm", "exp": NOW.timestamp() + 600})
    caller = await it.heard(OPAQUE)
    it.said |= {"exp": NOW.timestamp() + 3600}
    assert not await it.ended(OPAQUE, caller, after=300)
    assert await it.heard(OPAQUE) == FeedCaller("acme", f"{URL}#crm", NOW + HOUR)
