"""`doctor`, `dead-letters list | show`, `outcomes show`, `audit`: the arguments of each, and what it prints."""

import json
import re
from typing import Annotated, Any, Final

import typer

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import opened
from services.stint_cli.deployment.partitions import require_partitions
from services.stint_cli.settings import ApiAddress, DeploymentSettings, DoctorSettings, LogSettings
from services.stint_cli.tenants import require_tenant
from services.stint_cli.terminal.app import app, group
from services.stint_cli.terminal.command import Answer, Listing, command
from services.stint_cli.watch.audit import audited
from services.stint_cli.watch.dead_letters import bytes_of, list_commands, list_events
from services.stint_cli.watch.doctor import examine
from services.stint_cli.watch.log import LogReader
from services.stint_cli.watch.outcomes import outcome_at
from shared.events.topics import DEAD, EVENTS

dead_letters: Final = group("dead-letters", "Look at records that could not be read.")
outcomes: Final = group("outcomes", "Look at what became of a record.")

_PLACE: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})", re.ASCII)

_Tenant = Annotated[str | None, typer.Option(metavar="T", help="Print the differences of one tenant alone.")]
_Most = Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many, of events and commands together.")]
_Place = Annotated[
    str, typer.Argument(metavar="KPART:OFFSET", help=f"As `dead-letters list` prints it; for {DEAD} with --command.")
]
_Judged = Annotated[str, typer.Argument(metavar="KPART:OFFSET", help="A position, as answers tell it.")]
_Commands = Annotated[bool, typer.Option("--command", help=f"A place on {DEAD}, and not on {EVENTS}.")]


@command(app, "doctor", example="stint doctor")
async def _doctor() -> Answer:
    """Check everything that runs, and say what to do about each thing that is wrong."""
    findings = await examine(DoctorSettings(), ApiAddress().http_url)
    wrong = [finding for finding in findings if finding.advice is not None]
    last = f"{len(wrong)} of {len(findings)} checks found something wrong." if wrong else "All is well."
    data = {"ok": not wrong, "checks": [finding.as_json for finding in findings]}
    return Answer(data, "\n".join([*(finding.line for finding in findings), last]), status=1 if wrong else 0)


@command(app, "audit", example="stint audit --tenant acme")
async def _audit(*, tenant: _Tenant = None) -> Answer:
    """Judge all presses again with the code of this release, and print each that would be judged in another way."""
    settings = DeploymentSettings()
    async with opened(settings) as conn, Brokers(settings.kafka):
        partitions = await require_partitions(conn)
        if tenant is not None:
            await require_tenant(conn, tenant)
    found = await audited(settings, partitions, tenant)
    return Answer(found.as_json, found.text, status=1 if found.as_json or found.broke_off else 0, note=found.broke_off)


@command(dead_letters, "list", example="stint dead-letters list --json")
async def _list(*, most: _Most = 1000) -> Answer:
    """List events and commands that could not be read, the newest first."""
    settings = DeploymentSettings()
    async with opened(settings) as conn, LogReader(settings.kafka) as log:
        # One more, to know whether there are more.
        found = [*await list_events(conn, most + 1), *await list_commands(log, most + 1)]
    found.sort(key=lambda one: one.log_time, reverse=True)
    data = [one.as_json for one in found[:most]]
    more = f"There are more than these {most}: ask for more with `--most`." if len(found) > most else None
    rows = [list(one.values()) for one in data]
    return Answer(data, Listing(["topic", "at", "log_time", "reason"], rows), note=more)


@command(dead_letters, "show", example="stint dead-letters show 3:42")
async def _show(place: _Place, *, of_a_command: _Commands = False) -> Answer:
    """Show one record with its bytes, from the log."""
    kpart, offset = _place_of(place)
    async with LogReader(LogSettings().kafka) as log:
        data = await bytes_of(log, DEAD if of_a_command else EVENTS, kpart, offset)
    return Answer(data, "\n".join(_lines(data)))


@command(outcomes, "show", example="stint outcomes show 3:42")
async def _show_outcome(place: _Judged) -> Answer:
    """Show the outcome of one record, as its row has it."""
    kpart, offset = _place_of(place)
    async with opened(DeploymentSettings()) as conn:
        data = await outcome_at(conn, kpart, offset)
    return Answer(data, json.dumps(data, indent=2))


def _place_of(place: str) -> tuple[int, int]:
    read = _PLACE.fullmatch(place)
    if read is None:
        raise typer.BadParameter(f"{place} is no place such as 3:42, partition and offset")
    return int(read[1]), int(read[2])


def _lines(record: dict[str, Any]) -> list[str]:
    lines = [f"{record['topic']} {record['at']}, {record['log_time']}", f"key: {_shown(record['key'])}"]
    lines += [f"{header['name']}: {_shown(header['value'])}" for header in record["headers"]]
    return [*lines, "", _shown(record["value"])]


def _shown(raw: dict[str, str] | None) -> str:
    if raw is None:
        return "(none)"
    text = raw.get("text")
    # Control characters of a stranger's record must not drive the operator's terminal.
    if text is not None and all(character.isprintable() or character in "\n\t" for character in text):
        return text
    return f"base64 {raw['base64']}"
