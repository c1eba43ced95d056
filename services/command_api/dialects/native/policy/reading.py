"""Requests about policies: a PUT from its body and headers; revisions and cursors as they are spelt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from services.command_api.dialects.jsontext import read_json
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.lists.filters import limit_of, query_of
from shared.events.policies.document import REPLACES, Proposal, Unfit, read_proposal
from shared.events.policy import Policy
from shared.events.rules import Rule

PAGE_MAX: Final = 100

# An offset as Kafka counts, with one digit less than its maximum.
_REVISION: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_ETAG: Final = re.compile(r'"(0|[1-9][0-9]{0,17})"', re.ASCII)
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_NO_REPLACES: Final = Malformed(
    Rule.PARAMETER_MISSING,
    REPLACES,
    f"{REPLACES}: is mandatory without If-Match; may be the revision in force, or null for a first policy.",
)


@dataclass(frozen=True, slots=True)
class PolicyPut:
    """A document, and the revision whose place it takes: None for a tenant's first."""

    document: Policy
    replaces: int | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Which part of the history is asked for: up to `most` revisions below `before`, from the newest one for None."""

    before: int | None
    most: int


def read_put(body: bytes, if_match: Sequence[str]) -> PolicyPut | Malformed:
    """Translate a PUT. `if_match` holds each If-Match header."""
    try:
        value = read_json(body)
    except ValueError:
        return Malformed(Rule.VALUE_INVALID, "body", "The body is not JSON, or a member is given twice.")
    proposal = read_proposal(value)
    missing = _NO_REPLACES if isinstance(value, dict) and REPLACES not in value and not if_match else None
    if isinstance(proposal, Unfit):
        # All mistakes are answered at once, what is missing first.
        sentence = f"{missing.sentence} {proposal.sentence}" if missing else proposal.sentence
        is_missing = proposal.is_missing or missing is not None
        return Malformed(Rule.PARAMETER_MISSING if is_missing else Rule.VALUE_INVALID, "body", sentence)
    return missing or _replacing(proposal, if_match)


def _replacing(proposal: Proposal, if_match: Sequence[str]) -> PolicyPut | Malformed:
    if not if_match:
        return PolicyPut(proposal.document, proposal.replaces)
    match = _ETAG.fullmatch(if_match[0].strip(" \t")) if len(if_match) == 1 else None
    if match is None:
        return Malformed(Rule.VALUE_INVALID, "If-Match", 'If-Match: may be one ETag of a revision, such as "42".')
    if proposal.says_replaces and proposal.replaces != int(match[1]):
        return Malformed(Rule.VALUE_INVALID, REPLACES, f"{REPLACES}: names another revision than If-Match. Give one.")
    return PolicyPut(proposal.document, int(match[1]))


def read_revision(spelt: str) -> int | None:
    """Return the revision that a path names, or None: no revision is spelt so."""
    return int(spelt) if _REVISION.fullmatch(spelt) else None


def read_page(request: Request) -> HistoryPage | Malformed:
    """Return the page that the query asks for. A cursor is the last revision of the page before."""
    query = query_of(request, "cursor", "limit")
    if isinstance(query, Malformed):
        return query
    before = read_revision(query["cursor"]) if "cursor" in query else None
    if "cursor" in query and before is None:
        return Malformed(Rule.VALUE_INVALID, "cursor", "cursor: may be what next_cursor said.")
    most = limit_of(query, PAGE_MAX)
    if isinstance(most, Malformed):
        return most
    return HistoryPage(before, most)


def knows(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names `etag`, or any (RFC 9110, section 13.1.2)."""
    given = ",".join(request.headers.getlist("if-none-match")).strip()
    return given == "*" or etag in _TAG.findall(given)
