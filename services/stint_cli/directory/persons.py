"""`persons add | token | revoke | list`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from services.stint_cli.database import opened
from services.stint_cli.settings import DatabaseSettings
from services.stint_cli.store import query
from services.stint_cli.tenants import check_owner, issue_person_token, require_person, require_tenant
from services.stint_cli.terminal.app import group
from services.stint_cli.terminal.command import Answer, Listing, command, moment

persons: Final = group("persons", "Make people, and their tokens.")

_Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")]
_Owner = Annotated[str, typer.Argument(metavar="OWNER", help="Whose timers: 1 to 128 characters.")]
_Name = Annotated[str | None, typer.Option(help="Of a new person without a name: the owner.")]
_Aliases = Annotated[
    list[str] | None, typer.Option("--alias", help="Another way to name this person in `user`, such as a mail address.")
]
_Days = Annotated[int, typer.Option(min=1, max=3660, help="How long the token is good.")]


@command(persons, "add", example="stint persons add acme dana --name 'Dana Levi' --alias dana@acme.example")
async def _add(tenant: _Tenant, owner: _Owner, *, name: _Name = None, alias: _Aliases = None) -> Answer:
    """Make a person, or give an existing one another name or other aliases. What is left out stays as it is."""
    check_owner(owner)
    async with opened(DatabaseSettings()) as conn:
        await require_tenant(conn, tenant)
        row = await conn.fetchrow(query("add_person"), tenant, owner, name, alias or None)
    if row is None:
        raise RuntimeError("an upsert gave no row")
    data = {"tenant": tenant, "owner": owner, "name": row["name"], "aliases": row["aliases"]}
    also = f", also {', '.join(row['aliases'])}" if row["aliases"] else ""
    return Answer(data, f"{owner} is {row['name']}{also}.")


@command(persons, "token", example="stint persons token acme dana --days 30")
async def _token(tenant: _Tenant, owner: _Owner, *, days: _Days = 30) -> Answer:
    """Make one more token of a person, and print it. It cannot be read again."""
    expires_at = datetime.now(UTC) + timedelta(days=days)
    async with opened(DatabaseSettings()) as conn:
        await require_person(conn, tenant, owner)
        token = await issue_person_token(conn, tenant, owner, expires_at)
    until = moment(expires_at)
    return Answer({"tenant": tenant, "owner": owner, "token": token, "expires_at": until}, token)


@command(persons, "revoke", example="stint persons revoke acme dana")
async def _revoke(tenant: _Tenant, owner: _Owner) -> Answer:
    """End every token of a person, within a minute. The person stays."""
    async with opened(DatabaseSettings()) as conn:
        await require_person(conn, tenant, owner)
        ended = await conn.fetchval(query("revoke_person_tokens"), tenant, owner)
    text = f"{ended} tokens of {owner} end within 60 seconds." if ended else f"{owner} had no token that was good."
    return Answer({"tenant": tenant, "owner": owner, "tokens_ended": ended}, text)


@command(persons, "list", example="stint persons list acme")
async def _list(tenant: _Tenant) -> Answer:
    """List the persons of a tenant, with how many tokens each has."""
    async with opened(DatabaseSettings()) as conn:
        await require_tenant(conn, tenant)
        found = await conn.fetch(query("list_persons"), tenant)
    data = [dict(row) | {"expires_at": moment(row["expires_at"])} for row in found]
    rows = [
        [one["owner"], one["name"], ", ".join(one["aliases"]) or "-", str(one["tokens"]), one["expires_at"] or "-"]
        for one in data
    ]
    return Answer(data, Listing(["owner", "name", "aliases", "tokens", "expires_at"], rows))
