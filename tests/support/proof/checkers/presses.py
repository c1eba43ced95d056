"""C1-C5 and C10: what callers were told, against the records on the log and their verdicts.

Each checker returns what is wrong, in sentences. No sentence means that all is well.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.proof.checkers.history import Evidence, Op

_THIRTY_DAYS: Final = timedelta(days=30)
_KEY_REUSED: Final = "R24"
_RECORDED: Final = 202
# What an outcome's timer has under the same name; dialect C spells moments out to the microsecond.
_SAME: Final = ("owner", "account_id", "job_id", "project_id", "billable", "work_date", "reference", "state", "flags")
_MOMENTS: Final = ("started_at", "stopped_at")


def c1_nothing_acknowledged_is_lost(evidence: Evidence) -> list[str]:
    """C1: what was answered 200, 201 or 202 is on the log."""
    logged = evidence.event_ids()
    return [
        f"C1: {op.event_id} was answered {op.status} and is not on the log"
        for op in evidence.history
        if (op.type == "ok" or op.status == _RECORDED) and op.event_id is not None and op.event_id not in logged
    ]


def c2_exactly_once_in_effect(evidence: Evidence) -> list[str]:
    """C2: per event id and 30 days of log time one kept record; and a repeat on the stream is the same bytes."""
    wrong = []
    kept: dict[tuple[int, str], datetime] = {}
    for kpart, outcome, _ in evidence.judged:
        key, log_time = (kpart, outcome["event_id"]), _moment(outcome["log_time"])
        if key[1] is not None and key in kept and log_time - kept[key] < _THIRTY_DAYS:
            wrong.append(
                f"C2: {key[1]} was kept at {kept[key]} and again at {log_time}, offset {outcome['source_offset']}"
            )
        kept[key] = log_time
    bodies: dict[tuple[int, int], bytes | None] = {}
    for record in evidence.published:
        place = (record.partition, json.loads(record.value or b"{}")["source_offset"])
        if bodies.setdefault(place, record.value) != record.value:
            wrong.append(f"C2: two outcomes of {place} say different things")
    return wrong


def physical_duplicates(evidence: Evidence) -> int:
    """Return how many records repeat an event id that is on the log already. They are allowed, and worth knowing."""
    return sum(len(places) - 1 for places in evidence.event_ids().values())


def c3_nothing_invented(evidence: Evidence) -> list[str]:
    """C3: every logged id was invoked; an accepted press was answered ok, or its caller heard no verdict."""
    invoked = {op.event_id for op in evidence.history if op.type == "invoke"}
    logged = evidence.event_ids()
    wrong = [f"C3: {event_id} is on the log and no client pressed it" for event_id in logged if event_id not in invoked]
    refused = {(op.event_id, op.position) for op in evidence.history if op.type == "fail" and not _is_key_reused(op)}
    for kpart, outcome, _ in evidence.judged:
        position = f"{kpart}:{outcome['source_offset']}"
        if outcome["verdict"] == "accepted" and (outcome["event_id"], position) in refused:
            wrong.append(f"C3: {outcome['event_id']} was refused to its caller and is accepted at {position}")
    return wrong


def c4_an_unknown_resolves_once(evidence: Evidence) -> list[str]:
    """C4: all that is heard under one key within 30 days of log time is one verdict, R24 and void ones aside."""
    kept: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for kpart, outcome, _ in evidence.judged:
        if outcome["event_id"] is not None:
            kept.setdefault(outcome["event_id"], []).append((f"{kpart}:{outcome['source_offset']}", outcome))
    wrong = []
    for op in evidence.history:
        if op.type not in {"ok", "fail"} or op.event_id is None or op.position is None or _is_key_reused(op):
            continue
        verdicts = dict(kept.get(op.event_id, []))
        if op.position not in verdicts:
            wrong.append(f"C4: {op.event_id} heard a verdict of {op.position}, and those are at {sorted(verdicts)}")
            continue
        outcome = verdicts[op.position]
        if op.op != "ask" and (outcome["verdict"] == "accepted") != (op.type == "ok"):
            wrong.append(f"C4: {op.event_id} heard {op.type} and {outcome['verdict']} is written at {op.position}")
    return wrong


def c5_order(evidence: Evidence) -> list[str]:
    """C5: a press that one client heard ok about a timer has a lower offset than its next press of that timer."""
    wrong = []
    # By client and press: what the client had last heard of the timer when it first asked for this.
    known: dict[tuple[str, str | None], Op | None] = {}
    last: dict[tuple[str, str | None], Op] = {}
    for op in evidence.history:
        if op.op == "ask":
            continue
        if op.type == "invoke":
            known.setdefault((op.client, op.event_id), last.get((op.client, op.timer_id)))
        elif op.type == "ok":
            before = known.get((op.client, op.event_id))
            if before is not None and before.event_id != op.event_id and _offset(before) >= _offset(op):
                wrong.append(f"C5: {op.client} heard {before.position} before it asked for what lies at {op.position}")
            last[op.client, op.timer_id] = op
    return wrong


def c10_answers_are_final(evidence: Evidence) -> list[str]:
    """C10: each ok body is the verdict at its position, and is heard again later."""
    judged = {f"{kpart}:{o['source_offset']}": (o, raw) for kpart, o, raw in evidence.judged}
    wrong = []
    for op in evidence.history:
        if op.type != "ok" or op.position is None or op.body is None or op.position not in judged:
            continue
        outcome, raw = judged[op.position]
        if op.op == "ask":
            same = dict(op.body) == json.loads(raw)
        else:
            same = dict(op.body) == body_of(outcome["timer"], op.position)
        if not same:
            wrong.append(f"C10: {op.event_id} heard {dict(op.body)}, and {raw!r} was judged at {op.position}")
    return wrong


def body_of(timer: Mapping[str, Any], position: str) -> dict[str, Any]:
    """Return a timer as `docs/contract.md` §4 spells it, from an outcome's timer."""
    short, us = int(timer["id"]), timer["total_us"]
    tenths = (us + 3_000_000) // 6_000_000
    said = {name: timer.get(name) for name in _SAME} | {name: _spelt_out(timer[name]) for name in _MOMENTS}
    said |= {"id": _long(short), "timelog_id": str(short), "position": position}
    return said | {"total_seconds": us / 1_000_000, "total_minutes": f"{tenths // 10}.{tenths % 10}"}


def _spelt_out(moment: str | None) -> str | None:
    if moment is None:
        return None
    seconds, _, decimals = moment.removesuffix("Z").partition(".")
    return f"{seconds}.{decimals:0<6}Z"


def _long(short: int) -> str:
    check = int.from_bytes(hashlib.sha256(short.to_bytes(8, "big")).digest()[:8], "big") >> 3
    return str((0xC << 124) | (short << 61) | check)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _offset(op: Op) -> int:
    return int((op.position or "").partition(":")[2])


def _is_key_reused(op: Op) -> bool:
    return op.type == "fail" and (op.body or {}).get("rule") == _KEY_REUSED
