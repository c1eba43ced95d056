"""`policy get | put | history | holidays`: the arguments of each, and what it prints."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from services.stint_cli.database import opened
from services.stint_cli.policies import check_clock, moved_on, operator, read_policies, set_policy
from services.stint_cli.policy.documents import STDIN, for_put, of_the_clock, read_file, setting, with_revision
from services.stint_cli.policy.public_holidays import CountryYear, with_holidays
from services.stint_cli.settings import DatabaseSettings, LogSettings
from services.stint_cli.tenants import require_tenant
from services.stint_cli.terminal.app import group
from services.stint_cli.terminal.command import Answer, command
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policies.document import REPLACES, Proposal, Unfit, as_written, read_proposal
from shared.kafka.policy_writer import REVISIONS_A_DAY_MAX, set_again_at

policy: Final = group("policy", "Read and set tenants' policies.")

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.", show_default=False)]
_Revision = Annotated[int | None, typer.Option(min=0, metavar="N", help="An older one. Default: the one in force.")]
_File = Annotated[str, typer.Argument(metavar="FILE", help=f"The document in JSON. {STDIN}: stdin.")]
_Country = Annotated[str, typer.Option(help="Its code of two letters, such as IL.")]
_Year = Annotated[int, typer.Option(min=1000, max=9999, help="Such as 2026.")]
_Part = Annotated[str | None, typer.Option(help="A part of the country with holidays of its own, such as BY of DE.")]
_Language = Annotated[str | None, typer.Option(help="Of the names, such as en_US. Default: the country's own.")]
_Put = Annotated[bool, typer.Option("--put", help="Set it, instead of printing it.")]


@command(policy, "get", example="stint policy get acme > policy.json")
async def _get(tenant: Tenant, *, revision: _Revision = None) -> Answer:
    """Print a tenant's policy, as `policy put` takes it."""
    book = await read_policies(LogSettings().kafka)
    in_force, record = _in_force(book, tenant)
    if revision is None or revision == in_force:
        return Answer(with_revision(in_force, record), for_put(as_written(record.document), in_force))
    older = book.record(tenant, revision)
    if older is None:
        raise Trouble(f"{tenant} has no revision {revision}: `stint policy history` lists those that it has.")
    return Answer(with_revision(revision, older), for_put(as_written(older.document), in_force))


@command(policy, "put", example="stint policy put acme policy.json")
async def _put(tenant: Tenant, file: _File) -> Answer:
    """Set a tenant's policy, in the place of the revision that its `replaces` names, else of the one in force."""
    proposal = read_file(file)
    return await _set(tenant, proposal, await read_policies(LogSettings().kafka))


@command(policy, "history", example="stint policy history acme")
async def _history(tenant: Tenant) -> Answer:
    """List a tenant's policies, newest first: who set which, and when."""
    book = await read_policies(LogSettings().kafka)
    latest, _ = _in_force(book, tenant)
    # Revisions are offsets, so there are no more of them than that.
    found = [setting(one.revision, one) for one in book.history(tenant, None, latest + 1)]
    return Answer(found, "\n".join(_line(one) for one in found))


@command(policy, "holidays", example="stint policy holidays acme --country IL --year 2026 --put")
async def _holidays(
    tenant: Tenant,
    *,
    country: _Country,
    year: _Year,
    subdivision: _Part = None,
    language: _Language = None,
    put: _Put = False,
) -> Answer:
    """Print a tenant's policy with the public holidays of a country in a year, as `policy put` takes it."""
    book = await read_policies(LogSettings().kafka)
    in_force, record = _in_force(book, tenant)
    document = with_holidays(as_written(record.document), CountryYear(country.upper(), year, subdivision, language))
    if not put:
        return Answer(document | {REPLACES: in_force}, for_put(document, in_force))
    proposal = read_proposal(document)
    if isinstance(proposal, Unfit):
        raise Trouble(proposal.sentence)
    return await _set(tenant, proposal, book)


async def _set(tenant: str, proposal: Proposal, book: PolicyBook) -> Answer:
    """Set a policy, unless it is in force already, and say what is in force then."""
    latest = book.latest_revision(tenant)
    record = None if latest is None else book.record(tenant, latest)
    if latest is not None and record is not None and _is_in_force(proposal, latest, record):
        return Answer(with_revision(latest, record), f"Revision {latest} says so already.")
    if latest is None:
        # A name that was mistyped would get a policy, for ever.
        await _check_first(tenant)
    replaces = proposal.replaces if proposal.says_replaces else latest
    if replaces != latest:
        raise moved_on(latest)
    now = datetime.now(UTC)
    if (again_at := set_again_at(book, tenant, now)) is not None:
        text = f"{tenant} has set {REVISIONS_A_DAY_MAX} revisions within 24 hours, and may set the next one at"
        raise Trouble(f"{text} {again_at.isoformat(timespec='seconds')}. Look at `policy history`.")
    kafka = LogSettings().kafka
    book = await set_policy(kafka, tenant, proposal.document, replaces=replaces, set_by=operator(), set_at=now)
    revision, record = _in_force(book, tenant)
    (newest,) = book.history(tenant, None, 1)
    text = f"Revision {revision} is in force for {tenant}.{of_the_clock(newest)}"
    return Answer(with_revision(revision, record), text)


def _in_force(book: PolicyBook, tenant: str) -> tuple[int, PolicyRecord]:
    revision = book.latest_revision(tenant)
    record = None if revision is None else book.record(tenant, revision)
    if revision is None or record is None:
        raise Trouble(f"{tenant} has no policy: set its first one with `policy put`, or look at the name.")
    return revision, record


def _is_in_force(proposal: Proposal, latest: int, record: PolicyRecord) -> bool:
    """Return whether nothing is to be done: the command ran before, or its document was not changed."""
    meant = not proposal.says_replaces or proposal.replaces in {latest, record.replaces}
    return meant and as_written(proposal.document) == as_written(record.document)


async def _check_first(tenant: str) -> None:
    async with opened(DatabaseSettings()) as conn:
        await check_clock(conn)
        await require_tenant(conn, tenant)


def _line(one: dict[str, Any]) -> str:
    replaced = "the first" if one["replaces"] is None else f"replaces {one['replaces']}"
    return f"{one['revision']}  {one['set_at']}  {one['set_by']}  {replaced}"
