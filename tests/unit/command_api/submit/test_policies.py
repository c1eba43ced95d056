"""Policies on their way to their topic: one of two writers wins, a repeat records nothing, and no fate is guessed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.command_api.desk.commands import Caller
from services.command_api.desk.policies import MovedOn, NotSet, Revision, SetTooOften
from services.command_api.submit.policies import SentPolicies
from services.command_api.submit.sender import Acked, Unacked
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policies.revisions import Setting
from shared.events.policy import Policy, Preset
from shared.kafka.policy_writer import REVISIONS_A_DAY_MAX, outgoing_policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OFFICE = Caller("acme", "office", "admin")
BRANCH = Caller("acme", "branch", "admin")
CAIRO, TOKYO = (Policy(preset=Preset.NATIVE, zone=zone) for zone in ("Africa/Cairo", "Asia/Tokyo"))


@dataclass
class Topic:
    """The topic, its reader and the sender to it. `fate`: what each send hears, None: its ack. `rival` writes first."""

    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    book: PolicyBook = field(default_factory=PolicyBook)
    fate: Acked | Unacked | None = None
    rival: Policy | None = None
    away: bool = False
    reads_on: bool = True
    sent: int = 0
    has_begun: bool = True
    now: datetime = NOW

    async def end(self) -> int:
        if self.away:
            raise ConnectionError
        return len(self.records)

    async def reach(self, revision: int, seconds: float) -> bool:  # noqa: ARG002 - nothing here takes time
        for offset, record in enumerate(self.records[: revision + 1] if self.reads_on else ()):
            self.book.apply(offset, *record, NOW)
        await asyncio.sleep(0)
        return self.book.position >= revision

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: list[Any],
        on_fate: Callable[[Acked | Unacked], None],
    ) -> None:
        assert (topic, partition, headers) == ("timer.policies.v1", 0, [])
        self.sent += 1
        if self.rival is not None:
            self.writes(BRANCH, self.rival, self.book.latest_revision("acme"))
        self.records.append((key, value))
        on_fate(self.fate or Acked(len(self.records) - 1, 1))

    def writes(self, caller: Caller, document: Policy, replaces: int | None) -> None:
        """Record a policy that another process sent."""
        record = outgoing_policy(caller.tenant, document, replaces=replaces, set_by=caller.client, set_at=NOW)
        self.records.append((record.key, record.value))

    def log(self) -> SentPolicies:
        return SentPolicies(
            reader=cast("Any", self), sender=cast("Any", self), now=lambda: self.now, within_seconds=0.05
        )


def revision(
    number: int, document: Policy, replaces: int | None, caller: Caller = OFFICE, set_at: datetime = NOW
) -> Revision:
    record = PolicyRecord(replaces=replaces, set_by=caller.client, set_at=set_at, document=document)
    return Revision(number, record)


async def test_a_policy_comes_into_force_as_its_record_s_offset() -> None:
    log = Topic().log()
    assert await log.put(OFFICE, CAIRO, None) == revision(0, CAIRO, None)
    assert await log.put(BRANCH, TOKYO, 0) == revision(1, TOKYO, 0, BRANCH)
    assert log.revision("acme", None) == log.revision("acme", 1) == revision(1, TOKYO, 0, BRANCH)
    assert log.revision("acme", 0) == revision(0, CAIRO, None)
    assert log.revision("other", None) is log.revision("other", 0) is None
    assert log.history("acme", None, 1) == [Setting(1, 0, "branch", NOW, NOW)]


async def test_of_two_puts_at_once_one_comes_into_force() -> None:
    """Both looked, and both found nothing in force; the other one's record is first on the log."""
    topic = Topic(rival=CAIRO)
    assert await topic.log().put(OFFICE, TOKYO, None) == MovedOn(0)
    assert topic.book.latest("acme") == CAIRO


@pytest.mark.parametrize("replaces", [None, 1, 99])
async def test_a_policy_that_replaces_what_is_not_in_force_is_not_even_recorded(replaces: int | None) -> None:
    topic = Topic()
    await topic.log().put(OFFICE, CAIRO, None)
    assert await topic.log().put(OFFICE, TOKYO, replaces) == MovedOn(0)
    assert await Topic().log().put(OFFICE, TOKYO, 99) == MovedOn(None)
    assert topic.sent == 1


async def test_a_revision_that_another_process_set_can_be_replaced_at_once() -> None:
    """Our reader may be behind the log, and the caller may know of it from another replica."""
    topic = Topic()
    topic.writes(BRANCH, CAIRO, None)
    assert await topic.log().put(OFFICE, TOKYO, 0) == revision(1, TOKYO, 0)


