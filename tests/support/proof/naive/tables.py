"""The naive fold's tables as text: a line of canonical JSON for each row, in key order, like `proof.tables`."""

import json
import zlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from tests.support.proof.naive.book import Book, Key
from tests.support.proof.naive.days import days_between
from tests.support.proof.naive.history import history_of
from tests.support.proof.naive.outcome import Row, body

_TIMER: Final = (
    *("id", "tenant", "owner", "account_id", "job_id", "project_id", "billable", "work_date", "state", "started_at"),
    *("stopped_at", "total_us", "last_at", "flags", "provisional", "started_by", "source_offset", "reference"),
)
KEYS: Final = {
    "checkpoint": ("kpart",),
    "timer": ("slot", "id"),
    "interval": ("timer_id", "slot", "seq"),
    "day_total": ("slot", "tenant", "owner", "day"),
    "job_total": ("slot", "tenant", "owner", "job_id"),
    "timer_history": ("timer_id", "slot", "source_offset", "by"),
    "work_total": ("tenant", "kind", "about", "day", "slot"),
    "violation": ("slot", "timer_id", "rule", "from_at"),
    "owner_fact": ("slot", "tenant", "owner", "kind", "about"),
    "outcome": ("kpart", "source_offset"),
    "dead_letter": ("kpart", "source_offset"),
}


def tables_of(books: Iterable[Book]) -> dict[str, str]:
    """Return every fold table of a deployment."""
    rows: dict[str, list[Row]] = {name: [] for name in KEYS}
    for book in books:
        rows["checkpoint"].append(_checkpoint(book))
        rows["timer"] += [_timer(timer | {"provisional": _provisional(book, timer)}) for timer in book.timers.values()]
        rows["interval"] += list(_intervals(book))
        rows["day_total"] += list(_days(book))
        rows["job_total"] += list(_jobs(book))
        rows["work_total"] += list(_work(book))
        rows["timer_history"] += list(history_of(book))
        rows["violation"] += [_violation(found) for found in book.violations.values()]
        rows["owner_fact"] += [
            {"slot": _slot(tenant, owner), "tenant": tenant, "owner": owner, "kind": kind, "about": about, "body": said}
            | {"known_at": book.known_at[tenant, owner, kind, about]}
            for (tenant, owner, kind, about), said in book.facts.items()
        ]
        rows["outcome"] += [_outcome(book, outcome) for outcome in book.outcomes]
        rows["dead_letter"] += [
            {name: _outcome(book, outcome)[name] for name in ("kpart", "source_offset", "log_time")} | {"reason": None}
            for outcome in book.outcomes
            if outcome["verdict"] == "unreadable"
        ]
    return {name: text_of(name, found) for name, found in rows.items()}


def text_of(table: str, rows: Iterable[Row]) -> str:
    """Return rows as text, in the order of their key."""
    ordered = sorted(rows, key=lambda row: [row[name] for name in KEYS[table]])
    return "".join(line_of({name: _cell(value) for name, value in row.items()}) + "\n" for row in ordered)


