"""The audit of a deployment: `python -m services.projector audit --partitions P [--tenant T]`, behind `stint audit`.

Reads each partition of the log beside its judged stream, and prints each difference as one line of JSON. The last line
says how many events were read, how many differences there are, and which partitions were not judged to their end. Ends
with 1 when there is a difference or such a partition. Writes nothing but these lines.

Presses and policies come while an audit runs, which takes hours. So three steps have an order:

1. The end of each judged stream is fixed. Outcomes that come later are not audited.
2. All policies are read, up to the end of their topic, which is read after step 1: the outcomes of step 1 were judged
by
   these. A policy of a newer release ends the reading, and each partition is audited up to its first press under that
   policy or a later one.
3. Each partition is audited up to its end. A partition without a press at the beginning has nothing to audit.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

from pydantic_settings import SettingsConfigDict

from services.projector.audit import Difference, UnjudgedError, audit
from services.projector.kafka.reader import PartitionReader
from shared.events.policies.book import NewerPolicyError, PolicyBook
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, POLICIES_PARTITION
from shared.kafka.clients import ConsumerRecord, KafkaAddress, log_time_of
from shared.settings import KafkaSettings

_T = TypeVar("_T")

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
            # A reader may wait for a fetch that does not end, and this process ends in any case.
            stops = [asyncio.ensure_future(reader.stop()) for reader in self._readers.values()]
            await asyncio.wait(stops, timeout=_STOP_SECONDS)

    def _all(self) -> int:
        # In a thread, because judging takes all of a core, and Kafka's clients need their event loop meanwhile.
        found, unjudged = 0, list[dict[str, Any]]()
        pressed = [kpart for kpart in range(self._partitions) if self._end(EVENTS, kpart)]
        ends = {kpart: self._end(OUTCOMES, kpart) for kpart in pressed}
        policies, unread = self._policies()
        for kpart, end in ends.items():
            events, outcomes = self._events(kpart), (one.value or b"" for one in self._records(OUTCOMES, kpart, end))
            try:
                for difference in audit(kpart, events, outcomes, policies, self._partitions, unread):
                    if self._tenant in {None, *_tenants(difference)}:
                        found += 1
                        _print(_line_of(difference))
            except UnjudgedError as at:
                unjudged.append({"partition": kpart, "from": at.source_offset, "why": at.why})
        _print({"events": self._read, "differences": found, "unjudged": unjudged})
        return 1 if found or unjudged else 0

    def _policies(self) -> tuple[PolicyBook, range]:
        """Return the policies, and the revisions from the first one that only a newer release can read."""
        book, end = PolicyBook(), self._end(POLICIES, POLICIES_PARTITION)
        readable = end
        for record in self._records(POLICIES, POLICIES_PARTITION, end):
            try:
                book.apply(record.offset, record.key, record.value, log_time_of(record))
            except NewerPolicyError:
                readable = record.offset
                break
        # The last offsets may hold no record for readers, and a press may name one of them as its revision.
        book.pass_gap(readable)
        return book, range(readable, end)

    def _events(self, kpart: int) -> Iterator[ConsumerRecord]:
        # No end: the audit reads no further than the last outcome.
        for record in self._records(EVENTS, kpart, None):
            self._read += 1
            yield record

    def _records(self, topic: str, kpart: int, end: int | None) -> Iterator[ConsumerRecord]:
        offset = 0
        while (end is None or offset < end) and (records := self._piece(topic, kpart, offset)):
            yield from (record for record in records if end is None or record.offset < end)
            offset = records[-1].offset + 1

    def _piece(self, topic: str, kpart: int, offset: int) -> Sequence[ConsumerRecord]:
        return self._wait_for(self._readers[topic].read(kpart, offset, _AT_ONCE))

    def _end(self, topic: str, kpart: int) -> int:
        return self._wait_for(self._readers[topic].span(kpart)).end

    def _wait_for(self, reading: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(reading, self._loop).result()


def _tenants(difference: Difference) -> set[str | None]:
    bodies = (difference.recorded, difference.today)
    return {json.loads(body).get("tenant") for body in bodies if body is not None}


def _line_of(difference: Difference) -> dict[str, Any]:
    bodies = {"recorded": difference.recorded, "today": difference.today}
    return {
        "partition": difference.kpart,
        "offset": difference.source_offset,
        "fields": difference.fields,
        **{name: None if body is None else json.loads(body) for name, body in bodies.items()},
    }


def _print(line: object) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


async def audited(settings: AuditSettings, argv: Sequence[str]) -> int:
    """Audit as the arguments say, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.projector audit")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--tenant")
    arguments = parser.parse_args(argv)
    return await Auditor(settings.kafka, arguments.partitions, arguments.tenant).run()
