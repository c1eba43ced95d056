"""Sheets: what `read_touched` returns is read as it stands on its owner's sheet, and what if a row is damaged."""

import json
from base64 import b64encode
from typing import Any, Final
from uuid import UUID

import pytest

from services.projector.domain.sheet.ledger import KnownOutcome
from services.projector.domain.sheet.state import ClosedInterval
from services.projector.ports import Found
from services.projector.store.sheets import found_in
from shared.events.outcome import write_outcome
from shared.packing.bodies import UnknownDictionaryError, pack
from tests.support.story.given import given, moment, started, timer_id

STORY: Final = given(started("desk", at="09:00"))
BODY: Final = write_outcome(STORY.outcome)
PACKED: Final = pack(BODY)
EVENT_ID: Final = UUID(int=7)
OWNER: Final = {"tenant": "acme", "owner": "dana"}
ENDED: Final = OWNER | {
    "timer_id": timer_id("desk"),
    "start": "2026-03-02T09:00:00+00:00",
    "end": "2026-03-02T10:00:00+00:00",
    "zone": "Asia/Jerusalem",
    "billable": True,
    "job_id": None,
}
COLUMNS: Final = ("owners", "timers", "found", "days", "facts", "jobs", "closed", "overlaps", "profiles", "verdicts")


def read(**said: list[dict[str, Any]]) -> Found:
    """Return what a row amounts to that says this, and nothing else."""
    return found_in({name: json.dumps(said[name]) if name in said else None for name in COLUMNS})


def known_from(body: str, packed: bytes | None) -> KnownOutcome:
    """Return the verdict that one row amounts to."""
    verdict = {
        "kpart": 3,
        "event_id": str(EVENT_ID),
        "log_time": moment("09:00").isoformat(),
        "body": body,
        "packed": None if packed is None else b64encode(packed).decode(),
    }
    [(key, known)] = read(verdicts=[verdict]).verdicts.items()
    assert key == (3, EVENT_ID)
    return known


@pytest.mark.parametrize(
    ("body", "packed"), [pytest.param("", PACKED, id="packed"), pytest.param(BODY.decode(), None, id="text")]
)
def test_a_verdict_is_what_was_written(body: str, packed: bytes | None) -> None:
    assert known_from(body, packed) == KnownOutcome(STORY.outcome.digest, moment("09:00"), BODY)


@pytest.mark.parametrize(
    ("body", "packed"),
    [
        pytest.param("", PACKED[:-1] + bytes([PACKED[-1] ^ 1]), id="packed, and changed"),
        pytest.param("", PACKED[:-9], id="packed, and cut"),
        pytest.param("", b"", id="packed, and empty"),
        pytest.param(BODY.decode()[:-1], None, id="text, and cut"),
    ],
)
def test_a_damaged_verdict_is_known_and_has_no_answer(body: str, packed: bytes | None) -> None:
    """When it was given stands beside it, so it is remembered as long as any other."""
    assert known_from(body, packed) == KnownOutcome(None, moment("09:00"), b"")


def test_a_verdict_that_a_newer_release_packed_waits_for_the_upgrade() -> None:
    # The number of the dictionary is in the frame's header, behind magic number and descriptor.
    newer = PACKED[:5] + b"\xfe" + PACKED[6:]
    with pytest.raises(UnknownDictionaryError):
        known_from("", newer)


@pytest.mark.parametrize(
    ("closed", "overlaps"), [([ENDED], [ENDED]), ([ENDED], []), ([], [ENDED, ENDED])], ids=["both", "one", "twice"]
)
def test_an_interval_that_is_read_in_two_ways_counts_once(
    closed: list[dict[str, Any]], overlaps: list[dict[str, Any]]
) -> None:
    """A press of long ago overlaps one that ended lately, so it is read anyway. Twice, it would count twice."""
    owner = OWNER | {"since": "2026-03-01T00:00:00+00:00", "days_since": "2026-02-26"}
    found = read(owners=[owner], closed=closed, overlaps=overlaps)
    begin, end = moment("09:00"), moment("10:00")
    assert found.sheets["acme", "dana"].closed == (
        ClosedInterval(timer_id("desk"), begin, end, "Asia/Jerusalem", billable=True, job_id=None),
    )
