"""Tokens that somebody else vouches for: which source judges which token, and how long what it said is believed."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr

from services.command_api.auth.identities import TokenIdentities
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Away, Unknown
from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import TokenRow
from shared.identity import TokenClaims, sign_token, token_sha256
from shared.outside import bearers
from shared.outside.fetching import SourceAwayError
from shared.outside.introspection import Introspector
from shared.outside.issuers import Issuers, TrustedIssuer
from shared.outside.keys import IssuerKeys
from shared.outside.sources import Sources
from shared.outside.trusted import Introspection, Issuer
from tests.support.story.signing import AUDIENCE, ISSUER, NOW, claims, key_set, rsa, signed, told
from tests.unit.command_api.auth.directory import KEY, FakeDirectory

URL: Final = "https://id.example/introspect"
DANA: Final = Caller("acme", "person:dana", "person", "dana")
KNOWN: Final = Person("dana", "Dana Levi", ("d@acme.example",))
TOKENS_MAX: Final = 100
CRM: Final = Caller("acme", f"{URL}#crm", "machine")


@dataclass
class Wired:
    """Identities whose loop time is `seconds`, and a source that says `said` of every token."""

    said: dict[str, Any] = field(default_factory=lambda: {"active": True, "sub": "crm"})
    keys: bytes = key_set(told(rsa("one"), "one"))
    away: bool = False
    asked: int = 0
    seconds: float = 1000.0
    fresh_seconds: float = 60.0
    introspects: bool = True

    def __post_init__(self) -> None:
        self.directory = FakeDirectory()
        trust = Introspection(
            url=URL, client_id="stint", client_secret=SecretStr("s"), tenant="acme", person_claim="employee"
        )
        issuer = Issuer(
            issuer=ISSUER, jwks_url="https://id.example/keys", audience=AUDIENCE, tenant="acme", person_claim="employee"
        )
        outside = Sources((), None, self.now)
        keys = IssuerKeys(ISSUER, ("RS256",), self._fetch, lambda: self.seconds)
        outside.issuers = Issuers([TrustedIssuer(issuer, keys)], self.now)
        if self.introspects:
            outside.introspector = Introspector(trust, self._ask, self.now, lambda: self.seconds)
        self.identities = TokenIdentities(
            self.directory,  # type: ignore[arg-type]
            KEY,
            self.now,
            tokens_max=TOKENS_MAX,
            fresh_seconds=self.fresh_seconds,
            outside=outside,
            clock=lambda: self.seconds,
        )

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000.0)

    async def _fetch(self) -> bytes:
        if self.away:
            raise SourceAwayError("status 503")
        return self.keys

    async def _ask(self, token: str) -> bytes:
        assert token
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise SourceAwayError("status 503")
        return json.dumps(self.said).encode()

    async def call(self, token: str = "opaque", after: float = 0.0) -> Caller | Unknown | Away:
        self.seconds += after
        return await self.identities.caller_of(f"Bearer {token}")


async def test_the_issuer_that_a_token_names_judges_it_and_ours_are_judged_by_our_key() -> None:
    it = Wired()
    ours = TokenClaims("acme", "desk", "admin", NOW, NOW + timedelta(hours=1))
    assert await it.call(sign_token(ours, KEY)) == Caller("acme", "desk", "admin")
    assert await it.call(signed(rsa("one"))) == Caller("acme", f"{ISSUER}#crm", "machine")
    assert await it.call(signed(rsa("one"), said=claims(employee="dana"))) == DANA
    assert await it.call(signed(rsa("one"), said=claims(iss="https://stranger.example"))) == Unknown()
    assert await it.call(signed(rsa("one"), said=claims(iss=None))) == Unknown()
    assert it.asked == 0  # no signed token is asked about


async def test_a_name_of_an_issuer_keeps_our_own_key_out() -> None:
    """A token of our key that names an issuer was not made by us: the issuer's keys alone judge it."""
    it = Wired()
    payload = {"tenant": "acme", "client": "desk", "role": "admin", "iat": 0, "exp": int(NOW.timestamp()) + 60}

    def ours(**more: object) -> str:
        return jwt.encode({"alg": "HS256", "kid": "one"}, payload | more, OctKey.import_key(KEY))

    assert await it.call(ours()) == Caller("acme", "desk", "admin")  # the control
    assert await it.call(ours(iss=ISSUER)) == Unknown()
    assert await it.call(ours(iss="https://stranger.example")) == Unknown()


async def test_a_token_in_our_tables_is_never_sent_outside() -> None:
    it = Wired()
    it.directory.tokens[token_sha256("ours")] = TokenRow("acme", Person("dana", "Dana", ()), NOW + timedelta(hours=1))
    assert [await it.call("ours"), it.asked] == [DANA, 0]
    assert [await it.call("theirs"), it.asked] == [CRM, 1]
    it.directory.away = True
    assert [await it.call("another"), it.asked] == [Away(), 1]


async def test_an_answer_is_believed_for_five_minutes() -> None:
    it = Wired()
    assert await asyncio.gather(*(it.call() for _ in range(50))) == [CRM] * 50
    it.said = {"active": False}
    assert [await it.call(after=299), it.asked] == [CRM, 1]
    assert [await it.call(after=1), it.asked] == [Unknown(), 2]