def line_of(row: Row) -> str:
    """Return one row as canonical JSON."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    match value:
        case datetime():
            # As Postgres writes a timestamptz into JSON: with its offset, without trailing zeros.
            whole, dot, rest = value.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
            return f"{whole}{dot}{rest.rstrip('0')}+00:00"
        case date():
            return value.isoformat()
        case _:
            return value


def _checkpoint(book: Book) -> Row:
    said = ("kpart", "next_offset", "last_event_id", "last_log_time", "policy_rev")
    return {name: getattr(book, name) for name in said}


def _slot(tenant: str, owner: str) -> int:
    return zlib.crc32(f"{tenant}/{owner}".encode()) % 4096


def _slotted(timer_id: int, row: Row) -> Row:
    return {"slot": (timer_id >> 10) & 4095} | row


def _timer(timer: Row) -> Row:
    return _slotted(timer["id"], {name: timer[name] for name in _TIMER})


def _provisional(book: Book, timer: Row) -> Row | None:
    last = book.intervals[timer["id"]][-1]
    if last.get("by", "press") == "press":
        return None
    days = [{"on": str(day), "us": us} for day, us in days_between(last["start"], last["end"], last["zone"])]
    return {"source_offset": timer["source_offset"], "days": days}


def _intervals(book: Book) -> Iterable[Row]:
    for timer_id, intervals in book.intervals.items():
        whose = {name: book.timers[timer_id][name] for name in ("tenant", "owner")}
        for seq, interval in enumerate(intervals, start=1):
            told = {"start_at": interval["start"], "end_at": interval["end"], "zone": interval["zone"]}
            told |= {"logged_at": interval["logged"], "reason": interval["reason"]}
            yield _slotted(timer_id, {"timer_id": timer_id, "seq": seq} | whose | told)


def _days(book: Book) -> Iterable[Row]:
    # A day whose time was all taken back keeps its row.
    totals: dict[Key, list[int]] = {key: [0, 0] for key in book.emptied if len(key) == len(("tenant", "owner", "day"))}
    for timer_id, intervals in book.intervals.items():
        timer = book.timers[timer_id]
        for interval in intervals:
            if interval["end"] is not None:
                for day, us in days_between(interval["start"], interval["end"], interval["zone"]):
                    total = totals.setdefault((timer["tenant"], timer["owner"], day), [0, 0])
                    total[0] += us
                    total[1] += us if timer["billable"] else 0
    for key, (total_us, billable_us) in totals.items():
        tenant, owner, on = key
        yield {
            "slot": _slot(str(tenant), str(owner)),
            "tenant": tenant,
            "owner": owner,
            "day": on,
            "total_us": total_us,
            "billable_us": billable_us,
            "changed_after_lock": key in book.changed_after_lock,
        }


def _jobs(book: Book) -> Iterable[Row]:
    totals: dict[tuple[str, str, str], int] = {}
    for timer_id, intervals in book.intervals.items():
        timer = book.timers[timer_id]
        closed = [interval for interval in intervals if interval["end"] is not None]
        if closed and timer["job_id"] is not None:
            whose = timer["tenant"], timer["owner"], timer["job_id"]
            worked = sum((i["end"] - i["start"]) // timedelta(microseconds=1) for i in closed)
            totals[whose] = totals.get(whose, 0) + worked
    for (tenant, owner, job_id), total_us in totals.items():
        whose_row = {"slot": _slot(tenant, owner), "tenant": tenant, "owner": owner, "job_id": job_id}
        yield whose_row | {"total_us": total_us}


def _work(book: Book) -> Iterable[Row]:
    columns = ("slot", "tenant", "kind", "about", "day")
    totals: dict[Key, list[int]] = {key: [0, 0] for key in book.emptied if len(key) == len(columns)}
    for timer_id, intervals in book.intervals.items():
        timer = book.timers[timer_id]
        for kind in ("account", "job"):
            about = timer[f"{kind}_id"]
            for interval in intervals:
                if interval["end"] is not None and about is not None:
                    for day, us in days_between(interval["start"], interval["end"], interval["zone"]):
                        whose = (_slot(timer["tenant"], timer["owner"]), timer["tenant"], kind, about, day)
                        total = totals.setdefault(whose, [0, 0])
                        total[0] += us
                        total[1] += us if timer["billable"] else 0
    for key, (total_us, billable_us) in totals.items():
        named = dict(zip(columns, key, strict=True))
        late = key in book.changed_after_lock
        yield named | {"total_us": total_us, "billable_us": billable_us, "changed_after_lock": late}


def _violation(found: Row) -> Row:
    same = ("timer_id", "rule", "amount_us", "refused", "tenant", "owner", "event_id", "policy_revision")
    row = {name: found[name] for name in same} | {"from_at": found["from"], "to_at": found["to"]}
    return _slotted(found["timer_id"], row)


def _outcome(book: Book, outcome: Row) -> Row:
    same = ("source_offset", "event_id", "tenant", "log_time")
    return {"kpart": book.kpart, **{name: outcome[name] for name in same}, "body": body(outcome)}
