"""The audit of a deployment: `python -m services.projector audit --partitions P [--tenant T]`, behind `stint audit`.

Reads each partition of the log beside its judged stream, prints each difference as one line of JSON, and last how many
events were read and which partitions were not judged to their end. Ends with 1 when there is one of either. Writes
nothing anywhere.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_settings import SettingsConfigDict

from services.projector.audit import Difference, UnjudgedError, audit
from services.projector.kafka.reader import PartitionReader
from shared.events.policies.book import PolicyBook
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, POLICIES_PARTITION
from shared.kafka.clients import ConsumerRecord, KafkaAddress, log_time_of
from shared.settings import KafkaSettings

_AT_ONCE: Final = 1_000
_STOP_SECONDS: Final = 1.0


class AuditSettings(KafkaSettings):
    """Where Kafka is, by the projector's own settings. The audit needs no database."""

    model_config = SettingsConfigDict(env_prefix="PROJECTOR_", frozen=True)


class Auditor:
    """Audits partitions, one after the other. `tenant` None: all tenants."""

    def __init__(self, kafka: KafkaAddress, partitions: int, tenant: str | None) -> None:
        self._readers = {topic: PartitionReader(kafka, topic) for topic in (EVENTS, OUTCOMES, POLICIES)}
        self._partitions = partitions
        self._tenant = tenant
        self._loop = asyncio.get_running_loop()
        self._read = 0

    async def run(self) -> int:
        """Audit everything, and return the exit status."""
        try:
            return await asyncio.to_thread(self._all)
        finally:
            # Each may wait for a fetch that does not end, and this process ends in any case.
            stops = [asyncio.ensure_future(reader.stop()) for reader in self._readers.values()]
            await asyncio.wait(stops, timeout=_STOP_SECONDS)

    def _all(self) -> int:
        # In a thread, because judging is work for one core, and Kafka's clients want their loop meanwhile.
        policies, found, unjudged = PolicyBook(), 0, list[dict[str, Any]]()
        for record in self._records(POLICIES, POLICIES_PARTITION):
            policies.apply(record.offset, record.key, record.value, log_time_of(record))
        for kpart in range(self._partitions):
            events, outcomes = self._events(kpart), (one.value or b"" for one in self._records(OUTCOMES, kpart))
            try:
                for difference in audit(kpart, events, outcomes, policies, self._partitions):
                    if self._tenant in {None, *_tenants(difference)}:
                        found += 1
                        _say(_told(difference))
            except UnjudgedError as end:
                unjudged.append({"partition": kpart, "from": end.source_offset, "why": end.why})
        _say({"events": self._read, "differences": found, "unjudged": unjudged})
        return 1 if found or unjudged else 0

    def _events(self, kpart: int) -> Iterator[ConsumerRecord]:
        for record in self._records(EVENTS, kpart):
            self._read += 1
            yield record

    def _records(self, topic: str, kpart: int) -> Iterator[ConsumerRecord]:
        offset = 0
        while records := self._piece(topic, kpart, offset):
            yield from records
            offset = records[-1].offset + 1

    def _piece(self, topic: str, kpart: int, offset: int) -> Sequence[ConsumerRecord]:
        reading = self._readers[topic].read(kpart, offset, _AT_ONCE)
        return asyncio.run_coroutine_threadsafe(reading, self._loop).result()


def _tenants(difference: Difference) -> set[str | None]:
    bodies = (difference.recorded, difference.today)
    return {json.loads(body).get("tenant") for body in bodies if body is not None}


def _told(difference: Difference) -> dict[str, Any]:
    bodies = {"recorded": difference.recorded, "today": difference.today}
    return {
        "partition": difference.kpart,
        "offset": difference.source_offset,
        "fields": difference.fields,
        **{name: None if body is None else json.loads(body) for name, body in bodies.items()},
    }


def _say(line: object) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


async def audited(settings: AuditSettings, argv: Sequence[str]) -> int:
    """Audit as the arguments say, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.projector audit")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--tenant")
    arguments = parser.parse_args(argv)
    return await Auditor(settings.kafka, arguments.partitions, arguments.tenant).run()
