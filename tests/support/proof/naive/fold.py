"""The naive fold: `docs/contract.md` §1, §6 and §9 read aloud, one record after the other, into plain dicts."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.support.proof.naive.book import Book, effect, end, note, with_end_taken_back
from tests.support.proof.naive.days import day_of
from tests.support.proof.naive.due import DAILY, Documents, Owner, day_span, next_look, what_is_due
from tests.support.proof.naive.facts import learn
from tests.support.proof.naive.outcome import Row, blank, failed, said_of, timer_of
from tests.support.proof.naive.reading import NEWER, TIMER_EVENTS, UNREADABLE, Headers, Said, read
from tests.support.proof.naive.rules import (
    REASONS,
    Others,
    finding,
    findings_of,
    labels_of,
    lasting,
    limit_of,
    locked_before,
    setting,
    switched_to,
)

# Presses that the run made fail inside a rule. They are recognised by their content, so that both folds agree.
Breaks = Callable[[Said], bool]

_THIRTY_DAYS: Final = timedelta(days=30)
_CHANGES_OF_A_PRESS_MAX: Final = 100
_TEXTS: Final = ("owner", "account_id", "job_id", "project_id")
_US: Final = timedelta(microseconds=1)
_START, _PAUSE, _RESUME, _STOP = TIMER_EVENTS


def fold_partition(
    kpart: int,
    records: Iterable[tuple[int, datetime, Headers, bytes | None]],
    policies: Mapping[str, list[tuple[int, Row]]],
    partitions: int,
    breaks: Breaks = lambda _: False,
    also: Mapping[str, str] | None = None,
    policies_end: int = 1 << 63,
) -> Book:
    """Fold one partition from the beginning, up to a record that only a newer release can read."""
    book = Book(kpart, partitions, policies_end)
    for offset, log_time, headers, value in records:
        said = read(headers, value, also)
        if said == NEWER:
            book.held = True
            break
        if isinstance(said, str):
            assert said == UNREADABLE
            book.outcomes.append(blank(offset, log_time, book.policy_rev) | {"verdict": "unreadable"})
            book.last_event_id = None
        else:
            _fold_press(book, said | {"offset": offset, "log_time": log_time}, policies, breaks)
            book.last_event_id = said["event_id"]
        book.next_offset, book.last_log_time = offset + 1, log_time
    return book


def _fold_press(book: Book, press: Said, policies: Mapping[str, list[tuple[int, Row]]], breaks: Breaks) -> None:
    for kept in book.outcomes:
        if kept["event_id"] == press["event_id"] and press["log_time"] - kept["log_time"] < _THIRTY_DAYS:
            return  # known: answered again, or R24
    if "\0" in press.get("owner", ""):
        # Postgres refuses even to look for such an owner: SQLSTATE 22.
        _meet(book, press)
        book.outcomes.append(failed(press) | {"policy_rev": book.policy_rev})
        return
    if press["expires_at"] is not None and press["log_time"] > press["expires_at"]:
        return  # R22
    if press["kind"] == _START and press["subject"] in book.timers:
        return  # R21
    before = deepcopy(book) if any("\0" in str(press.get(name)) for name in _TEXTS) else book
    outcome = _judge(book, press, policies, breaks)
    if outcome is not None and outcome["reason"] == "internal" and before is not book:
        # Our store refused the press, and with it what had fallen due.
        book.timers, book.intervals, book.violations = before.timers, before.intervals, before.violations
        book.changed_after_lock = before.changed_after_lock
    if outcome is not None:
        _meet(book, press)
        book.outcomes.append(outcome | {"policy_rev": book.policy_rev})


def _meet(book: Book, press: Said) -> None:
    """Remember the highest revision that the partition has met. A revision that was never written does not count."""
    if press["policy_rev"] < book.policies_end:
        book.policy_rev = max(book.policy_rev, press["policy_rev"])


def _judge(book: Book, press: Said, policies: Mapping[str, list[tuple[int, Row]]], breaks: Breaks) -> Row | None:
    said = said_of(press)
    slot = (
        (press["subject"] >> 10) & 4095
        if press["kind"] in (_PAUSE, _RESUME, _STOP)
        else zlib.crc32(f"{press['tenant']}/{press['owner']}".encode()) % 4096
    )
    if slot % book.partitions != book.kpart or (press["kind"] == _START and (press["subject"] >> 10) & 4095 != slot):
        return said | {"verdict": "refused", "rule": "R23", "reason": "wrong_partition"}
    if press["policy_rev"] >= book.policies_end:
        return said | {"verdict": "refused", "rule": "R23", "reason": "no_such_policy"}
    revision = max(book.policy_rev, press["policy_rev"])
    known = [(rev, policy) for rev, policy in policies.get(press["tenant"], []) if rev <= revision]
    if not known:
        return said | {"verdict": "refused", "rule": "R23", "reason": "no_policy"}
    policy_revision, policy = known[-1]
    said["policy_revision"] = policy_revision
    timer = None if press["kind"] not in (_PAUSE, _RESUME, _STOP) else book.timers.get(press["subject"])
    if press["kind"] in (_PAUSE, _RESUME, _STOP) and (timer is None or timer["tenant"] != press["tenant"]):
        return said | {"verdict": "refused", "rule": "R05", "reason": REASONS["R05"]}
    if press["kind"] in TIMER_EVENTS and breaks(press):
        return failed(press)
    said["owner"] = press["owner"] if timer is None else timer["owner"]
    documents = _by_time(known)
    due, said = _came_of(book, press, said, policy, documents)
    if said["verdict"] is None:
        return None
    if said["reason"] == "internal":
        return said
    room = 200 - len(due[1]) - len(said["changed"])
    since = _fall_due(book, press, said, documents, press["log_time"], room, set())
    said["findings"] = _told_once([*due[0], *said["findings"], *since[0]])
    said["due"] = next_look(_owner(book, press["tenant"], said["owner"], documents), press["log_time"])
    said["changed"] = [*due[1], *said["changed"], *since[1]]
    pressed = book.timers.get(press["subject"])
    said["timer"] = None if pressed is None or press["kind"] not in TIMER_EVENTS else dict(pressed)
    return said


def _came_of(
    book: Book, press: Said, said: Row, policy: Row, documents: Documents
) -> tuple[tuple[list[Row], list[Row]], Row]:
    """Return what fell due up to a press, and what came of it; no verdict for a deadline at which nothing was due."""
    if press["kind"] == "deadline.reached.v1":
        due = _fall_due(book, press, said, documents, press["log_time"], 200, set())
        return due, said | ({"verdict": "accepted"} if due[0] else {})
    taken = with_end_taken_back(book, press, said["at"]) if press["kind"] in (_PAUSE, _STOP) else None
    may_end = _may_end(book, press, said, policy)
    due = _fall_due(taken or book, press, said, documents, said["at"], 100, may_end)
    if press["kind"] not in TIMER_EVENTS:
        return due, learn(book.facts, book.known_at, press, said)
    came = _press_timer(taken or book, press, said, policy, documents)
    if taken is not None and came["verdict"] == "accepted":
        book.__dict__ |= taken.__dict__
    elif taken is not None:
        # Refused, so nothing was taken back, and what is due is due as the timer stands.
        due = _fall_due(book, press, said, documents, said["at"], 100, may_end)
        note(book, came, came["findings"])
    return due, came


def _may_end(book: Book, press: Said, said: Row, policy: Row) -> set[int]:
    """Return the timers that may end with a press: its own, and with a switch all that the owner has."""
    if press["kind"] in (_START, _RESUME) and switched_to(policy) is not None:
        return {press["subject"], *(timer["id"] for timer in _timers_of(book, press["tenant"], said["owner"]))}
    return {press["subject"]}


def _told_once(findings: list[Row]) -> list[Row]:
    told: dict[tuple[int, str, datetime], Row] = {}
    for found in findings:
        if not found["refused"]:
            told[found["timer_id"], found["rule"], found["from"]] = found
        told.setdefault((found["timer_id"], found["rule"], found["from"]), found)
    return list(told.values())


def _by_time(known: list[tuple[int, Row]]) -> Documents:
    """Return the documents with the moment at which each came into force: when it was set, and in their order."""
    documents: Documents = []
    for _, document in known:
        set_at = datetime.fromisoformat(document["set_at"]).astimezone(UTC)
        documents.append((max([set_at, *(begins for begins, _ in documents)]), document))
    return documents


def _owner(book: Book, tenant: str, owner: str, documents: Documents) -> Owner:
    return Owner(
        [(timer, book.intervals[timer["id"]]) for timer in _timers_of(book, tenant, owner)],
        {(kind, about): fact for (t, o, kind, about), fact in book.facts.items() if (t, o) == (tenant, owner)},
        {(kind, about): at for (t, o, kind, about), at in book.known_at.items() if (t, o) == (tenant, owner)},
        book.violations,
        documents,
    )


def _fall_due(
    book: Book, press: Said, said: Row, documents: Documents, until: datetime, at_most: int, may_end: set[int]
) -> tuple[list[Row], list[Row]]:
    """Let everything happen that is due, the earliest first. Return the findings and the changes."""
    findings: list[Row] = []
    changed: list[Row] = []
    while len(findings) < at_most and len(changed) < at_most:
        owner = _owner(book, press["tenant"], said["owner"], documents)
        due = what_is_due(owner, until, press["log_time"], may_end)
        if not due:
            break
        for at, timer_id, rule, kind, began in due[: at_most - max(len(findings), len(changed))]:
            timer, interval = book.timers[timer_id], book.intervals[timer_id][-1]
            if interval["end"] is not None:
                continue
            of = {"subject": timer_id}
            if kind == "1":
                found = [finding(of, rule, began or at, at)]
            elif kind == "2":
                found = [finding(of, rule, at)]
                if rule not in timer["flags"]:
                    timer |= {"flags": sorted({*timer["flags"], rule}), "source_offset": press["offset"]}
                    nothing: Row = {"opened": None, "closed": None}
                    changed.append({"timer": timer_id, "by": "settle", "after": timer_of(timer)} | nothing)
            else:
                had = any(
                    one["rule"] == "R16" and (one["to"] is None or one["to"] > one["from"])
                    for one in owner.found(timer, interval)
                )
                found = [*_endings(owner, timer, interval, at), *([] if had else [finding(of, rule, at, at)])]
                locked = locked_before(owner.policy(at))
                changed.append(end(book, press, timer_id, at, "STOPPED", "settle", {"R16"}, locked))
            note(book, said, found)
            findings += found
    return findings, changed


def _endings(owner: Owner, timer: Row, interval: Row, at: datetime) -> list[Row]:
    """Return the findings about an interval as they end with it, at the latest."""
    ending = [
        one for one in owner.found(timer, interval) if one["to"] is None or (one["to"] > at and one["to"] > one["from"])
    ]
    ending.sort(key=lambda one: (one["from"], one["rule"]))
    ended = []
    for one in ending:
        last = min(at, day_span(day_of(one["from"], interval["zone"]), interval["zone"])[1])
        until = max(one["from"], last if one["rule"] in DAILY else at)
        ended.append(finding({"subject": timer["id"]}, one["rule"], one["from"], until))
    return ended


def _timers_of(book: Book, tenant: str, owner: str) -> list[Row]:
    return [timer for timer in book.timers.values() if (timer["tenant"], timer["owner"]) == (tenant, owner)]


def _press_timer(book: Book, press: Said, said: Row, policy: Row, documents: Documents) -> Row:
    owner, timer = said["owner"], None if press["kind"] == _START else book.timers[press["subject"]]
    at = said["at"] if timer is None else max(said["at"], timer["last_at"])
    said = said | {"at": at}
    profile = book.facts.get((press["tenant"], owner, "profile", ""))
    zone = (profile or {}).get("zone") or policy["zone"]
    again = press["kind"] == _STOP and timer is not None and timer["state"] == "STOPPED"
    intervals = [] if timer is None else book.intervals[timer["id"]]
    running = intervals[-1] if intervals and intervals[-1]["end"] is None else None
    others = [
        (other, book.intervals[other["id"]])
        for other in _timers_of(book, press["tenant"], owner)
        if other["id"] != press["subject"]
    ]
    sheet = _owner(book, press["tenant"], owner, documents)
    work = press if timer is None else timer
    already = [
        one["rule"]
        for (timer_id, _, begins), one in sheet.findings.items()
        if running is not None and timer_id == press["subject"] and begins >= running["start"] and one["to"] is None
        if not one["refused"]
    ]
    of_time = list(_of_time(sheet, press, running, at, zone, policy, work, already))
    who = {"owner": owner, "profile": profile, "day": of_time, "already": already}
    found = list(findings_of(press, timer, running, others, at, zone, policy, who))
    if again:  # a second stop is only asked whether the timer is the caller's
        found = [one for one in found if one["rule"] == "R06"]
    refusal = next((one for one in found if one["refused"]), None)
    if refusal is not None:
        note(book, said, [refusal])
        return said | {
            "verdict": "refused",
            "rule": refusal["rule"],
            "reason": REASONS[refusal["rule"]],
            "findings": [refusal],
        }
    if again:
        return said | {"verdict": "accepted"}
    flags = labels_of(press, policy) | {one["rule"] for one in found}
    findings = [one for one in found if not one.get("open")]
    findings.sort(key=lambda one: (one["rule"], one["from"]))
    if timer is None and "\0" in f"{owner}{press['account_id']}{press['job_id']}{press['project_id']}":
        return failed(press)  # no text column takes it: SQLSTATE 22
    locked = locked_before(policy)
    ended = [] if running is None or timer is None else _endings(sheet, timer, running, at)
    switched, ended_too = _switch(book, press, sheet, others, at, policy)
    findings = [*ended_too, *ended, *findings]
    changed = [*switched, effect(book, press, timer, owner, at, zone, flags, locked)]
    note(book, said, findings)
    return said | {"verdict": "accepted", "flags": sorted(flags), "findings": findings, "changed": changed}


def _of_time(
    sheet: Owner, press: Said, running: Row | None, at: datetime, zone: str, policy: Row, work: Row, already: list[str]
) -> Iterator[Row]:
    """R09 to R12 at a press. One that is open on the interval already does not open again."""
    opens = press["kind"] in (_START, _RESUME)
    if not opens and running is None:
        return
    zone = zone if running is None else running["zone"]
    day = day_of(at, zone)
    cap = limit_of(policy, "R11", "billable_seconds_per_day")
    estimate = sheet.estimate(work["job_id"])
    breaks = {
        "R09": sheet.day_off(policy, day, press["log_time"]),
        "R10": sheet.outside(at, zone),
        "R11": cap is not None and work["billable"] and sheet.worked(day, at, billable=True) >= cap * 1_000_000,
        "R12": estimate is not None and sheet.worked_on(work["job_id"], at) >= estimate[0],
    }
    for rule, broken in breaks.items():
        if broken and setting(policy, rule) != "off":
            yield lasting(press, policy, rule, at, already)


def _switch(
    book: Book, press: Said, sheet: Owner, others: Others, at: datetime, policy: Row
) -> tuple[list[Row], list[Row]]:
    to = switched_to(policy)
    if to is None or press["kind"] not in (_START, _RESUME):
        return [], []
    running = sorted((other for other, _ in others if other["state"] == "RUNNING"), key=lambda timer: int(timer["id"]))
    changed, ended = [], []
    for other in running[: _CHANGES_OF_A_PRESS_MAX - 1]:
        ends = max(at, other["last_at"])
        ended += _endings(sheet, other, book.intervals[other["id"]][-1], ends)
        changed.append(end(book, press, other["id"], ends, to, "switch", (), locked_before(policy)))
    return changed, ended
