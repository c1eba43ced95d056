"""The naive fold's settling: everything that is due for an owner happens, the earliest first."""

from datetime import datetime
from typing import Final

from tests.support.proof.naive.book import Book, end, note, timers_of
from tests.support.proof.naive.days import day_of, day_span
from tests.support.proof.naive.due import DAILY, Documents, Owner, what_is_due
from tests.support.proof.naive.outcome import Row, timer_of
from tests.support.proof.naive.reading import Said
from tests.support.proof.naive.rules import finding, locked_before

# After when a late press has moved crossings, the rules of timers that are looked for anew because of it, and before
# that the timer which runs on, because its own press says when it ended.
Late = tuple[datetime | None, set[tuple[int, str]] | None, int | None]
NOT_LATE: Final[Late] = (None, None, None)


def owner_of(book: Book, tenant: str, owner: str, documents: Documents, late: datetime | None = None) -> Owner:
    return Owner(
        [(timer, book.intervals[timer["id"]]) for timer in timers_of(book, tenant, owner)],
        {(kind, about): fact for (t, o, kind, about), fact in book.facts.items() if (t, o) == (tenant, owner)},
        {(kind, about): at for (t, o, kind, about), at in book.known_at.items() if (t, o) == (tenant, owner)},
        book.violations,
        documents,
        late,
    )


def fall_due(
    book: Book,
    press: Said,
    said: Row,
    documents: Documents,
    until: datetime,
    at_most: int,
    may_end: set[int],
    late: Late = NOT_LATE,
) -> tuple[list[Row], list[Row]]:
    """Let everything happen that is due, the earliest first. Return the findings and the changes."""
    findings: list[Row] = []
    changed: list[Row] = []
    while len(findings) < at_most and len(changed) < at_most:
        owner = owner_of(book, press["tenant"], said["owner"], documents, late[0])
        due = what_is_due(owner, until, press["log_time"], may_end, *late[1:])
        if not due:
            break
        for at, timer_id, rule, kind, began in due[: at_most - max(len(findings), len(changed))]:
            timer, interval = book.timers[timer_id], book.intervals[timer_id][-1]
            if interval["end"] is not None and (interval["end"] <= at or kind != "2"):
                continue
            of = {"subject": timer_id}
            if kind == "1":
                found = [finding(of, rule, began or at, at)]
            elif kind == "2":
                ended = interval["end"]
                found = [finding(of, rule, at, None if ended is None else _last_end(rule, at, interval, ended))]
                if rule not in timer["flags"]:
                    timer |= {"flags": sorted({*timer["flags"], rule}), "source_offset": press["offset"]}
                    nothing: Row = {"opened": None, "closed": None}
                    changed.append({"timer": timer_id, "by": "settle", "after": timer_of(timer)} | nothing)
            else:
                had = any(
                    one["rule"] == "R16" and (one["to"] is None or one["to"] > one["from"])
                    for one in owner.found(timer, interval)
                )
                found = [*endings(owner, timer, interval, at), *([] if had else [finding(of, rule, at, at)])]
                # It adds its time now, so what is locked by now counts, and not what was at its own instant.
                locked = locked_before(owner.documents[-1][1])
                changed.append(end(book, press, timer_id, at, "STOPPED", "settle", {"R16"}, locked))
            note(book, said, found)
            findings += found
    return findings, changed


def endings(owner: Owner, timer: Row, interval: Row, at: datetime) -> list[Row]:
    """Return the findings about an interval as they end with it, at the latest."""
    ending = [
        one
        for one in owner.found(timer, interval)
        # What ended before the interval does is a finding of a day, or was told about an interval before this one.
        if one["to"] is None or (one["rule"] in DAILY and one["to"] > at and one["to"] > one["from"])
    ]
    ending.sort(key=lambda one: (one["from"], one["rule"]))
    ended = []
    for one in ending:
        until = max(one["from"], _last_end(one["rule"], one["from"], interval, at))
        ended.append(finding({"subject": timer["id"]}, one["rule"], one["from"], until))
    return ended


def _last_end(rule: str, begins: datetime, interval: Row, at: datetime) -> datetime:
    """Return when a finding about an interval ends at the latest, when the interval ends at a moment."""
    midnight = day_span(day_of(begins, interval["zone"]), interval["zone"])[1]
    return min(at, midnight) if rule in DAILY else at
