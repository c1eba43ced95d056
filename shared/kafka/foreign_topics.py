"""Foreign topics: which topics of other services exist, and which partitions they have.

Their metadata is asked of all topics at once, because asking for one that does not exist would wait for it to appear.
One look is under way at a time, and requests that need one meanwhile wait for the same. What is missing is not looked
for again for a while.
"""

import asyncio
from typing import Any, Final

from shared.kafka.clients import AIOKafkaProducer

_MISSING_MAX: Final = 1_000


class ForeignTopics:
    """Knows the topics that exist. One that a service adds partitions to is looked at anew when they are named."""

    def __init__(self, missing_for_seconds: float) -> None:
        self._missing_for_seconds = missing_for_seconds
        self._seen: set[str] = set()
        self._missing_until: dict[tuple[str, int], float] = {}
        self._looking: asyncio.Future[Any] | None = None

    def knows(self, topic: str) -> bool:
        """Return whether a topic was seen, and has not been doubted since."""
        return topic in self._seen

    async def exists(self, producer: AIOKafkaProducer, topic: str, partition: int) -> bool:
        """Return whether an address exists. Then the producer's client knows it too."""
        if topic in self._seen and partition in _partitions(producer.client.cluster, topic):
            return True
        if self._missing_until.get((topic, partition), 0.0) > asyncio.get_running_loop().time():
            return False
        found = _partitions(await self._look(producer), topic)
        if partition not in found:
            if not found:
                self._seen.discard(topic)
            self.shun(topic, partition)
            return False
        # The client keeps the topic from here on, with the partitions that it had at its last look.
        if partition not in await producer.partitions_for(topic):
            await producer.client.force_metadata_update()
        self._seen.add(topic)
        return True

    def doubt(self, topic: str) -> None:
        """Look at a topic anew before the next letter to it."""
        self._seen.discard(topic)

    def shun(self, topic: str, partition: int) -> None:
        """Let an address count as missing for a while."""
        if len(self._missing_until) >= _MISSING_MAX:
            self._missing_until.clear()
        self._missing_until[topic, partition] = asyncio.get_running_loop().time() + self._missing_for_seconds

    async def _look(self, producer: AIOKafkaProducer) -> Any:  # noqa: ANN401 - aiokafka ships no types
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(producer.client.fetch_all_metadata())
            # A request may have timed out before the look fails.
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._looking)


def _partitions(cluster: Any, topic: str) -> frozenset[int]:  # noqa: ANN401 - as above
    return frozenset(cluster.partitions_for_topic(topic) or ())
