"""`clients add | rotate | revoke | list`."""

import secrets
from typing import Annotated, Any, Final

import typer

from services.stint_cli.database import opened
from services.stint_cli.settings import DatabaseSettings
from services.stint_cli.store import query
from services.stint_cli.tenants import ClientRole, require_tenant
from services.stint_cli.terminal.app import group
from services.stint_cli.terminal.command import Answer, Listing, command, moment
from services.stint_cli.trouble import Trouble
from shared.identity import hash_secret, new_token

clients: Final = group("clients", "Make, renew and end machines' credentials.")

_MONTH_SECONDS: Final = 31 * 24 * 60 * 60

_Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")]
_AnyTenant = Annotated[str | None, typer.Argument(metavar="TENANT", help="Default: those of all tenants.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The client_id.")]
_Role = Annotated[ClientRole, typer.Option(help="machine presses and reads, reader reads, admin also sets rules.")]
_Name = Annotated[str, typer.Option(help="What it is for, such as: CRM, production.")]
_KeepOld = Annotated[
    int,
    typer.Option(
        min=0,
        max=_MONTH_SECONDS,
        help="How long the old secret works beside the new. One that is kept already stays the one that is kept, and "
        "that of the last rotation ends. 0: every older secret ends now.",
    ),
]


@command(clients, "add", example="stint clients add acme --role reader --name 'Payroll export'")
async def _add(tenant: _Tenant, *, role: _Role = "machine", name: _Name = "") -> Answer:
    """Make a client and print its client_id and client_secret. The secret cannot be read again."""
    client, secret = f"client-{secrets.token_hex(8)}", new_token()
    async with opened(DatabaseSettings()) as conn:
        await require_tenant(conn, tenant)
        await conn.execute(query("add_client"), client, tenant, hash_secret(secret), role, name)
    return _once({"client_id": client, "client_secret": secret, "tenant": tenant, "role": role, "name": name})


@command(clients, "rotate", example="stint clients rotate client-4f0c --keep-old-seconds 3600")
async def _rotate(client_id: _Id, *, keep_old_seconds: _KeepOld = 0) -> Answer:
    """Give a client another secret, and print it. Tokens that it has go on until they expire."""
    secret = new_token()
    async with opened(DatabaseSettings()) as conn:
        row = await conn.fetchrow(query("rotate_client"), client_id, hash_secret(secret), keep_old_seconds)
    if row is None:
        raise Trouble(f"There is no client {client_id}, or it was revoked: look at `stint clients list`.")
    until, kept_older = moment(row["old_secret_until"]), row["keeps_older"]
    data = {"client_id": client_id, "client_secret": secret, "tenant": row["tenant"], "old_secret_until": until}
    return _once(data | {"last_secret_ended": kept_older or until is None}, _good(until, kept_older=kept_older))


@command(clients, "revoke", example="stint clients revoke client-4f0c")
async def _revoke(client_id: _Id) -> Answer:
    """End a client: its secret at once, and its tokens within a minute."""
    async with opened(DatabaseSettings()) as conn:
        row = await conn.fetchrow(query("revoke_client"), client_id)
    if row is None:
        raise Trouble(f"There is no client {client_id}: look at `stint clients list`.")
    at = moment(row["revoked_at"])
    data = {"client_id": client_id, "tenant": row["tenant"], "revoked_at": at}
    if row["was_revoked"]:
        return Answer(data, f"{client_id} was revoked already, at {at}.")
    return Answer(data, f"{client_id} is revoked: it gets no more tokens, and those that it has end within 60 seconds.")


@command(clients, "list", example="stint clients list acme")
async def _list(tenant: _AnyTenant = None) -> Answer:
    """List clients. Secrets are not shown: only their hashes are kept."""
    async with opened(DatabaseSettings()) as conn:
        if tenant is not None:
            await require_tenant(conn, tenant)
        found = await conn.fetch(query("list_clients"), tenant)
    data = [
        {
            "client_id": row["id"],
            "tenant": row["tenant"],
            "role": row["role"],
            "name": row["name"],
            "revoked_at": moment(row["revoked_at"]),
            "old_secret_until": moment(row["old_secret_until"]),
        }
        for row in found
    ]
    rows = [["-" if value is None else str(value) for value in one.values()] for one in data]
    headings = ["client_id", "tenant", "role", "name", "revoked_at", "old_secret_until"]
    return Answer(data, Listing(headings, rows))


def _good(until: str | None, *, kept_older: bool) -> str:
    if until is None:
        return "This secret alone is good: every older one has ended."
    if kept_older:
        return (
            f"Good are this secret and, until {until}, the one that was kept before. The secret of the last rotation "
            "has ended: where a client took it up, give it this one."
        )
    return f"Good are this secret and, until {until}, the one before it."


def _once(data: dict[str, Any], good: str | None = None) -> Answer:
    shown = {name: value for name, value in data.items() if isinstance(value, str) and value}
    lines = [f"{name:<16} {value}" for name, value in shown.items()]
    lines += [*([] if good is None else [good]), "Keep the secret now: it is not shown again."]
    return Answer(data, "\n".join(lines))
