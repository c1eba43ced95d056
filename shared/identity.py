"""Identities: how secrets and tokens are made, kept and checked, the same for whoever issues and whoever verifies.

Pure but for the chance in `new_secret` and the salts. Bearer tokens are signed and need no look-up; opaque ones are
looked up by their SHA-256.
With care: the form of a hash. Each carries its own cost, so that a new cost leaves the old ones readable.
Never: keep or log a secret or a token as it is.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.events.base import TenantName
from shared.events.models import Role

_ALGORITHM: Final = "HS256"
_SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16
# 16 MiB and some 40 ms: our secrets are drawn, not chosen, so this guards only those that somebody chose by hand.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1


@dataclass(frozen=True, slots=True)
class Claims:
    """What a signed token says of its bearer, and for how long."""

    tenant: str
    client: str
    role: Role
    issued_at: datetime
    expires_at: datetime


class _Payload(BaseModel):
    """The claims as they travel: times in whole seconds since 1970, as RFC 7519 wants them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: TenantName
    client: str
    role: Role
    iat: Annotated[int, Field(strict=True, ge=0, lt=1 << 37)]
    exp: Annotated[int, Field(strict=True, ge=0, lt=1 << 37)]


_PAYLOAD: Final = TypeAdapter(_Payload)


def new_secret() -> str:
    """Return a secret, or an opaque token, that nobody can guess: 256 bits, safe in URLs and shells."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """Return what we keep of a client's secret. Twice the same secret gives two different hashes."""
    salt = secrets.token_bytes(_SALT_BYTES)
    hashed = _scrypt(secret, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
    return f"scrypt${_SCRYPT_N}${_SCRYPT_R}${_SCRYPT_P}${_text(salt)}${_text(hashed)}"


def is_secret(secret: str, kept: str) -> bool:
    """Say whether `kept` is a hash of `secret`. A hash of a form we do not know is a hash of nothing."""
    try:
        form, n, r, p, salt, hashed = kept.split("$")
        if form != "scrypt":
            return False
        again = _scrypt(secret, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
        return hmac.compare_digest(again, base64.b64decode(hashed, validate=True))
    except ValueError:
        return False


def sign_token(key: str, claims: Claims) -> str:
    """Return a bearer token that says `claims`. Times lose their fractions of a second."""
    payload = {
        "tenant": claims.tenant,
        "client": claims.client,
        "role": claims.role,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    return jwt.encode({"alg": _ALGORITHM}, payload, _key(key), algorithms=[_ALGORITHM])


def read_token(key: str, token: str, now: datetime) -> Claims | None:
    """Return what a token says, or None when it is not ours, was altered, or has expired by `now`."""
    try:
        claims = jwt.decode(token, _key(key), algorithms=[_ALGORITHM]).claims
        payload = _PAYLOAD.validate_python(claims)
    except (JoseError, ValidationError, ValueError):
        return None
    expires_at = datetime.fromtimestamp(payload.exp, UTC)
    if expires_at <= now:
        return None
    return Claims(payload.tenant, payload.client, payload.role, datetime.fromtimestamp(payload.iat, UTC), expires_at)


def token_sha256(token: str) -> str:
    """Return the SHA-256, in hex, under which an opaque token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _scrypt(secret: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@lru_cache(maxsize=4)
def _key(key: str) -> OctKey:
    return OctKey.import_key(key)
