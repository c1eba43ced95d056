"""The naive fold: two folds that were written apart give the same bytes for every history."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given

from services.projector.domain.entry import LoggedPress
from services.projector.domain.outcomes import Kept
from shared.events.codec import Newer, Press, read, write_body
from shared.events.envelope import Headers, encode_headers
from shared.events.models import DeadlineReached
from shared.events.policy import LongRunning, Mode, PastTime, Policy, Rules
from tests.properties.test_timesheet import folded
from tests.support.proof.naive.fold import fold_partition
from tests.support.proof.naive.outcome import Row, body
from tests.support.story.documents import Revisions, revisions
from tests.support.story.given import JERUSALEM, MONDAY, Told, fact, moment, paused, resumed, started, stopped
from tests.support.story.histories import Entry, histories

GARBAGE: tuple[Headers, bytes] = ([("ce_type", b"?")], b"?")


def policies_of(under: Revisions) -> dict[str, list[tuple[int, Row]]]:
    """Return the book of these documents as the naive fold reads it: two tenants, each document of each in turn."""
    said = [
        json.loads(document.model_dump_json(by_alias=True)) | {"counts_from": MONDAY.isoformat()} for document in under
    ]
    return {
        tenant: [(first + 2 * place, document) for place, document in enumerate(said)]
        for tenant, first in (("acme", 0), ("other", 1))
    }


def written(entry: Entry) -> tuple[Headers, bytes | None]:
    """Return headers and value of the record that an entry was read from."""
    if not isinstance(entry, LoggedPress):
        return GARBAGE
    return list(encode_headers(entry.envelope)), write_body(entry.event)


@given(histories)
def test_a_press_reads_back_as_it_was_written(log: list[Entry]) -> None:
    for entry in log:
        found = read(*written(entry))
        assert not isinstance(found, Newer)
        assert isinstance(found, Press) == isinstance(entry, LoggedPress)
        if isinstance(entry, LoggedPress):
            assert found == entry.press


def folded_twice(log: Sequence[Entry], under: Revisions) -> tuple[list[str], list[str]]:
    """Return the outcomes of a log by the product's fold, and by the naive one."""
    _, came = folded(log, under)
    kept = [one.body.decode() for one in came if isinstance(one, Kept)]
    book = fold_partition(0, [(entry.offset, entry.log_time, *written(entry)) for entry in log], policies_of(under), 1)
    # People read why a record is unreadable, and each fold has its own words for it.
    naive = [
        body(row | {"reason": "no_body"}) if row["verdict"] == "unreadable" else body(row) for row in book.outcomes
    ]
    return kept, naive


@given(histories, revisions)
def test_the_naive_fold_gives_the_same_bytes(log: list[Entry], under: Revisions) -> None:
    kept, naive = folded_twice(log, under)
    assert naive == kept


def of_rules(**rules: Any) -> Policy:  # noqa: ANN401 - rules
    return JERUSALEM.model_copy(update={"rules": Rules(**rules)})


def tick(at: str, policy_rev: int = 1) -> Told:
    # A deadline without an expiry does not read.
    return replace(fact(DeadlineReached, at), policy_rev=policy_rev, expires_at=moment(at) + timedelta(seconds=30))


FOUR_HOURS: Final = LongRunning(auto_close_seconds=4 * 3600)
SEVEN_HOURS: Final = LongRunning(auto_close_seconds=7 * 3600)
LOCKED: Final = PastTime(mode=Mode.FLAG, locked_before=date(2026, 3, 3))
# What chance writes seldom: presses, and the documents that come one after the other.
RARE: Final[dict[str, tuple[Sequence[Told], Revisions]]] = {
    "a stop that is found after the lock of its day": (
        [
            started("desk", at="2026-03-01T17:00"),
            tick("09:00", policy_rev=3),
        ],
        (of_rules(R16=FOUR_HOURS), of_rules(R15=LOCKED, R16=FOUR_HOURS)),
    ),
    "work of long ago, without a limit": (
        [started("desk", at="09:00", work_date=date(1, 1, 2))],
        (of_rules(R15=PastTime(mode=Mode.BLOCK)),),
    ),
    "an interval that begins where the end of the one before was taken back to": (
        [
            started("desk", at="09:00"),
            tick("16:00:01"),
            paused("desk", at="2026-03-03T08:00", asked="12:00"),
            resumed("desk", at="2026-03-03T09:00", asked="12:00", policy_rev=3),
            stopped("desk", at="2026-03-03T09:00:30", asked="13:00", policy_rev=3),
        ],
        (of_rules(R15=LOCKED, R16=SEVEN_HOURS), of_rules(R16=SEVEN_HOURS)),
    ),
}


@pytest.mark.parametrize("rare", RARE)
def test_the_naive_fold_gives_the_same_bytes_of_what_is_rare(rare: str) -> None:
    told, under = RARE[rare]
    kept, naive = folded_twice([press.logged(offset) for offset, press in enumerate(told)], under)
    assert naive == kept
