"""Guards, switched off: each control takes one guard out of the product or of the world, and a checker must notice.

A checker that does not notice it here would not notice it in a real run either.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from unittest.mock import patch

from services.command_api.submit.sender import Acked
from services.projector.clock.looks import PolicyLooks
from services.projector.clock.sent import SentTicks, _Repeat
from services.projector.domain import effect
from services.projector.domain.outcomes import Kept
from services.projector.domain.rules.case import Case, RuleFunction
from services.projector.domain.rules.judge import rules_of
from services.projector.domain.rules.permission import not_legal_now
from services.projector.domain.sheet import ledger as ledgers
from services.projector.domain.sheet.ledger import Ledger
from services.projector.domain.sheet.state import Timesheet
from services.projector.loop import keeper
from services.projector.loop.partition import recover
from services.projector.loop.partition.partition import Partition
from services.projector.ports import Checkpoint, DueOwner, ToPublish
from services.projector.store.rows import Rows
from shared.events.durations import microseconds
from tests.world import story
from tests.world.database import Database
from tests.world.guards_of_readers import (
    believe_any_reply,
    believe_any_text,
    believe_every_gap,
    demand_every_offset,
    stop_before_strange_policies,
    stumble_over_strange_outcomes,
    stumble_over_strange_replies,
    wait_for_every_policy,
)
from tests.world.office import Post
from tests.world.ports import Replies, Stream
from tests.world.story import Guard
from tests.world.topics import EventTopic
from tests.world.world import World


@dataclass(frozen=True)
class Control:
    """One guard: how to switch it off, which checkers may notice, and the rates of the faults it guards against."""

    name: str
    noticed_by: tuple[str, ...]
    off: Callable[[], AbstractContextManager[Any]]
    rates: Mapping[str, float] = field(default_factory=dict)
    world: Guard | None = None


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _no_fence(world: World) -> None:
    world.database.compare_and_set = False


def _believe_in_news(world: World) -> None:
    world.database.asks_whether_news = False


def _forget_keys() -> AbstractContextManager[Any]:
    return patch.object(ledgers, "recall", lambda _judged, _again: "forgotten")


def _catch_up_without_skipping() -> AbstractContextManager[Any]:
    return patch.object(recover, "_is_first", lambda _one, _next_offset: True)


def _no_dead_letters() -> AbstractContextManager[Any]:
    add = Rows.add

    def without(self: Rows, kpart: int, written: Kept) -> None:
        add(self, kpart, written)
        self.dead_letters.clear()

    return patch.object(Rows, "add", without)


def _publish_in_disorder() -> AbstractContextManager[Any]:
    publish = Stream.publish

    async def reversed_(self: Stream, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        return await publish(self, kpart, outcomes[::-1])

    return patch.object(Stream, "publish", reversed_)


def _publish_not_all() -> AbstractContextManager[Any]:
    publish = Stream.publish

    async def without_the_last(self: Stream, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        end = await publish(self, kpart, outcomes[:-1])
        self._world.outcomes.judged[kpart].update(outcome.source_offset for outcome in outcomes)
        return end

    return patch.object(Stream, "publish", without_the_last)


def _remember_across_take_overs() -> AbstractContextManager[Any]:
    stand_at = Partition.stand_at

    def with_the_old_cache(self: Partition, at: Checkpoint) -> None:
        cache = getattr(self, "cache", None)
        stand_at(self, at)
        self.cache = cache or self.cache

    return patch.object(Partition, "stand_at", with_the_old_cache)


def _forget_closed_intervals() -> AbstractContextManager[Any]:
    joined = Timesheet.joined

    def theirs(self: Timesheet, other: Timesheet) -> Timesheet:
        return replace(joined(self, other), closed=self.closed)

    return patch.object(Timesheet, "joined", theirs)


def _forget_policy_revision() -> AbstractContextManager[Any]:
    def begin_anew(self: Ledger) -> None:
        self.policy_rev = -1

    return patch.object(Ledger, "__post_init__", begin_anew)


def _count_wrongly() -> AbstractContextManager[Any]:
    return patch.object(effect, "microseconds", lambda start, end: microseconds(start, end) + 1)


def _allow_everything() -> AbstractContextManager[Any]:
    def but_one(case: Case) -> tuple[RuleFunction, ...]:
        return tuple(rule for rule in rules_of(case) if rule is not not_legal_now)

    return patch.object(story, "rules_of", but_one)


def _ack_at_once() -> AbstractContextManager[Any]:
    send = Post.send

    def acked_or_not(self: Post, topic: str, partition: int, key: bytes, value: bytes, headers: Any, told: Any) -> None:  # noqa: ANN401 - passed on
        log = self._world.events.records[partition]
        told(Acked(self._world.events.end(partition), log[-1].timestamp if log else 0))
        send(self, topic, partition, key, value, headers, lambda _: None)

    return patch.object(Post, "send", acked_or_not)


def _answer_another_minute() -> AbstractContextManager[Any]:
    send = Replies.send

    def rounded(self: Replies, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        send(self, topic, partition, [(id_, body.replace(b'"total_us":', b'"total_us":1')) for id_, body in answers])

    return patch.object(Replies, "send", rounded)


def _answer_no() -> AbstractContextManager[Any]:
    send = Replies.send

    def refused(self: Replies, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        no = b'"verdict":"refused","rule":"R07"'
        changed = [(id_, body.replace(b'"verdict":"accepted","rule":null', no)) for id_, body in answers]
        send(self, topic, partition, changed)

    return patch.object(Replies, "send", refused)


def _position_from_the_end() -> AbstractContextManager[Any]:
    send = Replies.send

    def turned(offset: re.Match[bytes]) -> bytes:
        return b'"source_offset":%d' % (1_000_000 - int(offset[1]))

    def backwards(self: Replies, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        changed = [(id_, re.sub(rb'"source_offset":([0-9]+)', turned, body)) for id_, body in answers]
        send(self, topic, partition, changed)

    return patch.object(Replies, "send", backwards)


def _invent() -> AbstractContextManager[Any]:
    append = EventTopic.append

    def and_another(self: EventTopic, kpart: int, key: Any, headers: Any, value: Any) -> Any:  # noqa: ANN401 - passed on
        added = append(self, kpart, key, headers, value)
        another = [(n, b"00000000-0000-4000-8000-000000000000" if n == "ce_id" else v) for n, v in headers]
        append(self, kpart, key, another, value)
        return added

    return patch.object(EventTopic, "append", and_another)


def _believe_the_logs_clock() -> AbstractContextManager[Any]:
    prune = Database.prune

    def by_log_time_alone(self: Database, kpart: int, now: datetime) -> int:
        return prune(self, kpart, max(now, self.tables.checkpoint[kpart].last_log_time or now))

    return patch.object(Database, "prune", by_log_time_alone)


def _recover_once() -> AbstractContextManager[Any]:
    async def once(*ports: Any) -> Checkpoint:  # noqa: ANN401 - passed on
        try:
            return await recover.recover(*ports)
        except TimeoutError:
            raise asyncio.CancelledError from None

    return patch.object(keeper, "recover", once)


@contextmanager
def _send_each_tick_once() -> Iterator[None]:
    def only_once(self: SentTicks, row: DueOwner, _: float) -> bool:
        first = row not in self._repeats
        self._repeats[row] = _Repeat(1, 0.0)
        return first

    async def nobody(*_: object) -> None:
        """Look at nobody: else a new policy would bring another tick."""

    with (
        patch.object(SentTicks, "_is_time", only_once),
        patch.object(SentTicks, "not_sent", lambda *_: None),
        patch.object(SentTicks, "forget", lambda *_: None),
        patch.object(PolicyLooks, "_look", nobody),
    ):
        yield


CONTROLS: Final = (
    Control(
        "sending a tick again",
        ("not looked at",),
        _send_each_tick_once,
        {"tick_lost": 0.5, "policy_changed": 0.5, "time_jumps": 0.3},
    ),
    Control(
        "believing a reply by its event id too", ("C4", "C10", "C3", "C1"), believe_any_reply, {"reply_forged": 0.3}
    ),
    Control(
        "asking the log about a gap",
        ("C1", "C6", "C15", "C16"),
        believe_every_gap,
        {"stale_fetch": 0.5, "commit_lost": 0.1, "rebalanced": 0.1},
    ),
    Control("passing a gap", ("not drained",), demand_every_offset, {"gap_in_events": 0.2}),
    Control("passing strange outcomes", ("not drained",), stumble_over_strange_outcomes, {"strange_outcome": 0.3}),
    Control("passing strange replies", ("not drained",), stumble_over_strange_replies, {"strange_reply": 0.3}),
    Control("refusing what names no policy", ("not drained",), wait_for_every_policy, {"no_such_policy": 0.2}),
    Control(
        "passing strange policies",
        ("not drained",),
        stop_before_strange_policies,
        {"strange_policy": 0.3, "policy_changed": 0.3},
    ),
    Control("the slot of a text", ("texts",), believe_any_text, {"strange_text": 0.5}),
    Control(
        "pruning by our own clock too", ("C6",), _believe_the_logs_clock, {"log_clock_jumps": 0.5, "key_again": 0.3}
    ),
    Control("recovering again after a time-out", ("not drained",), _recover_once, {"store_froze": 0.5}),
    Control(
        "the compare-and-set",
        ("C15",),
        _nothing,
        {"frozen_here": 0.02, "frozen": 0.1, "commit_unknown": 0.03},
        _no_fence,
    ),
    Control(
        "asking whether it is news",
        ("C2",),
        _nothing,
        {"send_doubled": 0.1, "key_again": 0.1},
        _believe_in_news,
    ),
    Control("the known check", ("C2",), _forget_keys, {"send_doubled": 0.1, "key_again": 0.1}),
    Control(
        "skipping repeats when catching up", ("not drained",), _catch_up_without_skipping, {"publish_unknown": 0.1}
    ),
    Control("dead letters", ("C16",), _no_dead_letters, {"poison": 0.2}),
    Control("the order of publishing", ("C7", "C4"), _publish_in_disorder),
    Control("publishing all", ("C4",), _publish_not_all),
    Control("forgetting the cache", ("C6",), _remember_across_take_overs, {"commit_unknown": 0.3}),
    Control("the union of closed intervals", ("C6",), _forget_closed_intervals),
    Control(
        "the partition's policy revision", ("C6",), _forget_policy_revision, {"foreign": 0.3, "policy_changed": 0.3}
    ),
    Control("exact microseconds", ("C8",), _count_wrongly),
    Control("the state machine", ("C9",), _allow_everything),
    Control("the ack of the log", ("C1",), _ack_at_once, {"send_lost": 0.1}),
    Control("answers as they are written", ("C10",), _answer_another_minute),
    Control("one verdict for caller and log", ("C3",), _answer_no),
    Control("positions in the order of the log", ("C5",), _position_from_the_end),
    Control("nobody else on the log", ("C3",), _invent),
)
