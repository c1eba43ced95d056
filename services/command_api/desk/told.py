"""Told: what an outcome that was found says about a press that was answered 202.

    no row                the place is not passed yet: not yet; else there is none
    a row at the place    it is the press's own
    a row elsewhere       the key was judged before: the answer of both, or R24, or too old to answer

A row elsewhere may be too old only until the place is passed. After that a press that the fold took for new has a row
of its own, so one without has heard the older answer.
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

Told = Literal["shown", "reused", "not_yet", "none"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a press is on the log, and the first digits of its digest: what the `Location` of a 202 says of it.

    `digest` None: a `Location` of a release that did not say it yet.
    """

    partition: int
    offset: int
    digest: str | None = None


def short_digest(digest: str) -> str:
    """Return what a `Location` carries of a digest."""
    return digest[:DIGEST_DIGITS]


def told_of(row: OutcomeRow | None, place: Place | None, next_offset: int | None, now: datetime) -> Told:
    """Say what to tell a caller who asks by event id, and by place where the caller knows one.

    `row` is the newest of the event id, on the place's partition. `next_offset` is where that partition stood before
    the row was read, None when there is no such partition.
    """
    passed = place is None or next_offset is None or next_offset > place.offset
    if row is None:
        return "none" if passed else "not_yet"
    if place is None or row.source_offset == place.offset:
        return "shown"
    digest = short_digest(row.digest or "")
    # The log had the press before now, so a key that is remembered until now was remembered then.
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
