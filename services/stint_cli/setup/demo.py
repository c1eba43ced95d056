"""demo: a tenant with a caller of each role, a second tenant, and their credentials in a file to be sourced.

Credentials that still work are kept, so that shells which have sourced the file go on working. What has been lost or
is about to expire is made anew. A client that was revoked stays revoked, and its credentials are empty in the file:
its tokens are signed, so a client that works again would make each token good again that has leaked.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from services.stint_cli.policies import ensure_first_policy, first_document
from services.stint_cli.store import query
from services.stint_cli.tenants import (
    ClientRole,
    create_client,
    create_person,
    create_tenant,
    issue_bearer_token,
    issue_person_token,
)
from services.stint_cli.terminal.env_file import read_env, write_env
from shared.events.policy import Policy, Preset
from shared.identity import read_token, token_sha256, verify_secret
from shared.kafka.clients import KafkaAddress

TENANT: Final = "demo"
CLIENT: Final = "demo-client"
ADMIN: Final = "demo-admin"
READER: Final = "demo-reader"
OWNER: Final = "dana"
OTHER: Final = "other"
OTHER_CLIENT: Final = "other-client"
_POLICIES: Final = {
    TENANT: Policy.model_validate(first_document(Preset.NATIVE, "Asia/Jerusalem")),
    OTHER: Policy.model_validate(first_document(Preset.ZOHO, "Europe/Berlin")),
}
_SET_BY: Final = "stint demo"

_LASTS: Final = timedelta(days=30)
_RENEWED_BEFORE: Final = timedelta(days=7)
_HEADING: Final = "The demo tenants' credentials. `. THIS_FILE`, then curl; rewritten at every start."


class Machine(NamedTuple):
    """A client of a demo tenant."""

    tenant: str
    client: str
    role: ClientRole = "machine"


# The token of each goes into the file under this name.
_OTHERS: Final = {
    "STINT_ADMIN_TOKEN": Machine(TENANT, ADMIN, "admin"),
    "STINT_READER_TOKEN": Machine(TENANT, READER, "reader"),
    "STINT_OTHER_TOKEN": Machine(OTHER, OTHER_CLIENT),
}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo tenant needs: the file, the key with which the API verifies tokens, and the addresses."""

    env_file: Path
    token_key: str
    url: str
    kafka: KafkaAddress
    postgres_dsn: str
    now: datetime


async def make_demo(conn: asyncpg.Connection, demo: Demo) -> list[str]:
    """Make the demo tenants' rows where they are missing, and write the file. Return the clients that were revoked."""
    kept = read_env(demo.env_file)
    async with conn.transaction():
        for tenant in _POLICIES:
            await create_tenant(conn, tenant)
        await create_person(conn, TENANT, OWNER, "Dana Levi", ["dana@demo.example"])
        secret = await _client_secret(conn, kept)
        revoked = [] if secret else [CLIENT]
        revoked += [machine.client for machine in _OTHERS.values() if not await _ensure_client(conn, machine)]
        tokens = {
            name: "" if machine.client in revoked else _bearer_token(kept, demo, name, machine)
            for name, machine in ({"STINT_TOKEN": Machine(TENANT, CLIENT)} | _OTHERS).items()
        }
        values = {
            "STINT_URL": demo.url,
            "STINT_CLIENT_ID": CLIENT,
            "STINT_CLIENT_SECRET": secret,
            "STINT_OWNER": OWNER,
            "STINT_ZOHO_TOKEN": await _person_token(conn, kept, demo),
            **tokens,
            "STINT_KAFKA": demo.kafka.bootstrap_servers,
            "STINT_POSTGRES_DSN": demo.postgres_dsn,
        }
    # After the commit, so that the file never has credentials that the database does not know.
    write_env(demo.env_file, values, _HEADING)
    return revoked


def made_again(client: str) -> str:
    """Return what `stint clients add` is told, to make a client such as this one of the demo."""
    machine = next((one for one in _OTHERS.values() if one.client == client), Machine(TENANT, CLIENT))
    return machine.tenant if machine.role == "machine" else f"{machine.tenant} --role {machine.role}"


async def make_demo_policy(demo: Demo) -> None:
    """Give each demo tenant its first policy, unless it has one."""
    # At once, because a stack that starts waits for it.
    await asyncio.gather(
        *(
            ensure_first_policy(demo.kafka, tenant, policy, set_by=_SET_BY, set_at=demo.now)
            for tenant, policy in _POLICIES.items()
        )
    )


async def _client_secret(conn: asyncpg.Connection, kept: Mapping[str, str]) -> str:
    """Return a secret of the client that works; an empty one when the client was revoked."""
    secret = kept.get("STINT_CLIENT_SECRET")
    row = await conn.fetchrow(query("client_secret_hash"), CLIENT, TENANT)
    if row is not None and row["revoked"]:
        return ""
    if secret and row is not None and verify_secret(secret, row["secret_hash"]):
        return secret
    return await create_client(conn, TENANT, CLIENT)


async def _ensure_client(conn: asyncpg.Connection, machine: Machine) -> bool:
    """Make a client where there is none. Return False when it was revoked."""
    # Nobody is told its secret: the file has a token. The row is what `stint clients` lists and revokes.
    row = await conn.fetchrow(query("client_secret_hash"), machine.client, machine.tenant)
    if row is None:
        await create_client(conn, machine.tenant, machine.client, machine.role)
    return row is None or not row["revoked"]


def _bearer_token(kept: Mapping[str, str], demo: Demo, name: str, machine: Machine) -> str:
    token = kept.get(name, "")
    claims = read_token(token, demo.token_key.encode(), demo.now + _RENEWED_BEFORE)
    if claims is not None and (claims.tenant, claims.client, claims.role) == machine:
        return token
    return issue_bearer_token(demo.token_key, machine.tenant, machine.client, demo.now, _LASTS, machine.role)


async def _person_token(conn: asyncpg.Connection, kept: Mapping[str, str], demo: Demo) -> str:
    token = kept.get("STINT_ZOHO_TOKEN", "")
    expires_at = await conn.fetchval(query("person_token_good_for"), token_sha256(token), TENANT, OWNER)
    if expires_at is not None and expires_at > demo.now + _RENEWED_BEFORE:
        return token
    return await issue_person_token(conn, TENANT, OWNER, demo.now + _LASTS)
