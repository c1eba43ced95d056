"""The auditor: an audit of all partitions of a deployment, while presses and policies come."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from services.projector.auditor import Auditor
from services.projector.ports import Span
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, POLICIES_PARTITION
from shared.kafka.clients import KafkaAddress
from tests.support.story.partition import KPART, LOG, NOON_MS, POLICY, book, fold, pressed, record
from tests.support.story.presses import NOON, Record


@dataclass(frozen=True)
class Written:
    """A record of the judged stream, or of the policies' topic."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = NOON_MS


class Reader:
    """One topic: what its only partition of interest holds, and `beside` what the partition after it holds."""

    def __init__(self, records: Sequence[Record | Written], beside: Sequence[Record | Written] = ()) -> None:
        self._records = records
        self._beside = beside

    async def read(self, kpart: int, start: int, _at_most: int) -> Sequence[Record | Written]:
        """Return two records at a time, so that a partition is several pieces."""
        return [one for one in self._of(kpart) if one.offset >= start][:2]

    async def span(self, kpart: int) -> Span:
        """Return what there is now, and a control record that no reader is given."""
        there = [one.offset for one in self._of(kpart)]
        return Span(0, there[-1] + 2 if there else 0)

    def _of(self, kpart: int) -> Sequence[Record | Written]:
        return self._records if kpart in {KPART, POLICIES_PARTITION} else self._beside

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


async def test_a_partition_with_an_outcome_of_a_newer_release_keeps_no_other_from_its_audit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcomes, unread = fold(LOG), [record(0, value=b"{")]
    newer = [*outcomes[:2], outcomes[2].replace(b'{"v":1', b'{"v":2')]
    of_no_policy = fold(unread)[0].replace(b'"policy_rev":-1', b'"policy_rev":0')
    auditor = Auditor(KafkaAddress(bootstrap_servers="nowhere:1"), KPART + 2, None)
    readers: Any = auditor._readers
    stream = [Written(offset, b"k", body) for offset, body in enumerate(newer)]
    readers |= {EVENTS: Reader(LOG, unread), OUTCOMES: Reader(stream, [Written(0, b"k", of_no_policy)])}
    readers[POLICIES] = Reader([Written(0, b"acme", POLICY)])
    assert await auditor.run() == 1
    found, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["partition"], found["offset"], found["fields"]) == (KPART + 1, 0, ["policy_rev"])
    unjudged = {"partition": KPART, "from": 2, "why": "newer_outcome"}
    assert last == {"events": 3, "differences": 1, "unjudged": [unjudged]}


async def test_a_policy_of_a_newer_release_ends_the_audit_of_partitions_that_met_it_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Others are judged by the policies before it. Those after it are not read, whoever set them."""
    newer = POLICY.replace(b'"replaces": null', b'"replaces": 0').replace(b"native", b"of_tomorrow")
    policies = [Written(0, b"acme", POLICY), Written(2, b"acme", newer), Written(3, b"globex", POLICY)]
    said = await said_by_the_auditor(fold(LOG), None, capsys, policies=policies)
    assert said == (0, [{"events": len(LOG), "differences": 0, "unjudged": []}])
    # Offset 1 holds no record for readers, and stands before the policy.
    for revision, unjudged in ((1, []), (2, [1]), (3, [1])):
        log = [record(0), record(1, "timer.paused.v1", pressed(1, "paused").value, ce_policyrev=str(revision))]
        read = book()
        read.pass_gap(4)
        told = [{"partition": KPART, "from": offset, "why": "newer_policy"} for offset in unjudged]
        said = await said_by_the_auditor(fold(log, read), None, capsys, Reader(log), policies)
        assert said == (len(told), [{"events": 2, "differences": 0, "unjudged": told}])


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
