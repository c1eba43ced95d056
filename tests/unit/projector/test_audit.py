"""Audit: today's code against yesterday's verdicts."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.projector.audit import Difference, audit
from services.projector.domain.entry import LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, Ledger
from shared.events.codec import Press, Unreadable, read
from shared.events.envelope import Headers
from shared.events.ids import partition_of, slot_of
from shared.events.policy_book import PolicyBook
from tests.support.story.presses import NOON, SHORT, body, headers

PARTITIONS: Final = 12
KPART: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NOON_MS: Final = int(NOON.timestamp() * 1000)
TIMER: Final = str(SHORT)


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int
    headers: Headers
    value: bytes | None


def book() -> PolicyBook:
    document = {"preset": "native", "zone": "Asia/Jerusalem"}
    record = {"replaces": None, "set_by": "boss", "set_at": "2026-01-01T00:00:00Z", "document": document}
    found = PolicyBook()
    found.apply(0, b"acme", json.dumps(record).encode())
    return found


def record(offset: int, type_: str = "timer.started.v1", value: bytes | None = None, **changed: str) -> Record:
    """Return one record, a second after the one before it, with an event id of its own."""
    moment = NOON + timedelta(seconds=offset)
    said = {"ce_type": type_, "ce_id": str(UUID(int=offset + 1)), "ce_time": moment.isoformat(), "ce_subject": TIMER}
    said |= {"ce_expirytime": (moment + timedelta(seconds=30)).isoformat(), "ce_policyrev": "0"}
    return Record(offset, NOON_MS + 1000 * offset, headers(**(said | changed)), value if value is not None else body())


def pressed(offset: int, verb: str) -> Record:
    said: dict[str, Any] = json.loads(body())
    said.pop("owner")
    return record(offset, f"timer.{verb}.v1", json.dumps(said).encode())


def fold(records: list[Record]) -> list[bytes]:
    """Return the outcomes, as a projector of this release would record them."""
    ledger, kept = Ledger(KPART, PARTITIONS, Known({}, {}, {}, -1)), []
    for one in records:
        said, log_time = read(one.headers, one.value), moment_of(one.timestamp)
        if isinstance(said, Unreadable):
            kept.append(refuse_entry(ledger, UnreadableRecord(one.offset, log_time, said), book()).body)
        elif isinstance(said, Press):
            folded = fold_entry(ledger, LoggedPress(one.offset, log_time, said), book())
            kept += [folded.body] if isinstance(folded, Kept) else []
    return kept


LOG: Final = [record(0), pressed(1, "paused"), record(2, value=b"{"), pressed(3, "resumed"), pressed(4, "stopped")]


def differences(records: list[Record], outcomes: list[bytes]) -> list[Difference]:
    return list(audit(KPART, records, outcomes, book(), PARTITIONS))


def test_on_one_release_there_is_no_difference() -> None:
    assert len(fold(LOG)) == len(LOG)
    assert differences(LOG, fold(LOG)) == []


def test_another_verdict_is_one_difference_and_drags_no_other_along() -> None:
    outcomes = fold(LOG)
    older = outcomes[1].replace(b'"policy_revision":0', b'"policy_revision":null')
    (found,) = differences(LOG, [outcomes[0], older, *outcomes[2:]])
    assert (found.source_offset, found.fields, found.today) == (1, ("policy_revision",), outcomes[1])


def test_later_presses_are_judged_after_what_is_recorded() -> None:
    """A start that was refused then is no timer now, even if today's code would accept it."""
    refused = json.loads(fold(LOG)[0]) | {"verdict": "refused", "rule": "R08", "timer": None, "changed": []}
    recorded = json.dumps(refused, separators=(",", ":")).encode()
    found = differences(LOG[:2], [recorded, fold(LOG)[1]])
    assert [(one.source_offset, "rule" in one.fields) for one in found] == [(0, True), (1, True)]
    assert json.loads(found[1].today or b"")["rule"] == "R05"


def test_a_press_without_a_recorded_outcome_is_a_difference() -> None:
    outcomes = fold(LOG)
    (found,) = differences(LOG, [*outcomes[:2], *outcomes[3:]])
    assert (found.source_offset, found.recorded, found.today) == (2, None, outcomes[2])


def test_presses_after_the_last_outcome_are_not_judged_yet() -> None:
    assert differences(LOG, fold(LOG)[:3]) == []


def test_an_outcome_of_no_record_is_a_difference() -> None:
    outcomes = fold(LOG)
    (found,) = differences(LOG[:4], outcomes)
    assert (found.source_offset, found.recorded, found.today) == (4, outcomes[4], None)


def test_an_outcome_that_is_repeated_on_the_stream_counts_once() -> None:
    outcomes = fold(LOG)
    assert differences(LOG, [*outcomes[:3], *outcomes[1:], *outcomes[2:4]]) == []


def test_a_repeated_press_has_no_outcome_and_is_no_difference() -> None:
    again = Record(1, NOON_MS + 1000, LOG[0].headers, LOG[0].value)
    log = [LOG[0], again, pressed(2, "stopped")]
    assert [json.loads(body)["source_offset"] for body in fold(log)] == [0, 2]
    assert differences(log, fold(log)) == []


def test_the_audit_ends_before_an_event_of_a_newer_release() -> None:
    newer = record(2, "timer.moved.v1")
    assert differences([*LOG[:2], newer, *LOG[3:]], fold(LOG)) == []
