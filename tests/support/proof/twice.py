"""Twice: what the naive fold makes of a log that the product's fold has read."""

import json
from collections.abc import Sequence

from services.projector.domain.entry import LoggedPress
from shared.events.codec import write_body
from shared.events.envelope import Headers, encode_headers
from shared.events.policy import Policy
from tests.support.proof.naive.book import Book
from tests.support.proof.naive.fold import fold_partition
from tests.support.proof.naive.outcome import Row, body
from tests.support.story.documents import Revisions
from tests.support.story.given import MONDAY
from tests.support.story.histories import Entry

# The documents of each tenant, each with its revision.
Stated = dict[str, list[tuple[int, Row]]]

_GARBAGE: tuple[Headers, bytes] = ([("ce_type", b"?")], b"?")


def record_of(entry: Entry) -> tuple[Headers, bytes | None]:
    """Return headers and value of the record that an entry was read from."""
    if not isinstance(entry, LoggedPress):
        return _GARBAGE
    return list(encode_headers(entry.envelope)), write_body(entry.event)


def stated(policy: Policy) -> Row:
    """Return a policy as the naive fold reads it. It counts from the beginning."""
    said: Row = json.loads(policy.model_dump_json(by_alias=True))
    return said | {"counts_from": MONDAY.isoformat()}


def stated_in_turn(under: Revisions) -> Stated:
    """Return what `book_of` makes of these documents: two tenants, each document of each in turn."""
    said = [stated(document) for document in under]
    return {
        tenant: [(first + 2 * place, document) for place, document in enumerate(said)]
        for tenant, first in (("acme", 0), ("other", 1))
    }


def folded_naively(log: Sequence[Entry], policies: Stated) -> Book:
    """Fold the records that a log was read from."""
    records = [(entry.offset, entry.log_time, *record_of(entry)) for entry in log]
    return fold_partition(0, records, policies, 1)


def naive_bodies(log: Sequence[Entry], policies: Stated) -> list[bytes]:
    """Return the outcomes that the naive fold keeps of a log."""
    return bodies_in(folded_naively(log, policies))


def bodies_in(book: Book) -> list[bytes]:
    """Return the outcomes of a book. People read why a record is unreadable, and each fold has its own words for it."""
    return [
        body(row | ({"reason": "no_body"} if row["verdict"] == "unreadable" else {})).encode() for row in book.outcomes
    ]
