"""Audit: today's code against yesterday's verdicts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from services.projector.audit import Difference, UnjudgedError, audit
from services.projector.auditor import Auditor
from services.projector.domain.entry import LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.ports import Span
from shared.events.codec import Press, Unreadable, read
from shared.events.envelope import Headers
from shared.events.ids import partition_of, slot_of
from shared.events.policies.book import PolicyBook
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, POLICIES_PARTITION
from shared.kafka.clients import KafkaAddress
from tests.support.story.presses import NOON, SHORT, body, headers

PARTITIONS: Final = 12
KPART: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NOON_MS: Final = int(NOON.timestamp() * 1000)
TIMER: Final = str(SHORT)


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int
    headers: Headers
    value: bytes | None


POLICY: Final = json.dumps(
    {
        "replaces": None,
        "set_by": "boss",
        "set_at": "2026-01-01T00:00:00Z",
        "document": {"preset": "native", "zone": "Asia/Jerusalem"},
    }
).encode()


def book() -> PolicyBook:
    found = PolicyBook()
    found.apply(0, b"acme", POLICY, NOON)
    return found


def record(offset: int, type_: str = "timer.started.v1", value: bytes | None = None, **changed: str) -> Record:
    """Return one record, a second after the one before it, with an event id of its own."""
    moment = NOON + timedelta(seconds=offset)
    said = {"ce_type": type_, "ce_id": str(UUID(int=offset + 1)), "ce_time": moment.isoformat(), "ce_subject": TIMER}
    said |= {"ce_expirytime": (moment + timedelta(seconds=30)).isoformat(), "ce_policyrev": "0"}
    return Record(offset, NOON_MS + 1000 * offset, headers(**(said | changed)), value if value is not None else body())


def pressed(offset: int, verb: str) -> Record:
    said: dict[str, Any] = json.loads(body())
    said.pop("owner")
    return record(offset, f"timer.{verb}.v1", json.dumps(said).encode())


def fold(records: list[Record], policies: PolicyBook | None = None) -> list[bytes]:
    """Return the outcomes, as a projector of this release would record them."""
    policies = policies or book()
    ledger, kept = Ledger(KPART, PARTITIONS, Known({}, {}, {}, -1)), []
    for one in records:
        said, log_time = read(one.headers, one.value), moment_of(one.timestamp)
        if isinstance(said, Unreadable):
            kept.append(refuse_entry(ledger, UnreadableRecord(one.offset, log_time, said), policies).body)
        elif isinstance(said, Press):
            folded = fold_entry(ledger, LoggedPress(one.offset, log_time, said), policies)
            kept += [folded.body] if isinstance(folded, Kept) else []
    return kept


LOG: Final = [record(0), pressed(1, "paused"), record(2, value=b"{"), pressed(3, "resumed"), pressed(4, "stopped")]


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


@dataclass(frozen=True)
class Written:
    """A record of the judged stream, or of the policies' topic."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = NOON_MS


class Reader:
    """One topic, of which one partition holds something."""

    def __init__(self, records: Sequence[Record | Written]) -> None:
        self._records = records

    async def read(self, kpart: int, start: int, _at_most: int) -> Sequence[Record | Written]:
        """Return two records at a time, so that a partition is several pieces."""
        return [one for one in self._records if kpart in {KPART, POLICIES_PARTITION} and one.offset >= start][:2]

    async def span(self, kpart: int) -> Span:
        """Return what there is now, and a control record that no reader is given."""
        there = [one.offset for one in self._records] if kpart in {KPART, POLICIES_PARTITION} else []
        return Span(0, there[-1] + 2 if there else 0)

    async def stop(self) -> None:
        """Nothing is open."""


async def said_by_the_auditor(
    outcomes: list[bytes],
    tenant: str | None,
    capsys: pytest.CaptureFixture[str],
    events: Reader | None = None,
    policies: list[Written] | None = None,
) -> tuple[int, list[Any]]:
    """Return the status and the lines of an audit of the whole deployment, with the presses of `LOG` or of `events`."""
    auditor = Auditor(KafkaAddress(bootstrap_servers="nowhere:1"), KPART + 1, tenant)
    readers: Any = auditor._readers
    readers[EVENTS] = events or Reader(LOG)
    readers[OUTCOMES] = Reader([Written(offset, b"k", body) for offset, body in enumerate(outcomes)])
    readers[POLICIES] = Reader([Written(0, b"acme", POLICY)] if policies is None else policies)
    status = await auditor.run()
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_an_audit_of_a_deployment_prints_each_difference_and_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = fold(LOG)
    assert await said_by_the_auditor(outcomes, None, capsys) == (
        0,
        [{"events": len(LOG), "differences": 0, "unjudged": []}],
    )
    older = [outcomes[0], outcomes[1].replace(b'"policy_revision":0', b'"policy_revision":null'), *outcomes[2:]]
    status, (found, count) = await said_by_the_auditor(older, None, capsys)
    assert (status, count) == (1, {"events": len(LOG), "differences": 1, "unjudged": []})
    assert (found["partition"], found["offset"], found["fields"]) == (KPART, 1, ["policy_revision"])
    assert found["today"] == json.loads(outcomes[1])


