"""C6, C8, C9 and C16: the tables, against the log, each other, and the state machine of `docs/contract.md` §1."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.support.proof.checkers.history import Evidence
from tests.support.proof.naive.book import Book
from tests.support.proof.naive.fold import fold_partition
from tests.support.proof.naive.policies import policies_in_force
from tests.support.proof.naive.reading import UNREADABLE, read
from tests.support.proof.naive.tables import tables_of

_REMEMBERED: Final = timedelta(days=31)
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_LETTERS: Final = {
    "timer.started.v1": "s",
    "timer.paused.v1": "p",
    "timer.resumed.v1": "r",
    "timer.stopped.v1": "x",
}
_Interval = tuple[datetime, datetime | None]
# A second stop gets the same answer and changes nothing.
_LIFE: Final = re.compile(r"s(pr)*p?(x+)?")
_AFTER: Final = {"s": "RUNNING", "r": "RUNNING", "p": "PAUSED", "x": "STOPPED"}
_ENDED: Final = {"RUNNING": "", "PAUSED": "p", "STOPPED": "x"}
# In a row of dead letters, and in the body of an outcome that is a text in a row.
_REASON: Final = re.compile(r'(\\?)"reason\1":(null|\1"[^"]*\1")')
_WORDED: Final = ("outcome", "dead_letter")


def naive_books(evidence: Evidence) -> list[Book]:
    """Fold the log a second time, the naive way."""
    policies = policies_in_force((r.offset, r.key, r.value, r.log_time or _NEVER) for r in evidence.policies)
    return [
        fold_partition(
            kpart,
            [(r.offset, r.log_time or _NEVER, r.headers, r.value) for r in evidence.events if r.partition == kpart],
            policies,
            evidence.partitions,
            lambda press: press["actor"]["client"] in evidence.breaks,
            evidence.also,
            policies_end=1 + max((record.offset for record in evidence.policies), default=-1),
        )
        for kpart in range(evidence.partitions)
    ]


def c6_read_model_is_fold_of_log(evidence: Evidence) -> list[str]:
    """C6: every table is, byte for byte, what the naive fold makes of the log."""
    expected = tables_of(naive_books(evidence))
    return [f"C6: {line}" for line in differences(expected, evidence.tables, newest_of(evidence))]


def newest_of(evidence: Evidence) -> dict[int, datetime]:
    """Return the log time of the newest record of each partition; of a record from the future, the end of the run."""
    newest: dict[int, datetime] = {}
    for record in evidence.events:
        moment = min(record.log_time or _NEVER, evidence.ended_at or _NEVER)
        newest[record.partition] = max(moment, newest.get(record.partition, moment))
    return newest


def differences(
    expected: Mapping[str, str], found: Mapping[str, str], newest: dict[int, datetime], *, exact: bool = False
) -> list[str]:
    """Return where two dumps differ. Outcomes that may be pruned may be missing on either side.

    Unless `exact`, the words of a reason may differ: people read them, and each reader of records has its own.
    """
    wrong = []
    for table in expected:
        there, here = (_lines(table, tables[table], newest, exact=exact) for tables in (expected, found))
        if there != here:
            wrong += [f"{table} lacks {line}" for line in there if line not in here]
            wrong += [f"{table} has {line}" for line in here if line not in there]
            wrong += [f"{table} has a row twice"] if set(there) == set(here) else []
    return wrong


def _lines(table: str, text: str, newest: dict[int, datetime], *, exact: bool) -> list[str]:
    lines = text.splitlines()
    if table == "outcome":
        lines = [line for line in lines if not _prunable(line, newest)]
    if not exact and table in _WORDED:
        lines = [
            _REASON.sub("", line) if '"event_id":null' in line or table == "dead_letter" else line for line in lines
        ]
    # In an order of our own: two databases may sort text differently.
    return sorted(lines)


def _prunable(line: str, newest: dict[int, datetime]) -> bool:
    row = json.loads(line)
    return datetime.fromisoformat(row["log_time"]) < newest[row["kpart"]] - _REMEMBERED


def c8_time(evidence: Evidence) -> list[str]:
    """C8: a timer's intervals are disjoint and never negative; totals are their sums; a pause adds nothing."""
    intervals: dict[int, list[_Interval]] = {}
    by_owner: Counter[tuple[str, str]] = Counter()
    by_timer: Counter[int] = Counter()
    for row in evidence.rows("interval"):  # by timer, then by seq
        end = None if row["end_at"] is None else datetime.fromisoformat(row["end_at"])
        interval = (datetime.fromisoformat(row["start_at"]), end)
        intervals.setdefault(row["timer_id"], []).append(interval)
        by_owner[row["tenant"], row["owner"]] += _worked(interval)
        by_timer[row["timer_id"]] += _worked(interval)
    wrong = [f"C8: timer {id_} worked {known}" for id_, known in intervals.items() if not _in_order(known)]
    for timer in evidence.rows("timer"):
        known = intervals.get(timer["id"], [])
        if timer["total_us"] != sum(map(_worked, known)):
            wrong.append(f"C8: timer {timer['id']} says {timer['total_us']} us and worked {known}")
        if (timer["state"] == "RUNNING") != any(end is None for _, end in known):
            wrong.append(f"C8: timer {timer['id']} is {timer['state']} and worked {known}")
    by_day: Counter[tuple[str, str]] = Counter()
    for row in evidence.rows("day_total"):
        by_day[row["tenant"], row["owner"]] += row["total_us"]
    if +by_day != +by_owner:
        wrong.append(f"C8: the days of owners say {dict(by_day)} us, and their intervals {dict(by_owner)}")
    return wrong + _jobs(evidence, by_timer)


