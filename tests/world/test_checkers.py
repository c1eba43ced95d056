"""Checkers: each notices, by its own name, the smallest tampering that it is there for."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.support.proof.checkers.every import CHECKERS, problems
from tests.support.proof.checkers.history import (
    CheckpointMove,
    Evidence,
    EvidenceRecord,
    Op,
)
from tests.support.proof.checkers.replay import c7_audit, c7_same_bytes
from tests.support.proof.tables import FOLDED
from tests.world.plan import plan_of
from tests.world.story import tell

Tampering = Callable[[Evidence], Evidence]
SOME_ID: Final = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def good() -> Evidence:
    """Give the evidence of a day with some of each: refusals, repeats, poison, late presses."""
    rates = {"send_doubled": 0.2, "reply_lost": 0.2, "key_again": 0.1, "poison": 0.3}
    story = tell(replace(plan_of(10), presses=40, partitions=2, rates=rates))
    assert problems(story.evidence) == []
    assert {op.type for op in story.evidence.history} == {"invoke", "ok", "fail", "info"}
    return story.evidence


def _ok(evidence: Evidence, op: str) -> Op:
    return next(one for one in evidence.history if one.type == "ok" and one.op == op)


def _with_row(evidence: Evidence, table: str, **changed: Any) -> Evidence:  # noqa: ANN401 - any column
    """Change one row of a table: the first that has other values."""
    rows = evidence.rows(table)
    row = next(row for row in rows if all(row[name] not in {value, None} for name, value in changed.items()))
    row.update(changed)
    lines = (json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows)
    return replace(evidence, tables={**evidence.tables, table: "".join(line + "\n" for line in lines)})


def _without_row(evidence: Evidence, table: str) -> Evidence:
    return replace(evidence, tables={**evidence.tables, table: evidence.tables[table].partition("\n")[2]})


def _lost_press(evidence: Evidence) -> Evidence:
    event_id = (_ok(evidence, "start").event_id or "").encode()
    return replace(evidence, events=[r for r in evidence.events if ("ce_id", event_id) not in r.headers])


def _kept_twice(evidence: Evidence) -> Evidence:
    kpart, kept, _ = next(judged for judged in reversed(evidence.judged) if judged[1]["event_id"] is not None)
    last = max(outcome["source_offset"] for of, outcome, _ in evidence.judged if of == kpart)
    again = json.dumps(kept | {"source_offset": last + 1}).encode()
    return replace(evidence, outcomes=[*evidence.outcomes, EvidenceRecord(kpart, 10_000, b"k", again)])


def _repeated_otherwise(evidence: Evidence) -> Evidence:
    first = evidence.outcomes[0]
    other = (first.value or b"").replace(b'"v":1', b'"v":1 ')
    return replace(evidence, outcomes=[*evidence.outcomes, EvidenceRecord(first.partition, 10_000, first.key, other)])


def _invented(evidence: Evidence) -> Evidence:
    headers = (("ce_id", SOME_ID.encode()),)
    return replace(evidence, events=[*evidence.events, EvidenceRecord(0, 10_000, None, b"", headers)])


def _refused_to_its_caller(evidence: Evidence) -> Evidence:
    told = _ok(evidence, "start")
    no = replace(told, type="fail", status=409, body={"rule": "R07"})
    return replace(evidence, history=[no if op is told else op for op in evidence.history])


def _another_verdict_for_the_same_key(evidence: Evidence) -> Evidence:
    told = _ok(evidence, "start")
    return replace(evidence, history=[*evidence.history, replace(told, position="0:9999")])


def _out_of_order(evidence: Evidence) -> Evidence:
    """Make a client hear of a start with a higher offset before it asks for the stop."""
    told = _ok(evidence, "stop")
    at = evidence.history.index(told)
    heard = replace(told, op="start", event_id=SOME_ID, position=(told.position or "").partition(":")[0] + ":9999")
    asked = max(n for n, op in enumerate(evidence.history[:at]) if op.type == "invoke" and op.event_id == told.event_id)
    return replace(evidence, history=[*evidence.history[:asked], heard, *evidence.history[asked:]])


def _other_answer(evidence: Evidence) -> Evidence:
    told = _ok(evidence, "start")
    other = replace(told, body={**(told.body or {}), "total_seconds": 1})
    return replace(evidence, history=[other if op is told else op for op in evidence.history])


def _other_answer_later(evidence: Evidence) -> Evidence:
    told = _ok(evidence, "ask")
    other = replace(told, body={**(told.body or {}), "flags": ["R17"]})
    return replace(evidence, history=[other if op is told else op for op in evidence.history])


def _overlapping(evidence: Evidence) -> Evidence:
    first = next(row for row in evidence.rows("interval") if row["end_at"] is not None)
    return _with_row(evidence, "interval", end_at=first["start_at"].replace("2026", "2025"))


def _two_starts(evidence: Evidence) -> Evidence:
    kpart, outcome, _ = next(j for j in evidence.judged if j[1]["verdict"] == "accepted" and j[1]["timer"] is not None)
    last = max(o["source_offset"] for k, o, _ in evidence.judged if k == kpart)
    again = outcome | {"event_id": SOME_ID, "event_type": "timer.started.v1", "source_offset": last + 1}
    record = EvidenceRecord(kpart, 10_000, b"k", json.dumps(again).encode())
    return replace(evidence, outcomes=[*evidence.outcomes, record])


def _skipped(evidence: Evidence) -> Evidence:
    first = evidence.moves[0]
    return replace(evidence, moves=[replace(first, read_at=first.read_at + 1), *evidence.moves[1:]])


def _applied_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, moves=[evidence.moves[0], *evidence.moves])


def _moved_by_nobody(evidence: Evidence) -> Evidence:
    last = evidence.moves[-1]
    return replace(evidence, moves=[*evidence.moves, CheckpointMove(last.kpart, last.to, last.to + 1)])


TAMPERINGS: Final[tuple[tuple[str, Tampering], ...]] = (
    ("C1", _lost_press),
    ("C2", _kept_twice),
    ("C2", _repeated_otherwise),
    ("C3", _invented),
    ("C3", _refused_to_its_caller),
    ("C4", _another_verdict_for_the_same_key),
    ("C4", _refused_to_its_caller),
    ("C5", _out_of_order),
    ("C6", lambda evidence: _with_row(evidence, "timer", owner="nobody")),
    ("C6", lambda evidence: _with_row(evidence, "checkpoint", policy_rev=77)),
    ("C6", lambda evidence: _with_row(evidence, "day_total", billable_us=1)),
    ("C6", lambda evidence: _without_row(evidence, "job_total")),
    ("C6", lambda evidence: _without_row(evidence, "violation")),
    ("C6", lambda evidence: _without_row(evidence, "outcome")),
    ("C8", lambda evidence: _with_row(evidence, "timer", total_us=1)),
    ("C8", lambda evidence: _with_row(evidence, "day_total", total_us=1)),
    ("C8", lambda evidence: _with_row(evidence, "job_total", total_us=1)),
    ("C8", lambda evidence: _with_row(evidence, "timer", state="RUNNING")),
    ("C8", _overlapping),
    ("C9", lambda evidence: _with_row(evidence, "timer", state="PAUSED")),
    ("C9", lambda evidence: _without_row(evidence, "timer")),
    ("C9", _two_starts),
    ("C10", _other_answer),
    ("C10", _other_answer_later),
    ("C15", _skipped),
    ("C15", _applied_twice),
    ("C15", _moved_by_nobody),
    ("C16", lambda evidence: _without_row(evidence, "dead_letter")),
    ("C16", lambda evidence: _with_row(evidence, "dead_letter", source_offset=9999)),
)


@pytest.mark.parametrize(("name", "tamper"), TAMPERINGS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(TAMPERINGS)])
def test_a_checker_notices_tampered_evidence(good: Evidence, name: str, tamper: Tampering) -> None:
    found = CHECKERS[name](tamper(good))
    assert found
    assert all(problem.startswith(f"{name}:") for problem in found)


@pytest.mark.parametrize("table", FOLDED)
def test_a_table_that_lacks_one_row_is_noticed_by_fold_and_replay(good: Evidence, table: str) -> None:
    lacking = _without_row(good, table)
    assert CHECKERS["C6"](lacking)
    assert c7_same_bytes(good, good.tables) == []
    assert c7_same_bytes(good, lacking.tables)


def test_a_replay_with_other_words_for_a_reason_is_noticed(good: Evidence) -> None:
    """The naive fold may use other words for a reason; the same product may not."""
    assert c7_same_bytes(good, _with_row(good, "dead_letter", reason="other").tables)


def test_an_audit_that_differs_is_noticed(good: Evidence) -> None:
    assert c7_audit(good) == []
    first = good.outcomes[0]
    other = (first.value or b"").replace(b'"flags":[', b'"flags":["R17",').replace(b'"R17",]', b'"R17"]')
    tampered = replace(good, outcomes=[EvidenceRecord(first.partition, 0, first.key, other), *good.outcomes[1:]])
    assert c7_audit(tampered)
