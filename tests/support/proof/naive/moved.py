"""The naive fold's moved crossings: `docs/contract.md` §6, "A late press moves crossings", read aloud.

What was told about crossings after a late press is laid aside, as if nobody had looked; then everything is looked for
once more. What comes back as it was is not told again. What does not come back is told with no time in it.
"""

from datetime import datetime, timedelta
from typing import Final

from tests.support.proof.naive.book import Book
from tests.support.proof.naive.due import SHARED, Owner
from tests.support.proof.naive.outcome import Row
from tests.support.proof.naive.reading import TIMER_EVENTS, Said

_LOOKED: Final = timedelta(days=8)

Key = tuple[int, str, datetime]


def moves_after(press: Said, said: Row) -> datetime | None:
    """Return the moment after which a press moved crossings, None: it added no time and took none away."""
    if press["kind"] not in TIMER_EVENTS or said["verdict"] != "accepted":
        return None
    if not any(change["opened"] or change["closed"] for change in said["changed"]):
        return None
    after: datetime = max(said["at"], press["log_time"] - _LOOKED)
    return after


def laid_aside(book: Book, owner: Owner, after: datetime, log_time: datetime, at_most: int) -> dict[Key, Row]:
    """Take the time out of what was told about crossings after a moment, and return it as it had been told."""
    told: dict[Key, Row] = {}
    for timer, interval in [*owner.running(), *owner.ended_by_nobody(after)]:
        estimate = owner.estimate(timer["job_id"])
        for one in owner.found(timer, interval):
            lasted = one["to"] is None or one["to"] > one["from"]
            if one["rule"] not in SHARED or not after < one["from"] <= log_time or not lasted:
                continue
            judged_by = owner.policy(interval["logged"])
            if one["from"] == interval["start"] and judged_by is not owner.policy(one["from"]):
                continue  # its press was judged by a document that is not in force then
            if one["rule"] == "R12" and (estimate is None or estimate[1] > one["from"]):
                continue  # of the estimate that gave it nothing is known any more
            told[timer["id"], one["rule"], one["from"]] = dict(one)
    first = sorted(told, key=lambda key: (key[2], key[0], key[1]))[:at_most]
    for key in first:
        book.violations[key] |= {"to": key[2], "amount_us": 0}
    return {key: told[key] for key in first}


def news(book: Book, aside: dict[Key, Row], found: list[Row]) -> list[Row]:
    """Return what there is to tell: what was laid aside and did not come back as it was, and all else that came."""
    told = ("timer_id", "rule", "from", "to", "amount_us", "refused")
    other = [{name: book.violations[key][name] for name in told} for key in aside if book.violations[key] != aside[key]]
    return [*other, *(one for one in found if (one["timer_id"], one["rule"], one["from"]) not in aside)]
