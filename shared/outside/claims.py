"""Claims: the caller that an identity provider's token stands for, once the token is believed. Pure.

A person where `person_claim` is in the token; else what `role_claim` says; else `role`; else a machine. A claim that is
there and does not read refuses the token: fallen through, a person could become a machine, which presses for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, get_args

from pydantic import StringConstraints, TypeAdapter, ValidationError

from shared.events.base import OwnerId, TenantName
from shared.outside.trusted import OutsideRole, Trust

# An issuer's clock may be a little ahead of ours, and its tokens are used at once.
NOT_BEFORE_LENIENT: Final = timedelta(seconds=60)
NO_END: Final = datetime.max.replace(tzinfo=UTC)

_ROLES: Final[Mapping[str, OutsideRole]] = {role: role for role in get_args(OutsideRole)}
# Postgres keeps no zero byte, and a subject is shown in lists and logs.
_PLAIN: Final = r"^[^\x00-\x1f\x7f]*$"
_TENANT: Final = TypeAdapter(TenantName)
_OWNER: Final = TypeAdapter(Annotated[OwnerId, StringConstraints(pattern=_PLAIN)])
_SUBJECT: Final = TypeAdapter(Annotated[str, StringConstraints(pattern=_PLAIN, min_length=1, max_length=255)])


@dataclass(frozen=True, slots=True)
class Outsider:
    """A caller that an identity provider vouches for, and until when at the latest."""

    tenant: str
    client: str
    role: OutsideRole
    person: str | None
    expires_at: datetime


class OddClaimError(Exception):
    """A claim is missing, or is not what it must be. The token is refused."""


def outsider_of(claims: Mapping[str, Any], trust: Trust, *, vouched_by: str, now: datetime) -> Outsider | None:
    """Return the caller of claims that are believed, None when they are too old, too young or odd.

    `vouched_by` stands before the subject in the client's name: two issuers may use one subject for two clients.
    """
    try:
        expires_at = _moment(claims["exp"]) if "exp" in claims else NO_END
        if expires_at <= now or ("nbf" in claims and _moment(claims["nbf"]) > now + NOT_BEFORE_LENIENT):
            return None
        tenant = trust.tenant or _TENANT.validate_python(claims.get(trust.tenant_claim or ""), strict=True)
        person = _person(claims, trust)
        if person is not None:
            # As our own tokens of that person: all tokens of one person are one client.
            return Outsider(tenant, f"person:{person}", "person", person, expires_at)
        subject = _SUBJECT.validate_python(claims.get("sub") or claims.get("client_id"), strict=True)
        return Outsider(tenant, f"{vouched_by}#{subject}", _role(claims, trust), None, expires_at)
    except (OddClaimError, ValidationError):
        return None


def _person(claims: Mapping[str, Any], trust: Trust) -> str | None:
    # A name that is there and null is no name. To take it for none would make a machine of a person.
    if trust.person_claim is None or trust.person_claim not in claims:
        return None
    return _OWNER.validate_python(claims[trust.person_claim], strict=True)


def _role(claims: Mapping[str, Any], trust: Trust) -> OutsideRole:
    claim = None if trust.role_claim is None else claims.get(trust.role_claim)
    role = trust.role or "machine" if claim is None else _role_in(claim)
    if role == "person":
        raise OddClaimError  # a person without a name
    return role


def _role_in(claim: object) -> OutsideRole:
    """Return the one role of ours in a claim. Providers list roles of other programs beside it."""
    words = claim if isinstance(claim, list) else [claim]
    ours = {_ROLES[word] for word in words if isinstance(word, str) and word in _ROLES}
    if len(ours) != 1:
        raise OddClaimError
    return ours.pop()


def _moment(claim: object) -> datetime:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise OddClaimError
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        raise OddClaimError from None
