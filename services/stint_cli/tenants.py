"""Tenants, their clients and their persons: the directory of those that may press. Tests use these functions too."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from services.stint_cli.database import Session
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from shared.events.base import OwnerId, TenantName
from shared.identity import TokenClaims, hash_secret, new_token, sign_token, token_sha256

ClientRole = Literal["machine", "reader", "admin"]

_TENANT: Final = TypeAdapter(TenantName)
_OWNER: Final = TypeAdapter(OwnerId)
# No ":" in a client id: Basic authentication ends the id there. It also keeps a machine's keys apart from a person's,
# whose presses are made as "person:" and the owner.
_CLIENT: Final = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[!-9;-~]{1,128}$")])


async def create_tenant(conn: Session, tenant: str) -> bool:
    """Make a tenant. Return False, and change nothing, when it exists.

    Raise Trouble for a name that is not valid in an event.
    """
    _check(_TENANT, tenant, 'A tenant\'s name is 1 to 64 characters, none of them "/" or a control character')
    return await conn.fetchval(query("create_tenant"), tenant) is not None


async def require_tenant(conn: Session, tenant: str) -> None:
    """Raise Trouble when there is no such tenant."""
    if not await conn.fetchval(query("tenant_exists"), tenant):
        raise Trouble(f"There is no tenant {tenant}: look at the name, or make it with `stint tenants add`.")


async def require_person(conn: Session, tenant: str, owner: str) -> None:
    """Raise Trouble when the tenant has no such person."""
    await require_tenant(conn, tenant)
    if not await conn.fetchval(query("person_exists"), tenant, owner):
        raise Trouble(f"{tenant} has no person {owner}: make one with `stint persons add`.")


def check_owner(owner: str) -> None:
    """Raise Trouble for an owner that is not valid in an event."""
    _check(_OWNER, owner, "An owner is 1 to 128 characters")


async def create_client(conn: Session, tenant: str, client: str, role: ClientRole = "machine") -> str:
    """Make a client and return its secret, which cannot be read again; an existing client gets a new secret.

    Raise Trouble for an id that cannot log in, that could be confused with a person's, or whose client was revoked.
    """
    _check(_CLIENT, client, 'A client id is 1 to 128 printable characters of ASCII, none of them ":" or a space')
    secret = new_token()
    if await conn.fetchval(query("keep_client"), client, tenant, hash_secret(secret), role) is None:
        raise Trouble(f"The client id {client} belongs to another tenant, or was revoked: choose another.")
    return secret


async def create_person(conn: Session, tenant: str, owner: str, name: str, aliases: Sequence[str] = ()) -> None:
    """Make the person of `owner`; an existing person gets this name and these aliases.

    Raise Trouble for an owner that is not valid in an event.
    """
    check_owner(owner)
    await conn.execute(query("keep_person"), tenant, owner, name, list(aliases))


async def issue_person_token(conn: Session, tenant: str, owner: str, expires_at: datetime) -> str:
    """Return a fresh opaque token of one person, good until `expires_at`."""
    token = new_token()
    await conn.execute(query("issue_person_token"), token_sha256(token), tenant, owner, expires_at)
    return token


def issue_bearer_token(
    key: str, tenant: str, client: str, now: datetime, lasts: timedelta, role: ClientRole = "machine"
) -> str:
    """Return a signed token for a client, valid for `lasts` from `now`, or until the client is revoked."""
    return sign_token(TokenClaims(tenant, client, role, now, now + lasts), key.encode())


def _check(kind: TypeAdapter[Any], value: str, rule: str) -> None:
    try:
        kind.validate_python(value)
    except ValidationError:
        raise Trouble(f"{rule}: {value!r} is not valid.") from None
