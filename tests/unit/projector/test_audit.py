"""Audit: today's code against yesterday's verdicts."""

import json
from datetime import timedelta

import pytest

from services.projector.audit import Difference, UnjudgedError, audit
from services.projector.domain.sheet.ledger import Ledger
from tests.support.story.partition import KPART, LOG, NOON_MS, PARTITIONS, book, fold, pressed, record
from tests.support.story.presses import NOON, Record


def differences(records: list[Record], outcomes: list[bytes]) -> list[Difference]:
    return list(audit(KPART, records, outcomes, book(), PARTITIONS))


def test_on_one_release_there_is_no_difference() -> None:
    assert len(fold(LOG)) == len(LOG)
    assert differences(LOG, fold(LOG)) == []


def test_another_verdict_is_one_difference_and_drags_no_other_along() -> None:
    outcomes = fold(LOG)
    older = outcomes[1].replace(b'"policy_revision":0', b'"policy_revision":null')
    (found,) = differences(LOG, [outcomes[0], older, *outcomes[2:]])
    assert (found.source_offset, found.fields, found.today) == (1, ("policy_revision",), outcomes[1])


def test_later_presses_are_judged_after_what_is_recorded() -> None:
    """A start that was refused then is no timer now, even if today's code would accept it."""
    refused = json.loads(fold(LOG)[0]) | {"verdict": "refused", "rule": "R08", "timer": None, "changed": []}
    recorded = json.dumps(refused, separators=(",", ":")).encode()
    found = differences(LOG[:2], [recorded, fold(LOG)[1]])
    assert [(one.source_offset, "rule" in one.fields) for one in found] == [(0, True), (1, True)]
    assert json.loads(found[1].today or b"")["rule"] == "R05"


def test_a_press_without_a_recorded_outcome_is_a_difference() -> None:
    outcomes = fold(LOG)
    (found,) = differences(LOG, [*outcomes[:2], *outcomes[3:]])
    assert (found.source_offset, found.recorded, found.today) == (2, None, outcomes[2])


def test_presses_after_the_last_outcome_are_not_judged_yet() -> None:
    assert differences(LOG, fold(LOG)[:3]) == []


def test_an_outcome_of_no_record_is_a_difference() -> None:
    outcomes = fold(LOG)
    (found,) = differences(LOG[:4], outcomes)
    assert (found.source_offset, found.recorded, found.today) == (4, outcomes[4], None)


def test_an_outcome_that_is_repeated_on_the_stream_counts_once() -> None:
    outcomes = fold(LOG)
    assert differences(LOG, [*outcomes[:3], *outcomes[1:], *outcomes[2:4]]) == []


def test_a_repeated_press_has_no_outcome_and_is_no_difference() -> None:
    again = Record(1, NOON_MS + 1000, LOG[0].headers, LOG[0].value)
    log = [LOG[0], again, pressed(2, "stopped")]
    assert [json.loads(body)["source_offset"] for body in fold(log)] == [0, 2]
    assert differences(log, fold(log)) == []


def test_the_audit_ends_before_an_event_of_a_newer_release() -> None:
    newer = record(2, "timer.moved.v1")
    found = audit(KPART, [*LOG[:2], newer, *LOG[3:]], fold(LOG), book(), PARTITIONS)
    with pytest.raises(UnjudgedError) as end:
        next(found)
    assert (end.value.kpart, end.value.source_offset, end.value.why) == (KPART, 2, "newer_event")


def test_the_audit_ends_before_an_outcome_of_a_newer_release_and_keeps_what_it_found() -> None:
    """After a rollback, the stream holds what the newer release judged meanwhile."""
    outcomes = fold(LOG)
    older = outcomes[1].replace(b'"policy_revision":0', b'"policy_revision":null')
    newer = outcomes[3].replace(b'{"v":1', b'{"v":2')
    found = audit(KPART, LOG, [outcomes[0], older, outcomes[2], newer, outcomes[4]], book(), PARTITIONS)
    assert next(found).source_offset == 1
    with pytest.raises(UnjudgedError) as end:
        next(found)
    assert (end.value.kpart, end.value.source_offset, end.value.why) == (KPART, 3, "newer_outcome")
    with pytest.raises(UnjudgedError) as end:
        differences(LOG, [newer, *outcomes])
    assert (end.value.source_offset, end.value.why) == (0, "newer_outcome")


