"""The naive fold: `docs/contract.md` §1, §6 and §9 read aloud, one record after the other, into plain dicts."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.support.proof.naive.ahead import next_look
from tests.support.proof.naive.book import Book, copy_for, effect, end, note, timers_of, with_end_taken_back
from tests.support.proof.naive.days import day_of
from tests.support.proof.naive.due import Documents, Owner
from tests.support.proof.naive.facts import learn
from tests.support.proof.naive.moved import laid_aside, moves_after, news
from tests.support.proof.naive.outcome import Row, blank, failed, said_of
from tests.support.proof.naive.reading import NEWER, TIMER_EVENTS, UNREADABLE, Headers, Said, read
from tests.support.proof.naive.rules import (
    REASONS,
    Others,
    findings_of,
    labels_of,
    lasting,
    limit_of,
    locked_before,
    setting,
    switched_to,
)
from tests.support.proof.naive.settle import endings, fall_due, owner_of

# Presses that the run made fail inside a rule. They are recognised by their content, so that both folds agree.
Breaks = Callable[[Said], bool]
# What fell due: findings and changes.
Told = tuple[list[Row], list[Row]]

_THIRTY_DAYS: Final = timedelta(days=30)
_CHANGES_OF_A_PRESS_MAX: Final = 100
_TEXTS: Final = ("owner", "account_id", "job_id", "project_id")
_US: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1)
# A press that ends no timer, and is a press all the same: it waits for nothing.
_NOBODY: Final = {-1}
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
    kept_at = book.kept_at.get(press["event_id"])
    if kept_at is not None and press["log_time"] - kept_at < _THIRTY_DAYS:
        return  # known: answered again, or R24
    if "\0" in press.get("owner", ""):
        # Postgres refuses even to look for such an owner: SQLSTATE 22.
        _keep(book, press, failed(press))
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
        _keep(book, press, outcome)


def _keep(book: Book, press: Said, outcome: Row) -> None:
    # The highest revision that the partition has met. A revision that was never written does not count.
    if press["policy_rev"] < book.policies_end:
        book.policy_rev = max(book.policy_rev, press["policy_rev"])
    book.outcomes.append(outcome | {"policy_rev": book.policy_rev})
    book.kept_at[press["event_id"]] = max(press["log_time"], book.kept_at.get(press["event_id"], press["log_time"]))


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
    said["policy_revision"], policy = known[-1]
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
    late = moves_after(press, said)
    owner = owner_of(book, press["tenant"], said["owner"], documents)
    aside = {} if late is None else laid_aside(book, owner, late, press["log_time"], room)
    asked = late, {key[:2] for key in aside}, None
    ticked = press["kind"] == "deadline.reached.v1"
    since = ([], []) if ticked else fall_due(book, press, said, documents, press["log_time"], room, set(), asked)
    said["findings"] = _told_once([*due[0], *said["findings"], *news(book, aside, since[0])])
    said["due"] = next_look(owner_of(book, press["tenant"], said["owner"], documents), press["log_time"])
    said["changed"] = [*due[1], *said["changed"], *since[1]]
    pressed = book.timers.get(press["subject"])
    said["timer"] = None if pressed is None or press["kind"] not in TIMER_EVENTS else dict(pressed)
    return said


def _came_of(book: Book, press: Said, said: Row, policy: Row, documents: Documents) -> tuple[Told, Row]:
    """Return what fell due up to a press, and what came of it; no verdict for a deadline at which nothing was due."""
    if press["kind"] == "deadline.reached.v1":
        due = fall_due(book, press, said, documents, press["log_time"], 200, set())
        return due, said | ({"verdict": "accepted"} if due[0] else {})
    if press["kind"] not in TIMER_EVENTS:
        # A fact counts from when the log has it. What was due until then was due by what was known.
        due = fall_due(book, press, said, documents, press["log_time"], 200, _NOBODY)
        return due, learn(book.facts, book.known_at, press, said)
    may_end = _may_end(book, press, said, policy)
    if press["kind"] in (_PAUSE, _STOP):
        return _ended(book, press, said, policy, documents, may_end)
    stopped = _stopped_meanwhile(book, press, said, documents, None)
    at, room = _counts_at(book, press, said), 100 - len(stopped[1])
    tried = copy_for(book, press["tenant"], said["owner"]) if _has_begun(book, press, may_end) else book
    due = fall_due(tried, press, said, documents, at, room, may_end)
    came = _press_timer(tried, press, said, policy, documents)
    if tried is not book and came["verdict"] == "accepted":
        book.__dict__ |= tried.__dict__
    elif tried is not book:
        due = fall_due(book, press, said, documents, at, room, _NOBODY)
        note(book, came, came["findings"])
    return ([*stopped[0], *due[0]], [*stopped[1], *due[1]]), came


def _has_begun(book: Book, press: Said, timers: set[int]) -> bool:
    """Say whether the last interval of one of these timers is in its first minute."""
    last = [book.intervals[timer][-1] for timer in timers if timer in book.intervals]
    return any(interval["end"] is None and press["log_time"] < interval["logged"] + _MINUTE for interval in last)


def _ended(
    book: Book, press: Said, said: Row, policy: Row, documents: Documents, may_end: set[int]
) -> tuple[Told, Row]:
    """Return the same for a pause or stop: as if nothing had ended its timer, and others had stopped that were to."""
    taken, told = _taken_back(book, press, said, documents)
    stops = _stops(documents) and said["at"] < press["log_time"]
    same = not stops and not _has_begun(book, press, may_end)
    tried = taken or (book if same else copy_for(book, press["tenant"], said["owner"]))
    # Before an end that is taken back, what has ended since then ran beside it, or had not begun.
    since = None if taken is None else max(said["at"], press["log_time"] - timedelta(days=8))
    at = _counts_at(tried, press, said)
    due = fall_due(tried, press, said, documents, at, 100 - len(told[1]), may_end, (since, None, None))
    due = [*told[0], *due[0]], [*told[1], *due[1]]
    if taken is None:
        stopped = _stopped_meanwhile(tried, press, said, documents, press["subject"], 100 - len(due[1]))
        due = [*due[0], *stopped[0]], [*due[1], *stopped[1]]
    came = _press_timer(tried, press, said, policy, documents)
    if came["verdict"] == "accepted":
        book.__dict__ |= tried.__dict__
        return due, came
    if tried is not book:
        # Refused, so nothing was taken back, and what is due is due as the timer stands.
        due = fall_due(book, press, said, documents, _counts_at(book, press, said), 100, _NOBODY)
        note(book, came, came["findings"])
    return due, came


def _taken_back(book: Book, press: Said, said: Row, documents: Documents) -> tuple[Book | None, Told]:
    """Return another book in which the pressed timer goes on, after all that the log's time has passed; None: no."""
    if with_end_taken_back(book, press, said["at"]) is None:
        return None, ([], [])
    other = copy_for(book, press["tenant"], said["owner"])
    told = fall_due(other, press, said, documents, press["log_time"], 100, set())
    return with_end_taken_back(other, press, said["at"]), told


