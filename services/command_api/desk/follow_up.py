"""The follow-up of a 202: what the outcome of an event id says about the press that was answered so.

    no row                not yet, until the place is passed; then none
    a row at the place    the press's own outcome
    a row elsewhere       the key was judged before: the answer of both, or R24, or too old to answer

A row elsewhere may be too old only until the place is passed. After that, a press that the fold judged as new has a row
of its own; a press without one got the older answer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

from services.command_api.desk.rows import OutcomeRow
from shared.events.idempotency import Use, recall

# How many digits of a digest a `Location` carries: enough to tell the requests of one key apart.
DIGEST_DIGITS: Final = 16
# Our clock may be behind the log's, by less than this (the API is not ready beyond some seconds).
CLOCKS_APART: Final = timedelta(minutes=1)

FollowUp = Literal["shown", "reused", "not_yet", "none"]


@dataclass(frozen=True, slots=True)
class Place:
    """What the `Location` of a 202 says: where the press is on the log, and the first digits of its digest.

    `digest` None: an older release wrote the `Location`.
    """

    partition: int
    offset: int
    digest: str | None = None


def short_digest(digest: str) -> str:
    """Return the digits of a digest that a `Location` carries."""
    return digest[:DIGEST_DIGITS]


def follow_up_of(row: OutcomeRow | None, place: Place | None, next_offset: int | None, now: datetime) -> FollowUp:
    """Return what to answer a caller that asks by event id, and by place if the caller knows one.

    `row` is the newest outcome of the event id, on the place's partition. `next_offset` is where that partition stood
    before the row was read, None when there is no such partition.
    """
    passed = place is None or next_offset is None or next_offset > place.offset
    if row is None:
        return "none" if passed else "not_yet"
    if place is None or row.source_offset == place.offset:
        return "shown"
    digest = short_digest(row.digest or "")
    # The log got the press before now. So a key that is remembered now was remembered then.
    asked_at = row.log_time if passed else now + CLOCKS_APART
    match recall(Use(digest, row.log_time), Use(place.digest or digest, asked_at)):
        case "known":
            return "shown"
        case "reused":
            return "reused"
        case "forgotten":
            return "not_yet"
        case recalled:
            assert_never(recalled)