def under(revision: int, offset: int) -> Record:
    """Return a press on the timer of the first record, of a caller that had read the policies up to a revision."""
    return record(offset, "timer.paused.v1", pressed(offset, "paused").value, ce_policyrev=str(revision))


@pytest.mark.parametrize("revision", [1, 2])
def test_the_audit_ends_before_a_press_under_a_policy_of_a_newer_release(revision: int) -> None:
    """The presses before it are under policies that were read, and are judged."""
    log = [record(0), under(revision, 1), pressed(2, "stopped")]
    policies = book()
    policies.pass_gap(3)
    older = fold(log, policies)[0].replace(b'"policy_revision":0', b'"policy_revision":null')
    found = audit(KPART, log, [older, *fold(log, policies)[1:]], book(), PARTITIONS, range(1, 3))
    assert next(found).source_offset == 0
    with pytest.raises(UnjudgedError) as end:
        next(found)
    assert (end.value.kpart, end.value.source_offset, end.value.why) == (KPART, 1, "newer_policy")


def test_a_press_after_one_under_a_newer_policy_is_under_it_too() -> None:
    """Its partition had met the revision. Here the press that met it is one that no release can read any more."""
    unread = record(1, value=b"{")
    later = fold([record(0), unread])[1].replace(b'"policy_rev":0', b'"policy_rev":1')
    log = [record(0), unread, pressed(2, "stopped")]
    with pytest.raises(UnjudgedError) as end:
        list(audit(KPART, log, [fold(log)[0], later, fold(log)[2]], book(), PARTITIONS, range(1, 3)))
    assert (end.value.source_offset, end.value.why) == (2, "newer_policy")


def test_a_press_under_a_revision_that_was_never_written_is_judged_beside_a_newer_policy() -> None:
    log = [record(0), under(3, 1), pressed(2, "stopped")]
    assert json.loads(fold(log)[1])["reason"] == "no_such_policy"
    assert list(audit(KPART, log, fold(log), book(), PARTITIONS, range(1, 3))) == []


def test_events_without_any_outcome_are_told_apart_from_those_that_wait() -> None:
    """A judged stream that was emptied would otherwise be an audit that finds nothing wrong."""
    with pytest.raises(UnjudgedError) as end:
        differences(LOG, [])
    assert (end.value.source_offset, end.value.why) == (0, "no_outcomes")
    assert differences([], []) == []


def test_presses_that_keep_no_outcome_today_miss_none() -> None:
    """Each came to the log after its expiry, so it is void. The first that is kept has no outcome."""
    expired = [record(offset, ce_expirytime=(NOON - timedelta(seconds=1)).isoformat()) for offset in (0, 1)]
    assert (fold(expired), differences(expired, [])) == ([], [])
    with pytest.raises(UnjudgedError) as end:
        differences([*expired, record(2)], [])
    assert (end.value.source_offset, end.value.why) == (2, "no_outcomes")


def test_an_audit_remembers_no_body_and_knows_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bodies of a month of presses are most of what was said in it."""
    ledgers: list[Ledger] = []

    class Seen(Ledger):
        def __post_init__(self) -> None:
            super().__post_init__()
            ledgers.append(self)

    log = [LOG[0], Record(1, NOON_MS + 1000, LOG[0].headers, LOG[0].value), pressed(2, "stopped")]
    outcomes = fold(log)
    monkeypatch.setattr("services.projector.audit.Ledger", Seen)
    assert differences(log, outcomes) == []
    kept = ledgers[0].verdicts.values()
    assert [len(verdict.body) for verdict in kept] == [1, 1]
    assert [verdict.digest for verdict in kept] == [json.loads(outcome)["digest"] for outcome in outcomes]
