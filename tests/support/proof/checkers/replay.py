"""C7: an empty database filled from the logs gets the same bytes, and judging again gives the same verdicts."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.projector.audit import UnjudgedError, audit
from shared.events.envelope import Headers
from shared.events.policies.book import PolicyBook
from tests.support.proof.checkers.history import Evidence, Logged
from tests.support.proof.checkers.tables import differences, newest_of

_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


def c7_same_bytes(evidence: Evidence, again: Mapping[str, str]) -> list[str]:
    """C7: tables that are folded anew, in other batches by other projectors, are the same to the byte."""
    return [f"C7: {line}" for line in differences(evidence.tables, again, newest_of(evidence), exact=True)]


def c7_audit(evidence: Evidence) -> list[str]:
    """C7: judging all presses again gives the recorded verdicts, except those that record a failure of our own."""
    policies, wrong = PolicyBook(), []
    for record in evidence.policies:
        policies.apply(record.offset, record.key, record.value, record.log_time or _NEVER)
    for kpart in range(evidence.partitions):
        events = [_Event.of(record) for record in evidence.events if record.partition == kpart]
        outcomes = [record.value or b"" for record in evidence.outcomes if record.partition == kpart]
        # A partition waits at an event of a newer release; the other checkers say what it misses.
        with suppress(UnjudgedError):
            for found in audit(kpart, events, outcomes, policies, evidence.partitions):
                recorded = json.loads(found.recorded or b"{}")
                if (recorded.get("rule"), recorded.get("reason")) != ("R23", "internal"):
                    wrong.append(f"C7: {kpart}:{found.source_offset} is {found.recorded!r} and today {found.today!r}")
    return wrong


@dataclass(frozen=True, slots=True)
class _Event:
    """A logged record as the product's ports have it."""

    offset: int
    timestamp: int
    headers: Headers
    value: bytes | None

    @classmethod
    def of(cls, record: Logged) -> "_Event":
        moment = record.log_time
        # Whole milliseconds, so no float is in doubt.
        milliseconds = 0 if moment is None else round(moment.timestamp() * 1000)
        return cls(record.offset, milliseconds, record.headers, record.value)