def _counts_at(book: Book, press: Said, said: Row) -> datetime:
    """Return when a press counts: never before its timer's last event."""
    timer = book.timers.get(press["subject"]) if press["kind"] in (_PAUSE, _RESUME, _STOP) else None
    at: datetime = said["at"]
    return at if timer is None else max(at, timer["last_at"])


def _stops(documents: Documents) -> bool:
    return any(limit_of(document, "R16", "auto_close_seconds") for _, document in documents)


def _stopped_meanwhile(
    book: Book, press: Said, said: Row, documents: Documents, runs_on: int | None, at_most: int = 100
) -> Told:
    """Let timers that were to stop by themselves before a late press was recorded do so, and what else was due."""
    if said["at"] >= press["log_time"] or not _stops(documents):
        return [], []
    if not any(owner_of(book, press["tenant"], said["owner"], documents).running()):
        return [], []
    before = copy_for(book, press["tenant"], said["owner"])
    due = fall_due(book, press, said, documents, press["log_time"], at_most, set(), (None, None, runs_on))
    if any(change["closed"] for change in due[1]):
        return due
    book.__dict__ |= before.__dict__
    return [], []


def _may_end(book: Book, press: Said, said: Row, policy: Row) -> set[int]:
    """Return the timers that may end with a press: its own, and with a switch all that the owner has."""
    if press["kind"] in (_START, _RESUME) and switched_to(policy) is not None:
        return {press["subject"], *(timer["id"] for timer in timers_of(book, press["tenant"], said["owner"]))}
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
        counts_from = datetime.fromisoformat(document["counts_from"]).astimezone(UTC)
        documents.append((max([counts_from, *(begins for begins, _ in documents)]), document))
    return documents


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
        for other in timers_of(book, press["tenant"], owner)
        if other["id"] != press["subject"]
    ]
    sheet = owner_of(book, press["tenant"], owner, documents)
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
    ended = [] if running is None or timer is None else endings(sheet, timer, running, at)
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
        ended += endings(sheet, other, book.intervals[other["id"]][-1], ends)
        changed.append(end(book, press, other["id"], ends, to, "switch", (), locked_before(policy)))
    return changed, ended
