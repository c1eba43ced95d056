"""A partition that was judged: its records, the policies, and the outcomes that a projector of this release records."""

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.projector.domain.entry import LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from shared.events.codec import Press, Unreadable, read
from shared.events.ids import partition_of, slot_of
from shared.events.policies.book import PolicyBook
from tests.support.story.given import new_ledger
from tests.support.story.presses import NOON, SHORT, Record, body, headers

PARTITIONS: Final = 12
KPART: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NOON_MS: Final = int(NOON.timestamp() * 1000)
TIMER: Final = str(SHORT)


POLICY: Final = json.dumps(
    {
        "replaces": None,
        "set_by": "boss",
        "set_at": "2026-01-01T00:00:00Z",
        "document": {"preset": "native", "zone": "Asia/Jerusalem"},
    }
).encode()


def book() -> PolicyBook:
    """Return the policies: one of one tenant."""
    found = PolicyBook()
    found.apply(0, b"acme", POLICY, NOON)
    return found


def record(offset: int, type_: str = "timer.started.v1", value: bytes | None = None, **changed: str) -> Record:
    """Return one record, a second after the one before it, with an event id of its own."""
    moment = NOON + timedelta(seconds=offset)
    said = {"ce_type": type_, "ce_id": str(UUID(int=offset + 1)), "ce_time": moment.isoformat(), "ce_subject": TIMER}
    said |= {"ce_expirytime": (moment + timedelta(seconds=30)).isoformat(), "ce_policyrev": "0"}
    return Record(offset, NOON_MS + 1000 * offset, headers(**(said | changed)), value if value is not None else body())


def pressed(offset: int, verb: str) -> Record:
    """Return a press on the timer of the first."""
    said: dict[str, Any] = json.loads(body())
    said.pop("owner")
    return record(offset, f"timer.{verb}.v1", json.dumps(said).encode())


def fold(records: list[Record], policies: PolicyBook | None = None) -> list[bytes]:
    """Return the outcomes, as a projector of this release would record them."""
    policies = policies or book()
    ledger, kept = new_ledger(KPART, PARTITIONS), []
    for one in records:
        said, log_time = read(one.headers, one.value), moment_of(one.timestamp)
        if isinstance(said, Unreadable):
            kept.append(refuse_entry(ledger, UnreadableRecord(one.offset, log_time, said), policies).body)
        elif isinstance(said, Press):
            folded = fold_entry(ledger, LoggedPress(one.offset, log_time, said), policies)
            kept += [folded.body] if isinstance(folded, Kept) else []
    return kept


LOG: Final = [record(0), pressed(1, "paused"), record(2, value=b"{"), pressed(3, "resumed"), pressed(4, "stopped")]