async def test_a_repeat_of_what_is_in_force_records_nothing() -> None:
    """Its caller heard 503, or nothing at all, and sends the same again."""
    topic = Topic()
    first = await topic.log().put(OFFICE, CAIRO, None)
    assert await topic.log().put(OFFICE, CAIRO, None) == first
    assert topic.sent == 1


async def test_what_differs_in_anything_is_no_repeat() -> None:
    topic = Topic()
    await topic.log().put(OFFICE, CAIRO, None)
    spelt_out = Policy(preset=Preset.NATIVE, zone="Africa/Cairo", timers_disabled=False)
    assert await topic.log().put(BRANCH, CAIRO, None) == MovedOn(0)
    assert await topic.log().put(OFFICE, spelt_out, None) == MovedOn(0)
    assert await topic.log().put(OFFICE, spelt_out, 0) == revision(1, spelt_out, 0)
    assert await topic.log().put(OFFICE, CAIRO, None) == MovedOn(1)


@pytest.mark.parametrize("caller", [OFFICE, BRANCH])
async def test_what_is_in_force_already_is_not_set_again(caller: Caller) -> None:
    """A program that sets the policy every minute, each time in the place of the revision that it has just read."""
    topic = Topic()
    first = await topic.log().put(OFFICE, CAIRO, None)
    assert await topic.log().put(caller, CAIRO, 0) == first
    assert topic.sent == 1


async def test_a_tenant_that_sets_revision_after_revision_has_to_wait() -> None:
    topic = Topic()
    for number in range(REVISIONS_A_DAY_MAX):
        assert isinstance(
            await topic.log().put(OFFICE, (CAIRO, TOKYO)[number % 2], number - 1 if number else None), Revision
        )
    newest = REVISIONS_A_DAY_MAX - 1
    topic.now = NOW + timedelta(hours=23, seconds=-0.5)
    assert await topic.log().put(BRANCH, CAIRO, newest) == SetTooOften(3601)
    assert topic.sent == REVISIONS_A_DAY_MAX
    # What is in force is still answered, and so is another tenant, and a day later all is as before.
    assert isinstance(await topic.log().put(BRANCH, TOKYO, newest), Revision)
    assert isinstance(await topic.log().put(Caller("other", "office", "admin"), TOKYO, None), Revision)
    topic.now = NOW + timedelta(hours=24)
    assert await topic.log().put(BRANCH, CAIRO, newest) == revision(newest + 2, CAIRO, newest, BRANCH, topic.now)


async def test_without_a_broker_nothing_is_recorded() -> None:
    topic = Topic(away=True)
    assert await topic.log().put(OFFICE, CAIRO, None) == NotSet(may_be_set=False)
    assert topic.sent == 0


async def test_a_reader_that_stands_still_records_nothing() -> None:
    """It would compare with what was in force some time ago."""
    topic = Topic(reads_on=False)
    topic.writes(BRANCH, CAIRO, None)
    assert await topic.log().put(OFFICE, TOKYO, None) == NotSet(may_be_set=False)
    assert topic.sent == 0


@pytest.mark.parametrize("why", ["overloaded", "not_sent", "closing"])
async def test_a_record_that_was_not_sent_is_not_set(why: str) -> None:
    assert await Topic(fate=Unacked(why)).log().put(OFFICE, CAIRO, None) == NotSet(may_be_set=False)


@pytest.mark.parametrize("fate", [Unacked("fate_unknown"), Acked(-1, None)])
async def test_a_record_of_unknown_fate_may_be_set(fate: Acked | Unacked) -> None:
    topic = Topic(fate=fate)
    assert await topic.log().put(OFFICE, CAIRO, None) == NotSet(may_be_set=True)
    topic.fate = None
    assert await topic.log().put(OFFICE, CAIRO, None) == revision(0, CAIRO, None)


async def test_on_a_topic_that_was_made_anew_nothing_is_recorded() -> None:
    """Another document was answered as if it were the caller's, and readers disagreed."""
    topic = Topic()
    await topic.log().put(OFFICE, CAIRO, None)
    topic.records.clear()
    assert await topic.log().put(OFFICE, TOKYO, 0) == NotSet(may_be_set=False)
    assert topic.sent == 1


async def test_an_ack_at_or_below_what_was_read_is_of_unknown_fate() -> None:
    """The topic was made anew after we had looked at its end."""
    topic = Topic()
    await topic.log().put(OFFICE, CAIRO, None)
    topic.fate = Acked(0, 1)
    assert await topic.log().put(OFFICE, TOKYO, 0) == NotSet(may_be_set=True)


async def test_a_record_that_is_acked_and_not_read_may_be_set() -> None:
    topic = Topic(reads_on=False)
    assert await topic.log().put(OFFICE, CAIRO, None) == NotSet(may_be_set=True)
