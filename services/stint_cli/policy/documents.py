"""Documents as files hold them and as they are printed: what `policy get` prints, `policy put` takes."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from services.stint_cli.terminal.command import written
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import CLOCKS_APART_MAX, PolicyRecord
from shared.events.policies.document import REPLACES, Proposal, Unfit, as_written, read_proposal
from shared.events.policies.revisions import Setting

STDIN: Final = "-"


def read_file(name: str) -> Proposal:
    """Return what a file, or stdin for "-", proposes. Raise Trouble with all that is wrong, in one line."""
    try:
        text = sys.stdin.read() if name == STDIN else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{name} cannot be read: {error}.") from error
    try:
        proposal = read_proposal(_json_of(name, text))
    except RecursionError:
        raise Trouble(f"{_named(name)} is no policy: it is nested too deeply.") from None
    if isinstance(proposal, Unfit):
        raise Trouble(f"{_named(name)}: {proposal.sentence}")
    return proposal


def for_put(document: dict[str, Any], in_force: int | None) -> str:
    """Return a document as `policy put` takes it: in the place of the revision that is in force now."""
    return written(document | {REPLACES: in_force})


def with_revision(revision: int, record: PolicyRecord) -> dict[str, Any]:
    """Return a document with its revision, as `GET /v1/policy` shows it."""
    return as_written(record.document) | setting(revision, record)


def of_the_clock(one: Setting) -> str:
    """Return what to say of a revision that counts from another time than the machine here said; mostly nothing."""
    if abs(one.begins - one.set_at) <= CLOCKS_APART_MAX:
        return ""
    begins = one.begins.isoformat(timespec="seconds")
    return f" It counts from {begins}, because the clock here is wrong: correct it (NTP)."


def setting(revision: int, record: PolicyRecord | Setting) -> dict[str, Any]:
    """Return who set a revision, when, and what it replaced, as the history of `/v1/policy` shows it."""
    set_at = record.set_at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return {"revision": revision, REPLACES: record.replaces, "set_by": record.set_by, "set_at": set_at}


def _json_of(name: str, text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except ValueError as error:
        raise Trouble(f"{_named(name)} is not JSON: {error}.") from error


def _named(name: str) -> str:
    return "The document" if name == STDIN else name


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number in JSON")
