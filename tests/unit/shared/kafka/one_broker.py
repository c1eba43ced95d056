"""A broker of one partition, and batches as they lie on its log.

Where it differs: it answers with what a test has laid out, whatever it is asked for.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

PLACE = TopicPartition("timer.replies.v1", 3)


class Broker:
    """Stands in for a consumer and its client: answers each fetch with what the test has laid out."""

    def __init__(self, *answers: bytes | int | Exception, leader: int | None = 1) -> None:
        self.answers = list(answers)
        self.leader = leader
        self.asked: list[int] = []
        self.refreshed = 0
        self._client = self.cluster = self

    def leader_for_partition(self, place: TopicPartition) -> int | None:
        assert place == PLACE
        return self.leader

    def force_metadata_update(self) -> None:
        self.refreshed += 1

    async def send(self, node_id: int, request: Any) -> Any:  # noqa: ANN401 - aiokafka ships no types
        ((topic, ((partition, offset, _),)),) = request.topics
        assert (node_id, topic, partition) == (1, *PLACE)
        self.asked.append(offset)
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        code, held = (answer, b"") if isinstance(answer, int) else (0, answer)
        return SimpleNamespace(topics=[(PLACE.topic, [(PLACE.partition, code, 99, 99, 0, [], -1, held)])])


def batch(*values: bytes, first: int = 0) -> bytes:
    """Return the bytes of one batch as they lie on the log from offset `first` on."""
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 20
    )
    for number, value in enumerate(values):
        builder.append(number, None, None, value, [])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]
