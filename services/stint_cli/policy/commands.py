"""The arguments of `policy get | put | history | holidays`, and what each prints: one text for stdout."""

import argparse
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from services.stint_cli.database import connected
from services.stint_cli.policies import moved_on, read_policies, set_policy
from services.stint_cli.policy.documents import STDIN, for_put, read_file, setting, told, written
from services.stint_cli.policy.public_holidays import CountryYear, with_holidays
from services.stint_cli.settings import DatabaseSettings, LogSettings
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from shared.events.policy_book import PolicyBook, PolicyRecord
from shared.events.policy_document import Proposal, Unfit, as_said, read_proposal

_YEAR_DIGITS: Final = 4

Run = Callable[[argparse.Namespace], Awaitable[str]]


def add_policy_commands(policy: argparse.ArgumentParser) -> None:
    """Give the command `policy` its own commands."""
    policy.epilog = "example: %(prog)s get acme > policy.json; edit it; %(prog)s put acme policy.json"
    commands = policy.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Run, does: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=does, description=does, epilog=f"example: %(prog)s {example}")
        sub.set_defaults(run=run)
        sub.add_argument("tenant", metavar="TENANT", help="the tenant's name")
        sub.add_argument("--json", action="store_true", help="print JSON as /v1/policy answers it, and nothing else")
        return sub

    get = command("get", _get, "print a tenant's policy, as `policy put` takes it", "acme --revision 42")
    get.add_argument("--revision", type=_revision, metavar="N", help="an older one (default: the one in force)")
    does = "set a tenant's policy, in the place of the revision that its `replaces` names, else of the one in force"
    put = command("put", _put, does, "acme policy.json")
    put.add_argument("file", metavar="FILE", help=f"the document in JSON; {STDIN}: stdin")
    command("history", _history, "list a tenant's policies, newest first: who set which, and when", "acme")
    days = command(
        "holidays",
        _holidays,
        "print a tenant's policy with the public holidays of a country in a year, as `policy put` takes it",
        "acme --country IL --year 2026 --put",
    )
    days.add_argument("--country", required=True, help="its code of two letters, such as IL")
    days.add_argument("--year", type=_year, required=True, help="such as 2026")
    days.add_argument("--subdivision", help="a part of the country that has holidays of its own, such as BY of DE")
    days.add_argument("--language", help="of the names, such as en_US (default: the country's own)")
    days.add_argument("--put", action="store_true", help="set it, instead of printing it")


async def _get(arguments: argparse.Namespace) -> str:
    book = await read_policies(LogSettings().kafka)
    in_force, record = _in_force(book, arguments.tenant)
    revision: int = in_force if arguments.revision is None else arguments.revision
    if revision != in_force:
        found = book.record(arguments.tenant, revision)
        if found is None:
            raise Trouble(f"{arguments.tenant} has no revision {revision}: `policy history` lists those that it has.")
        record = found
    return written(told(revision, record)) if arguments.json else for_put(as_said(record.document), in_force)


async def _put(arguments: argparse.Namespace) -> str:
    proposal = read_file(arguments.file)
    return await _set(arguments, proposal, await read_policies(LogSettings().kafka))


async def _set(arguments: argparse.Namespace, proposal: Proposal, book: PolicyBook) -> str:
    """Set a policy, unless it is in force already, and say what is in force then."""
    tenant: str = arguments.tenant
    latest = book.latest_revision(tenant)
    record = None if latest is None else book.record(tenant, latest)
    if latest is not None and record is not None and _is_in_force(proposal, latest, record):
        return written(told(latest, record)) if arguments.json else f"Revision {latest} says so already."
    if latest is None:
        # A name that was mistyped would get a policy, for ever.
        await _check_tenant(tenant)
    replaces = proposal.replaces if proposal.says_replaces else latest
    if replaces != latest:
        raise moved_on(latest)
    kafka = LogSettings().kafka
    now = datetime.now(UTC)
    book = await set_policy(kafka, tenant, proposal.document, replaces=replaces, set_by=_operator(), set_at=now)
    revision, record = _in_force(book, tenant)
    return written(told(revision, record)) if arguments.json else f"Revision {revision} is in force for {tenant}."


async def _history(arguments: argparse.Namespace) -> str:
    book = await read_policies(LogSettings().kafka)
    latest, _ = _in_force(book, arguments.tenant)
    # Revisions are offsets, so there are no more of them than that.
    found = [setting(*one) for one in book.history(arguments.tenant, None, latest + 1)]
    if arguments.json:
        return written(found)
    return "\n".join(_line(one) for one in found)


async def _holidays(arguments: argparse.Namespace) -> str:
    wanted = CountryYear(arguments.country.upper(), arguments.year, arguments.subdivision, arguments.language)
    book = await read_policies(LogSettings().kafka)
    in_force, record = _in_force(book, arguments.tenant)
    said = with_holidays(as_said(record.document), wanted)
    if not arguments.put:
        return for_put(said, in_force)
    proposal = read_proposal(said)
    if isinstance(proposal, Unfit):
        raise Trouble(proposal.sentence)
    return await _set(arguments, proposal, book)


def _in_force(book: PolicyBook, tenant: str) -> tuple[int, PolicyRecord]:
    revision = book.latest_revision(tenant)
    record = None if revision is None else book.record(tenant, revision)
    if revision is None or record is None:
        raise Trouble(f"{tenant} has no policy: set its first one with `policy put`, or look at the name.")
    return revision, record


def _is_in_force(proposal: Proposal, latest: int, record: PolicyRecord) -> bool:
    """Return whether nothing is to be done: the command ran before, or its document was not changed."""
    meant = not proposal.says_replaces or proposal.replaces in {latest, record.replaces}
    return meant and as_said(proposal.document) == as_said(record.document)


async def _check_tenant(tenant: str) -> None:
    settings = DatabaseSettings()
    async with connected(settings.postgres_dsn.get_secret_value(), settings.postgres_tls) as conn:
        if not await conn.fetchval(query("tenant_exists"), tenant):
            raise Trouble(f"There is no tenant {tenant}: look at the name, or make the tenant first.")


def _operator() -> str:
    try:
        return f"stint_cli {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "stint_cli"


def _line(one: dict[str, Any]) -> str:
    replaced = "the first" if one["replaces"] is None else f"replaces {one['replaces']}"
    return f"{one['revision']}  {one['set_at']}  {one['set_by']}  {replaced}"


def _revision(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not a revision, such as 42")
    return int(text)


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == _YEAR_DIGITS):
        raise argparse.ArgumentTypeError(f"{text} is not a year, such as 2026")
    return int(text)