def _jobs(evidence: Evidence, by_timer: Counter[int]) -> list[str]:
    said: Counter[tuple[str, ...]] = Counter()
    for row in evidence.rows("job_total"):
        said[row["tenant"], row["owner"], row["job_id"]] += row["total_us"]
    worked: Counter[tuple[str, ...]] = Counter()
    for timer in evidence.rows("timer"):
        if timer["job_id"] is not None:
            worked[timer["tenant"], timer["owner"], timer["job_id"]] += by_timer[timer["id"]]
    return [f"C8: the jobs of owners say {dict(said)} us, and their intervals {dict(worked)}"] * (+said != +worked)


def _worked(interval: _Interval) -> int:
    start, end = interval
    return 0 if end is None else (end - start) // _US


def _in_order(intervals: list[_Interval]) -> bool:
    """Say whether each interval ends before the next begins, and only the last is open."""
    closed = all(end is not None for _, end in intervals[:-1])
    moments = [moment for interval in intervals for moment in interval if moment is not None]
    return closed and moments == sorted(moments)


def c9_state_machine(evidence: Evidence) -> list[str]:
    """C9: each timer's accepted presses are a life that `docs/contract.md` §1 allows, and its row is how it ends.

    Presses of others belong to a life too: another timer's start may end this one.
    """
    lives: dict[str, str] = {}
    for _, outcome, _ in evidence.judged:
        pressed = _LETTERS.get(outcome["event_type"], "") if outcome["verdict"] == "accepted" else ""
        lived = [
            (change["timer"], pressed if change["by"] == "press" else _ENDED[change["after"]["state"]])
            for change in outcome["changed"]
            if change["by"] == "press"
            or change["closed"] is not None  # a flag alone is no step, also of an ended timer
        ]
        if pressed and pressed not in [letter for timer_id, letter in lived if timer_id == outcome["timer"]["id"]]:
            lived.append((outcome["timer"]["id"], pressed))
        for change in outcome["changed"]:
            if change["closed"] is not None and change["closed"]["was"] is not None:
                # An end that nobody pressed is taken back, and with it any stop that only repeated it.
                life = lives[change["timer"]]
                lives[change["timer"]] = life.rstrip(life[-1:])
        for timer_id, letter in lived:
            lives[timer_id] = lives.get(timer_id, "") + letter
    wrong = [f"C9: timer {id_} lived {life!r}" for id_, life in lives.items() if not _LIFE.fullmatch(life)]
    states = {str(row["id"]): row["state"] for row in evidence.rows("timer")}
    for timer_id in {**lives, **states}:
        should = _AFTER.get(lives[timer_id][-1:]) if timer_id in lives else None
        if should != states.get(timer_id):
            wrong.append(f"C9: timer {timer_id} should be {should} and is {states.get(timer_id)}")
    return wrong


def c16_poison(evidence: Evidence) -> list[str]:
    """C16: what no version can read is a dead letter, and nothing else is. (Its neighbours are C6's.)"""
    upto = {row["kpart"]: row["next_offset"] for row in evidence.rows("checkpoint")}
    unreadable = {
        (record.partition, record.offset)
        for record in evidence.events
        if record.offset < upto[record.partition] and read(record.headers, record.value, evidence.also) == UNREADABLE
    }
    dead = {(row["kpart"], row["source_offset"]) for row in evidence.rows("dead_letter")}
    wrong = [f"C16: {place} cannot be read and is no dead letter" for place in sorted(unreadable - dead)]
    return wrong + [f"C16: {place} can be read and is a dead letter" for place in sorted(dead - unreadable)]
