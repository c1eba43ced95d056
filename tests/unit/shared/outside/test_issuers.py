"""Issuers: each way in which a signed token is refused, beside the token that is believed."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from shared.outside.claims import Outsider
from shared.outside.fetching import SourceAwayError
from shared.outside.issuers import Issuers, TrustedIssuer
from shared.outside.keys import IssuerKeys
from shared.outside.trusted import Algorithm, Issuer
from tests.support.story.signing import (
    AUDIENCE,
    ISSUER,
    NOW,
    claims,
    curve,
    key_set,
    rsa,
    signed,
    told,
    unsigned,
)

OTHER: Final = "https://other.example"
CRM: Final = Outsider("acme", f"{ISSUER}#crm", "machine", None, NOW + timedelta(hours=1))


def fetching(body: bytes) -> Callable[[], Awaitable[bytes]]:
    async def fetch() -> bytes:
        return body

    return fetch


async def away() -> bytes:
    raise SourceAwayError("status 503")


def trusted(
    name: str, tenant: str, fetch: Callable[[], Awaitable[bytes]], algorithms: tuple[Algorithm, ...] = ("RS256",)
) -> TrustedIssuer:
    trust = Issuer(
        issuer=name, jwks_url="https://id.example/keys", audience=AUDIENCE, algorithms=algorithms, tenant=tenant
    )
    return TrustedIssuer(trust, IssuerKeys(name, algorithms, fetch, lambda: 0.0))


def issuers() -> Issuers:
    ours = fetching(key_set(told(rsa("one"), "one"), told(curve("ec"), "ec"), told(curve("ec"), "one")))
    theirs = fetching(key_set(told(rsa("theirs"), "one"), told(rsa("theirs"), "theirs")))
    return Issuers(
        [trusted(ISSUER, "acme", ours, ("RS256", "ES256")), trusted(OTHER, "other", theirs, ("RS256",))], lambda: NOW
    )


async def caller(token: str, among: Issuers | None = None) -> Outsider | None:
    among = among or issuers()
    named = among.token_of(token)
    return None if named is None else await among.caller_of(named)


async def test_a_token_of_a_trusted_issuer_is_believed() -> None:
    """The control of every refusal below."""
    assert await caller(signed(rsa("one"))) == CRM
    assert await caller(signed(curve("ec"), {"alg": "ES256", "kid": "ec"})) == CRM
    assert await caller(signed(curve("ec"), {"alg": "ES256", "kid": "one"})) == CRM
    assert await caller(signed(rsa("one"), said=claims(aud=["other", AUDIENCE]))) == CRM


@pytest.mark.parametrize(
    "said",
    [
        claims(aud="other"),
        claims(aud=["other"]),
        claims(aud=None),
        claims(aud=f"{AUDIENCE}-2"),
        claims(aud={AUDIENCE: 1}),
        claims(exp=None),
        claims(exp=int(NOW.timestamp())),
        claims(nbf=NOW.timestamp() + 61),
        claims(iss=f"{ISSUER}/"),
        claims(iss="https://stranger.example"),
        claims(iss=[ISSUER]),
        claims(iss=7),
        claims(sub=None),
    ],
)
async def test_a_good_signature_under_wrong_claims_is_refused(said: dict[str, Any]) -> None:
    assert await caller(signed(rsa("one"), said=said)) is None


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "PS256", "ES384", "", None, 7, ["RS256"]])
async def test_an_algorithm_outside_of_the_setting_is_refused(algorithm: object) -> None:
    header = {"alg": algorithm, "kid": "one"}
    assert await caller(unsigned({name: value for name, value in header.items() if value is not None})) is None


async def test_the_public_key_as_a_shared_secret_is_refused() -> None:
    """The oldest trick: HS256, keyed with what everybody can read."""
    text = unsigned({"alg": "HS256", "kid": "one"}).removesuffix(".")
    signature = hmac.digest(rsa("one").as_pem(private=False), text.encode(), hashlib.sha256)
    assert await caller(f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}") is None


async def test_an_empty_or_foreign_signature_is_refused() -> None:
    assert await caller(unsigned({"alg": "RS256", "kid": "one"})) is None
    assert await caller(signed(rsa("strange"))) is None
    head, _, signature = signed(rsa("one")).split(".")
    _, body, _ = signed(rsa("one"), said=claims(sub="boss")).split(".")
    assert await caller(f"{head}.{body}.{signature}") is None


async def test_one_issuer_cannot_sign_for_another() -> None:
    assert await caller(signed(rsa("theirs"), {"kid": "theirs"}, claims(iss=OTHER))) is not None  # the control
    assert await caller(signed(rsa("theirs"), {"kid": "theirs"})) is None
    assert await caller(signed(rsa("theirs"), {"kid": "one"})) is None
    assert await caller(signed(rsa("one"), said=claims(iss=OTHER))) is None


@pytest.mark.parametrize("kid", [None, "", "two", 7, ["one"], "k" * 300])
async def test_a_token_that_names_no_key_of_its_issuer_is_refused(kid: object) -> None:
    header = {"alg": "RS256", "kid": kid}
    assert await caller(unsigned({name: value for name, value in header.items() if value is not None})) is None


async def test_a_key_that_the_token_brings_along_is_not_looked_at() -> None:
    brought = told(rsa("strange"), "one")
    header = {"alg": "RS256", "kid": "one", "jwk": brought, "jku": "https://stranger.example/keys"}
    assert await caller(signed(rsa("strange"), header)) is None


async def test_an_extension_that_must_be_understood_is_refused() -> None:
    assert await caller(unsigned({"alg": "RS256", "kid": "one", "crit": ["exp"], "exp": 1})) is None


@pytest.mark.parametrize("text", ["", "eyJ.a.b", "eyJhbGciOiJSUzI1NiJ9.W10.x", "a.b", "eyJ" + "é"])
async def test_what_does_not_read_names_no_issuer(text: str) -> None:
    assert issuers().token_of(text) is None


async def test_a_token_without_an_issuer_is_ours_alone_to_judge() -> None:
    assert issuers().token_of(signed(rsa("one"), said=claims(iss=None))) is None
    assert issuers().token_of(signed(rsa("one"))) is not None


async def test_with_an_issuer_away_from_the_start_its_tokens_are_not_judged() -> None:
    among = Issuers([trusted(ISSUER, "acme", away), trusted(OTHER, "other", away)], lambda: NOW)
    with pytest.raises(SourceAwayError):
        await caller(signed(rsa("one")), among)
