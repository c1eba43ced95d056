"""Issuers: whether a signed token is one of an issuer that the settings trust, and made for us.

iss         names the issuer; everything below is that issuer's alone
alg         one of its setting, never the token's choice
kid         names one of its keys; keys that the token brings along (jwk, jku, x5u) are not looked at
signature   good
aud         names us
exp, nbf    now lies between; a token without `exp` is refused
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from shared.outside.claims import Outsider, outsider_of
from shared.outside.keys import IssuerKeys
from shared.outside.trusted import Issuer
from shared.process.clock import Now

_UNREADABLE: Final = (JoseError, ValueError, TypeError, RecursionError, binascii.Error)


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer and its keys."""

    trust: Issuer
    keys: IssuerKeys


@dataclass(frozen=True, slots=True)
class SignedToken:
    """What a token says of itself, before anything of it is believed."""

    text: str
    issuer: object
    algorithm: object
    kid: object


class Issuers:
    """All issuers that are trusted. None of them can sign for another."""

    def __init__(self, trusted: Sequence[TrustedIssuer], now: Now) -> None:
        self._trusted = {one.trust.issuer: one for one in trusted}
        self._now = now

    def token_of(self, text: str) -> SignedToken | None:
        """Return a token that names an issuer; None: it names none, so only we can have signed it."""
        if not self._trusted:
            return None
        try:
            header, claims = _parts(text)
        except _UNREADABLE:
            return None
        if "iss" not in claims:
            return None
        return SignedToken(text, claims["iss"], header.get("alg"), header.get("kid"))

    async def caller_of(self, token: SignedToken) -> Outsider | None:
        """Return the caller, None when the token is not to be believed. Raises SourceAwayError."""
        trusted = self._trusted.get(token.issuer) if isinstance(token.issuer, str) else None
        if trusted is None or token.algorithm not in trusted.trust.algorithms or not isinstance(token.kid, str):
            return None
        key = await trusted.keys.key(token.kid, str(token.algorithm))
        if key is None:
            return None
        try:
            verified = jws.deserialize_compact(token.text, key, algorithms=[str(token.algorithm)])
            claims = json.loads(verified.payload)
        except _UNREADABLE:
            return None
        if "exp" not in claims or not _is_for(trusted.trust.audience, claims.get("aud")):
            return None
        return outsider_of(claims, trusted.trust, vouched_by=trusted.trust.issuer, now=self._now())


def _parts(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    token = jws.extract_compact(text.encode())
    claims = json.loads(token.payload)
    if not isinstance(claims, dict):
        raise TypeError("the claims are no object")
    return token.headers(), claims


def _is_for(audience: str, claim: object) -> bool:
    return audience in claim if isinstance(claim, list) else claim == audience