async def test_an_answer_is_believed_up_to_an_hour_while_the_source_is_away() -> None:
    it = Wired()
    assert await it.call() == CRM
    it.away = it.directory.away = True
    assert await it.call(after=300) == CRM
    assert await it.call(after=3299) == CRM
    assert await it.call(after=1) == Away()
    it.away = False
    assert await it.call(after=5) == CRM  # the control; and our tables, which are away, were not asked


async def test_an_answer_is_never_believed_beyond_its_end() -> None:
    it = Wired({"active": True, "sub": "crm", "exp": NOW.timestamp() + 100})
    assert await it.call(after=99) == CRM
    assert await it.call(after=1) == Unknown()
    it = Wired({"active": True, "sub": "crm", "exp": NOW.timestamp() + 1000})
    assert await it.call() == CRM
    it.away = True
    assert await it.call(after=999) == CRM
    assert await it.call(after=1) == Unknown()


async def test_an_unknown_token_is_asked_about_again_after_thirty_seconds() -> None:
    it = Wired({"active": False})
    assert [await it.call(), await it.call(after=29), it.asked] == [Unknown(), Unknown(), 1]
    it.said = {"active": True, "sub": "crm"}
    assert [await it.call(after=1), it.asked] == [CRM, 2]


async def test_a_token_that_nobody_knows_while_the_source_is_away_is_not_unknown() -> None:
    it = Wired(away=True)
    assert await it.call() == Away()
    it.away = False
    assert await it.call(after=1) == CRM


@pytest.mark.parametrize("introspects", [True, False])
async def test_a_withdrawn_token_of_ours_ends_also_while_the_source_is_away(introspects: bool) -> None:  # noqa: FBT001
    it = Wired(introspects=introspects, away=True)
    it.directory.tokens[token_sha256("ours")] = TokenRow("acme", Person("dana", "Dana", ()), NOW + timedelta(hours=1))
    assert await it.call("ours") == DANA
    it.directory.tokens.clear()
    ended = Away() if introspects else Unknown()
    assert await it.call("ours", after=60) == ended
    assert await it.call("ours") == ended


async def test_a_token_of_a_withdrawn_key_ends_within_a_minute_of_the_next_fetch() -> None:
    it = Wired()
    token = signed(rsa("one"))
    assert isinstance(await it.call(token), Caller)
    it.keys = key_set(told(rsa("two"), "two"))
    assert isinstance(await it.call(signed(rsa("two"), {"kid": "two"}), after=30), Caller)
    assert await it.call(token, after=31) == Unknown()


async def test_known_keys_go_on_through_an_outage_and_unknown_ones_are_not_judged() -> None:
    it = Wired()
    token = signed(rsa("one"))
    assert isinstance(await it.call(token), Caller)
    it.away = True
    assert isinstance(await it.call(token, after=600), Caller)
    assert isinstance(await it.call(signed(rsa("one"), said=claims(sub="erp"))), Caller)
    assert await it.call(signed(rsa("two"), {"kid": "two"})) == Away()


async def test_a_person_from_outside_has_the_aliases_of_our_table() -> None:
    """Whatever this process has seen before: nothing, a token of ours, or that another tenant has such an owner."""
    it = Wired({"active": True, "employee": "dana"})
    it.directory.people["acme", "dana"] = KNOWN
    it.directory.people["other", "dana"] = Person("dana", "Another", ("d@other.example",))
    assert await it.call() == DANA
    assert await it.identities.person_of(DANA) == KNOWN
    it.directory.tokens[token_sha256("ours")] = TokenRow("acme", KNOWN, NOW + timedelta(hours=1))
    assert await it.call("ours") == DANA
    assert await it.call("another") == DANA
    assert await it.identities.person_of(DANA) == KNOWN


async def test_aliases_are_looked_up_as_often_as_tokens() -> None:
    it = Wired({"active": True, "employee": "dana"})
    assert await it.call() == DANA
    looks = it.directory.looks
    assert [await it.identities.person_of(DANA) for _ in range(3)] == [None] * 3
    assert it.directory.looks == looks + 1
    it.directory.people["acme", "dana"] = KNOWN
    it.seconds += 59
    assert await it.identities.person_of(DANA) is None
    it.seconds += 1
    assert await it.identities.person_of(DANA) == KNOWN
    it.directory.people.clear()
    it.seconds += 60
    assert await it.identities.person_of(DANA) is None


async def test_aliases_that_were_found_stay_while_postgres_is_away_and_others_are_not_known() -> None:
    it = Wired({"active": True, "employee": "dana"})
    it.directory.people["acme", "dana"] = KNOWN
    assert await it.call() == DANA
    it.directory.away = True
    with pytest.raises(ReadsAwayError):
        await it.identities.person_of(DANA)
    it.directory.away = False
    assert await it.identities.person_of(DANA) == KNOWN
    it.directory.away, looks = True, it.directory.looks
    it.seconds += 3600
    assert [await it.identities.person_of(DANA) for _ in range(3)] == [KNOWN] * 3
    assert it.directory.looks == looks + 1  # no call waits for the same failure again


async def test_as_many_persons_are_remembered_as_tokens() -> None:
    it = Wired({"active": True, "employee": "dana"})
    for number in range(200):
        assert await it.identities.person_of(Caller("acme", f"person:{number}", "person", str(number))) is None
    assert len(it.identities._own.people._known) == TOKENS_MAX


async def test_many_guesses_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearers, "UNKNOWN_MAX", 5)
    it = Wired({"active": False})
    for number in range(20):
        assert await it.call(f"guess-{number}") == Unknown()
    assert len(it.identities._bearers._unknown_until) == 5
