"""Trusted: which programs outside may say who calls, as the settings spell it. Values only; nothing here is verified.

With care: the names of the fields. Operators have them in their settings.
Never: a symmetric algorithm, or none. An issuer's keys are public, so anybody could sign with them.
"""

import json
from ipaddress import ip_address
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, FilePath, SecretStr, model_validator
from pydantic_settings import NoDecode

from shared.events.base import TenantName

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
# No program outside speaks for our own clocks.
OutsideRole = Literal["machine", "reader", "admin", "person"]
ISSUERS_MAX: Final = 20


def _safe_address(url: str) -> str:
    # Keys and answers that come in the clear could be anybody's, and tokens that go in the clear could be read.
    parts = urlsplit(url)
    if parts.username is not None or not parts.hostname or parts.port == 0:  # a port that is none raises ValueError
        raise ValueError("is no address such as https://id.example/keys, without a user in it")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("must begin with https:// (http:// is for this machine alone)")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Address = Annotated[str, Field(max_length=500), AfterValidator(_safe_address)]
Claim = Annotated[str, Field(min_length=1, max_length=255)]


class Trust(BaseModel):
    """How a token's claims become a caller. A claim is a name at the top of the token; it may have dots or slashes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant: TenantName | None = None
    tenant_claim: Claim | None = None
    person_claim: Claim | None = None
    role_claim: Claim | None = None
    role: OutsideRole | None = None

    @model_validator(mode="after")
    def _names_one_tenant(self) -> Self:
        if (self.tenant is None) == (self.tenant_claim is None):
            raise ValueError("give tenant or tenant_claim, and not both")
        if self.role == "person" and self.person_claim is None:
            raise ValueError("role person needs person_claim, which says whose token it is")
        return self


class Issuer(Trust):
    """One issuer of signed tokens, and where its keys are."""

    # A part of its clients' names, which Postgres has in an index.
    issuer: Annotated[str, Field(min_length=1, max_length=255)]
    audience: Annotated[str, Field(min_length=1)]
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    jwks_url: Address | None = None
    jwks_file: FilePath | None = None

    @model_validator(mode="after")
    def _can_be_verified(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("give jwks_url or jwks_file, and not both")
        if not self.algorithms:
            raise ValueError("algorithms names none")
        return self


class Introspection(Trust):
    """The one source that knows opaque tokens which our tables do not hold (RFC 7662)."""

    url: Address
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr
    person_claim: Claim


def read_json(value: object) -> object:
    """Return a setting's text as JSON. Raises ValueError, which says where and quotes nothing."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg}, at character {error.pos}") from None


def told_apart(issuers: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
    """Return issuers that all have another name. Raises ValueError, because a token could not choose between two."""
    if len({one.issuer for one in issuers}) < len(issuers):
        raise ValueError("an issuer is named twice")
    return issuers


# The types of the two settings.
TrustedIssuers = Annotated[
    tuple[Issuer, ...],
    NoDecode,
    BeforeValidator(read_json),
    AfterValidator(told_apart),
    Field(max_length=ISSUERS_MAX),
]
TrustedSource = Annotated[Introspection | None, NoDecode, BeforeValidator(read_json)]
