"""Guards of what is read from logs that hold gaps and records that are not ours, each switched off. See `guards`."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from services.command_api.submit import replies
from services.command_api.submit.replies import Waiters
from services.projector.domain.outcomes import Kept
from services.projector.loop.keeper import Keeper
from services.projector.loop.partition import recover
from services.projector.loop.partition.partition import Partition
from services.projector.texts import batch as texts
from shared.events.outcome import Outcome, read_outcome
from shared.events.policies.book import PolicyBook


def believe_every_gap() -> AbstractContextManager[Any]:
    def believed(self: Keeper, partition: Partition, offset: int) -> bool:
        if offset < partition.at.next_offset:
            self._read_on(partition)
        return offset >= partition.at.next_offset

    return patch.object(Keeper, "is_next", believed)


def demand_every_offset() -> AbstractContextManager[Any]:
    def dense(self: Keeper, partition: Partition, offset: int) -> bool:
        if offset != partition.at.next_offset:
            self.disturb(partition, "a gap", 0.5)
        return offset == partition.at.next_offset

    return patch.object(Keeper, "is_next", dense)


def stumble_over_strange_outcomes() -> AbstractContextManager[Any]:
    def all_of_them(records: Sequence[tuple[int, bytes | None]], _: Any) -> list[Kept]:  # noqa: ANN401 - not called
        return [Kept(read_outcome(body or b""), body or b"") for _, body in records]

    return patch.object(recover, "_readable", all_of_them)


def wait_for_every_policy() -> AbstractContextManager[Any]:
    async def never(*_: object) -> bool:
        return False

    return patch.object(Keeper, "_was_never_written", never)


def believe_any_reply() -> AbstractContextManager[Any]:
    def believed(self: Waiters, request_id: str, outcome: Outcome) -> None:
        if (waiter := self._waiting.get(request_id)) is not None:
            waiter.resolve(outcome)

    return patch.object(Waiters, "answer", believed)


def stumble_over_strange_replies() -> AbstractContextManager[Any]:
    return patch.object(replies, "UnreadableOutcomeError", KeyError)


def stop_before_strange_policies() -> AbstractContextManager[Any]:
    apply = PolicyBook.apply

    def stops(self: PolicyBook, offset: int, *record: Any) -> Any:  # noqa: ANN401 - passed on
        if offset != self.position + 1:
            return None
        if (taken := apply(self, offset, *record)) is None:
            self.position = offset - 1
        return taken

    return patch.object(PolicyBook, "apply", stops)


def believe_any_text() -> AbstractContextManager[Any]:
    return patch.multiple(texts, slot_of=lambda *_: 0, slot_of_timer=lambda *_: 0)
