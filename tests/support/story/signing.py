"""Signing: an issuer in hand, with keys that it may change, and whatever a test wants to be wrong with a token."""

import base64
import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER: Final = "https://id.example"
AUDIENCE: Final = "stint"


@cache
def rsa(name: str, bits: int = 2048) -> RSAKey:
    """Return the key of this name, always the same."""
    assert name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of a key that is too short on purpose
        return RSAKey.generate_key(bits)


@cache
def curve(name: str, crv: str = "P-256") -> ECKey:
    """Return the key of this name on a curve."""
    assert name
    return ECKey.generate_key(crv)


def told(key: RSAKey | ECKey | OctKey, kid: str | None, **more: object) -> dict[str, Any]:
    """Return a key as a JWK Set lists it."""
    said = dict(key.as_dict(private=isinstance(key, OctKey)))
    return said | ({} if kid is None else {"kid": kid}) | more


def key_set(*keys: Mapping[str, Any]) -> bytes:
    """Return a JWK Set."""
    return json.dumps({"keys": keys}).encode()


def claims(**said: object) -> dict[str, Any]:
    """Return ordinary claims, with some changed. None: left out."""
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "crm", "exp": int((NOW + timedelta(hours=1)).timestamp())}
    return {name: value for name, value in (usual | said).items() if value is not None}


def signed(
    key: RSAKey | ECKey | OctKey, header: Mapping[str, Any] | None = None, said: Mapping[str, Any] | None = None
) -> str:
    """Return a token that `key` signed, whatever its header says."""
    head = {"alg": "RS256", "kid": "one"} | dict(header or {})
    body = json.dumps(claims() if said is None else said).encode()
    return jws.serialize_compact({k: v for k, v in head.items() if v is not None}, body, key, algorithms=[head["alg"]])


def unsigned(header: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> str:
    """Return a token with an empty signature."""
    parts = (json.dumps(part).encode() for part in (header, claims() if said is None else said))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