async def test_an_audit_of_one_tenant_leaves_out_what_is_anothers(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = fold(LOG)
    older = [outcomes[0], outcomes[1].replace(b'"policy_revision":0', b'"policy_revision":null'), *outcomes[2:]]
    assert (await said_by_the_auditor(older, "acme", capsys))[0] == 1
    assert await said_by_the_auditor(older, "globex", capsys) == (
        0,
        [{"events": len(LOG), "differences": 0, "unjudged": []}],
    )


async def test_an_audit_that_could_not_judge_all_says_from_where_and_ends_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, outcomes = [*LOG[:2], record(2, "timer.moved.v1"), *LOG[3:]], fold(LOG)
    unjudged = {"partition": KPART, "from": 2, "why": "newer_event"}
    found = await said_by_the_auditor(outcomes, None, capsys, Reader(log))
    assert found == (1, [{"events": 3, "differences": 0, "unjudged": [unjudged]}])
    found = await said_by_the_auditor([], "acme", capsys)
    assert found == (1, [{"events": 1, "differences": 0, "unjudged": [{**unjudged, "from": 0, "why": "no_outcomes"}]}])


# A press that names revision 1.
AFTER_ONE: Final = [record(0), record(1, "timer.paused.v1", pressed(1, "paused").value, ce_policyrev="1")]


async def test_a_press_may_name_an_offset_of_the_policies_that_holds_no_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last offset is a control record: the API's book had passed it, and so had the projector's."""
    policies = book()
    policies.pass_gap(2)
    said = await said_by_the_auditor(fold(AFTER_ONE, policies), None, capsys, Reader(AFTER_ONE))
    assert said == (0, [{"events": 2, "differences": 0, "unjudged": []}])


async def test_what_comes_during_an_audit_is_not_audited(capsys: pytest.CaptureFixture[str]) -> None:
    """While an earlier partition is read, a policy is set, and a press is judged that names it."""
    policies, there = book(), [Written(0, b"acme", POLICY)]
    policies.apply(2, b"globex", POLICY, NOON)
    later = record(1, "timer.paused.v1", pressed(1, "paused").value, ce_policyrev="2")
    outcomes = [Written(0, b"k", fold(LOG[:1])[0])]

    class Meanwhile(Reader):
        async def read(self, kpart: int, start: int, at_most: int) -> Sequence[Record | Written]:
            if len(there) == 1:
                there.append(Written(2, b"globex", POLICY))
                outcomes.append(Written(2, b"k", fold([LOG[0], later], policies)[1]))
            return await super().read(kpart, start, at_most)

    auditor = Auditor(KafkaAddress(bootstrap_servers="nowhere:1"), KPART + 1, None)
    readers: Any = auditor._readers
    readers |= {EVENTS: Meanwhile([LOG[0], later]), OUTCOMES: Reader(outcomes), POLICIES: Reader(there)}
    assert await auditor.run() == 0
    # The second press was read, and not judged: the last outcome that was there stands before it.
    assert json.loads(capsys.readouterr().out) == {"events": 2, "differences": 0, "unjudged": []}
    assert len(outcomes) == len(there) == 2


async def test_an_outcome_that_comes_with_its_policy_between_two_steps_is_not_audited(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Were the policies read before the end of the stream, the outcome would be audited without its policy."""
    again = POLICY.replace(b'"replaces": null', b'"replaces": 0')
    policies, there, outcomes = book(), [Written(0, b"acme", POLICY)], [Written(0, b"k", fold(LOG[:1])[0])]
    policies.apply(2, b"acme", again, NOON)
    later = record(1, "timer.paused.v1", pressed(1, "paused").value, ce_policyrev="2")

    def come() -> None:
        if len(there) == 1:
            there.append(Written(2, b"acme", again))
            outcomes.append(Written(2, b"k", fold([LOG[0], later], policies)[1]))

    class Stream(Reader):
        async def span(self, kpart: int) -> Span:
            found = await super().span(kpart)
            come()
            return found

    class Policies(Reader):
        async def read(self, kpart: int, start: int, at_most: int) -> Sequence[Record | Written]:
            found = await super().read(kpart, start, at_most)
            come()
            return found

    auditor = Auditor(KafkaAddress(bootstrap_servers="nowhere:1"), KPART + 1, None)
    readers: Any = auditor._readers
    readers |= {EVENTS: Reader([LOG[0], later]), OUTCOMES: Stream(outcomes), POLICIES: Policies(there)}
    assert await auditor.run() == 0
    assert json.loads(capsys.readouterr().out) == {"events": 2, "differences": 0, "unjudged": []}
    assert len(outcomes) == len(there) == 2


async def test_a_partition_whose_first_press_comes_during_an_audit_has_nothing_to_audit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log: list[Record | Written] = []

    class Meanwhile(Reader):
        async def read(self, kpart: int, start: int, at_most: int) -> Sequence[Record | Written]:
            log.append(LOG[0])
            return await super().read(kpart, start, at_most)

    auditor = Auditor(KafkaAddress(bootstrap_servers="nowhere:1"), KPART + 1, None)
    readers: Any = auditor._readers
    readers |= {EVENTS: Reader(log), OUTCOMES: Reader([]), POLICIES: Meanwhile([Written(0, b"acme", POLICY)])}
    assert await auditor.run() == 0
    assert json.loads(capsys.readouterr().out) == {"events": 0, "differences": 0, "unjudged": []}
    assert log
