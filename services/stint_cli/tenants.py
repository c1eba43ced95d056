"""Tenants, their clients and their people: the directory of who may press. Tests make theirs here too."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from services.stint_cli.database import Session
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from shared.identity import TokenClaims, hash_secret, new_token, sign_token, token_sha256

ClientRole = Literal["machine", "admin"]


async def create_tenant(conn: Session, tenant: str) -> None:
    """Make a tenant. One that exists stays as it is."""
    await conn.execute(query("create_tenant"), tenant)


async def create_client(conn: Session, tenant: str, client: str, role: ClientRole = "machine") -> str:
    """Make a client and return its secret, which nobody can read again; an existing one gets a new secret."""
    secret = new_token()
    if await conn.fetchval(query("keep_client"), client, tenant, hash_secret(secret), role) is None:
        raise Trouble(f"The client id {client} belongs to another tenant: choose another.")
    return secret


async def create_person(conn: Session, tenant: str, owner: str, name: str, aliases: Sequence[str] = ()) -> None:
    """Make a person who is the owner `owner`; an existing one gets this name and these aliases."""
    await conn.execute(query("keep_person"), tenant, owner, name, list(aliases))


async def issue_person_token(conn: Session, tenant: str, owner: str, expires_at: datetime) -> str:
    """Return a fresh opaque token of one person, good until `expires_at`."""
    token = new_token()
    await conn.execute(query("issue_person_token"), token_sha256(token), tenant, owner, expires_at)
    return token


def issue_bearer_token(
    key: str, tenant: str, client: str, now: datetime, lasts: timedelta, role: ClientRole = "machine"
) -> str:
    """Return a signed token for a client, good for `lasts` from `now`. It is kept nowhere and cannot be called back."""
    return sign_token(TokenClaims(tenant, client, role, now, now + lasts), key.encode())
