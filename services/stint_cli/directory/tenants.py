"""`tenants add | list`."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from services.stint_cli.database import opened
from services.stint_cli.policies import check_clock, first_document, operator, read_policies, set_policy
from services.stint_cli.settings import DeploymentSettings
from services.stint_cli.store import query
from services.stint_cli.tenants import create_tenant
from services.stint_cli.terminal.app import group
from services.stint_cli.terminal.command import Answer, Listing, command
from shared.events.policies.book import PolicyBook
from shared.events.policies.document import Unfit, read_proposal
from shared.events.policy import Policy, Preset

tenants: Final = group("tenants", "Make and list tenants.")

# By what was made: the tenant's row, and its first policy.
_MADE: Final = {
    (True, True): "Made {name}",
    (True, False): "Made {name}; it has a policy already, which was not changed",
    (False, True): "{name} is there already, and was given its first policy",
    (False, False): "{name} is there already, and was not changed",
}

_Name = Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 characters, without a slash.")]
_Zone = Annotated[str, typer.Option(help="Such as Europe/Berlin: its owners' days are cut there.")]
_Preset = Annotated[Preset, typer.Option(help="The product whose rules are the defaults.")]


@command(tenants, "add", example="stint tenants add acme --zone Europe/Berlin")
async def _add(name: _Name, *, zone: _Zone, preset: _Preset = Preset.NATIVE) -> Answer:
    """Make a tenant and its first policy. What is there already is not changed."""
    document = _first_policy(preset, zone)
    settings = DeploymentSettings()
    book = await read_policies(settings.kafka)
    lacks_policy = book.latest_revision(name) is None
    async with opened(settings) as conn:
        if lacks_policy:
            await check_clock(conn)
        made_row = await create_tenant(conn, name)
    if lacks_policy:
        now = datetime.now(UTC)
        book = await set_policy(settings.kafka, name, document, replaces=None, set_by=operator(), set_at=now)
    data = _with_policy(name, book)
    what = f"{data['zone']}, preset {data['preset']}, revision {data['revision']}"
    text = f"{_MADE[made_row, lacks_policy].format(name=name)}: {what}."
    return Answer(data | {"made": made_row or lacks_policy}, text)


@command(tenants, "list", example="stint tenants list --json")
async def _list() -> Answer:
    """List all tenants, each with its policy in force."""
    settings = DeploymentSettings()
    async with opened(settings) as conn:
        names = [row["name"] for row in await conn.fetch(query("list_tenants"))]
    book = await read_policies(settings.kafka)
    data = [_with_policy(name, book) for name in names]
    # A tenant without a policy is answered 503, so the list must show which one that is.
    rows = [["-" if value is None else str(value) for value in one.values()] for one in data]
    return Answer(data, Listing(["tenant", "zone", "preset", "revision"], rows))


def _first_policy(preset: Preset, zone: str) -> Policy:
    proposal = read_proposal(first_document(preset, zone))
    if isinstance(proposal, Unfit):
        raise typer.BadParameter(proposal.sentence)
    return proposal.document


def _with_policy(name: str, book: PolicyBook) -> dict[str, str | int | None]:
    document, revision = book.latest(name), book.latest_revision(name)
    if document is None:
        return {"tenant": name, "zone": None, "preset": None, "revision": None}
    return {"tenant": name, "zone": document.zone, "preset": document.preset.value, "revision": revision}
