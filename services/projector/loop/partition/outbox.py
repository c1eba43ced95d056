"""The outbox: committed outcomes on their way to the judged stream, and verdicts on their way to callers."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from services.projector.loop.partition.recover import append
from services.projector.ports import OutcomeLog, Replies, ToPublish
from shared.events.envelope import ReplyAddress
from shared.process.turns import others_first

_PUBLISHED_AT_ONCE: Final = 500
# Above this the partition is taken up again and reads its rows from the store: memory is not a queue.
BACKLOG_MAX: Final = 20_000
# A quarter of what a broker takes in one record.
_REPLY_BYTES_MAX: Final = 256 * 1024


class Outbox:
    """Publishes one partition's outcomes, and knows how far they are acked. None overtakes an unacked one."""

    def __init__(self, kpart: int, outcomes: OutcomeLog, published: int, outcomes_next: int) -> None:
        self.kpart = kpart
        self.published = published
        self.outcomes_next = outcomes_next
        self._outcomes = outcomes
        self._waiting: deque[ToPublish] = deque()
        self._more = asyncio.Event()

    @property
    def backlog(self) -> int:
        """The number of outcomes that are not acked yet."""
        return len(self._waiting)

    def add(self, outcomes: Iterable[ToPublish]) -> None:
        """Queue committed outcomes, in the order of their presses."""
        self._waiting.extend(outcomes)
        if self._waiting:
            self._more.set()

    async def run(self) -> None:
        """Publish for ever. Raises when the fate of an outcome is unknown: publish again what is committed.

        Raises LogWentBackError when the stream is not the one that is known.
        """
        while True:
            await self._more.wait()
            self._more.clear()
            await others_first()  # the replies of the same commit: callers wait for them
            while self._waiting:
                batch = list(islice(self._waiting, _PUBLISHED_AT_ONCE))
                self.outcomes_next = await append(self.kpart, self._outcomes, batch, self.outcomes_next)
                self.published = batch[-1].source_offset + 1
                for _ in batch:
                    self._waiting.popleft()


def send_replies(replies: Replies, answers: Iterable[tuple[ReplyAddress | None, bytes]]) -> None:
    """Send the verdicts of one commit: for each API process one record, or a few when the verdicts are large."""
    by_process: dict[tuple[str, int], list[tuple[str, bytes]]] = {}
    for address, body in answers:
        if address is not None:
            by_process.setdefault((address.topic, address.partition), []).append((address.request_id, body))
    for (topic, partition), bodies in by_process.items():
        for cut in _cut(bodies):
            replies.send(topic, partition, cut)


def _cut(bodies: Sequence[tuple[str, bytes]]) -> Iterator[Sequence[tuple[str, bytes]]]:
    """Cut answers into records that a broker takes. A record that is too large would be lost with all its answers."""
    cut: list[tuple[str, bytes]] = []
    room = _REPLY_BYTES_MAX
    for request_id, body in bodies:
        if cut and len(body) > room:
            yield cut
            cut, room = [], _REPLY_BYTES_MAX
        cut.append((request_id, body))
        room -= len(body)
    yield cut
