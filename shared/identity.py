"""Identity: client secrets, and the tokens that stand for them. Pure functions; keys and moments are arguments.

A secret is kept as its scrypt hash. A person's opaque token is kept as its SHA-256, because it is random and a secret
may be chosen by people. A machine's token is a signed JWT, which is verified without a database.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.events.models import Role

ALGORITHM: Final = "HS256"
TOKEN_LIFE: Final = timedelta(hours=1)
KEY_BYTES_MIN: Final = 32
SCHEMES: Final = ("bearer", "zoho-oauthtoken")
TOKEN_LENGTH_MAX: Final = 4096

# RFC 7914's interactive figures: 16 MiB and some 50 ms. Each hash names its own, so these can be raised.
_COST, _BLOCK, _PARALLEL = 1 << 14, 8, 1
_MEMORY_MAX: Final = 64 * 1024 * 1024
_SALT_BYTES: Final = 16
_PARTS: Final = 6

# A header's fields have any type and depth that the caller likes: joserfc then raises TypeError, json RecursionError.
_UNREADABLE: Final = (JoseError, ValidationError, ValueError, OverflowError, TypeError, RecursionError)


def hash_secret(secret: str) -> str:
    """Return what is kept of a client's secret: "scrypt$n$r$p$salt$hash"."""
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = _derive(secret, salt, _COST, _BLOCK, _PARALLEL)
    return "$".join(["scrypt", str(_COST), str(_BLOCK), str(_PARALLEL), _text(salt), _text(derived)])


def verify_secret(secret: str, kept: str) -> bool:
    """Return whether `kept` was made from `secret`. Takes tens of milliseconds: never call it on an event loop."""
    parts = kept.split("$")
    if len(parts) != _PARTS or parts[0] != "scrypt":
        return False
    try:
        cost, block, parallel = (int(part) for part in parts[1:4])
        salt, expected = (base64.b64decode(part, validate=True) for part in parts[4:])
        derived = _derive(secret, salt, cost, block, parallel)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(derived, expected)


def new_token() -> str:
    """Return a fresh opaque token for a person: 256 bits, and nothing in it to parse."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """Return the SHA-256 of an opaque token, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


# Whom a token stands for. A reader presses nothing, so no event has its role.
TokenRole = Role | Literal["reader"]


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a signed token says: a client of a tenant, its role, and from when until when."""

    tenant: str
    client: str
    role: TokenRole
    issued_at: datetime
    expires_at: datetime


def sign_token(claims: TokenClaims, key: bytes) -> str:
    """Return the token that says `claims`, signed with HS256."""
    payload = {
        "tenant": claims.tenant,
        "client": claims.client,
        "role": claims.role,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT"}, payload, OctKey.import_key(key), algorithms=[ALGORITHM])


def token_in(authorization: str | None) -> str | None:
    """Return the token in an Authorization header, None when no token there can be one of ours."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    token = token.strip(" ")
    if scheme.lower() not in SCHEMES or not 0 < len(token) <= TOKEN_LENGTH_MAX or not token.isascii():
        return None
    return token


def is_signed(token: str) -> bool:
    """Return whether `token` looks like a signed one. Opaque tokens may have dots too, but never begin like this."""
    return token.startswith("eyJ") and token.count(".") == 2  # noqa: PLR2004 - header, payload, signature


def read_token(token: str, key: bytes, now: datetime) -> TokenClaims | None:
    """Return what a token says, or None: we did not sign the token, it does not read, or it has expired."""
    try:
        # We choose the algorithm, never the token: "none" and the like are refused here.
        payload = _Payload.model_validate(jwt.decode(token, OctKey.import_key(key), algorithms=[ALGORITHM]).claims)
        claims = TokenClaims(
            tenant=payload.tenant,
            client=payload.client,
            role=payload.role,
            issued_at=datetime.fromtimestamp(payload.iat, UTC),
            expires_at=datetime.fromtimestamp(payload.exp, UTC),
        )
    except _UNREADABLE:
        return None
    return claims if now < claims.expires_at else None


class _Payload(BaseModel):
    model_config = ConfigDict(strict=True)

    tenant: str
    client: str
    role: TokenRole
    iat: int
    exp: int


def _derive(secret: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY_MAX, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
