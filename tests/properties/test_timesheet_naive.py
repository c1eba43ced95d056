"""The naive fold: two folds that were written apart give the same bytes for every history."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pytest
from hypothesis import given

from services.projector.domain.entry import LoggedPress
from shared.events.codec import Newer, Press, read
from shared.events.models import DeadlineReached, OwnerAttendanceRecorded, OwnerLeaveGranted, OwnerProfileSet
from shared.events.policy import (
    DailyCap,
    Holiday,
    LongRunning,
    Mode,
    Overlap,
    OverlapMode,
    PastTime,
    Policy,
    Preset,
    RuleMode,
    Rules,
    WeekendFrom,
)
from shared.events.rules import Rule
from tests.support.proof.twice import naive_bodies, record_of, stated_in_turn
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded, kept_of
from tests.support.story.given import JERUSALEM, Told, fact, moment, paused, resumed, started, stopped
from tests.support.story.histories import Entry, histories


@given(histories)
def test_a_press_reads_back_as_it_was_written(log: list[Entry]) -> None:
    for entry in log:
        found = read(*record_of(entry))
        assert not isinstance(found, Newer)
        assert isinstance(found, Press) == isinstance(entry, LoggedPress)
        if isinstance(entry, LoggedPress):
            assert found == entry.press


def bodies_of(log: Sequence[Entry], under: Revisions) -> list[bytes]:
    """Return the outcomes of a log by the product's fold."""
    return [one.body for one in kept_of(folded(log, under)[1])]


@given(histories, revisions)
def test_the_naive_fold_gives_the_same_bytes(log: list[Entry], under: Revisions) -> None:
    assert naive_bodies(log, stated_in_turn(under)) == bodies_of(log, under)


def of_rules(**rules: Any) -> Policy:  # noqa: ANN401 - rules
    return JERUSALEM.model_copy(update={"rules": Rules(**rules)})


def look(at: str, policy_rev: int = 1) -> Told:
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
            look("09:00", policy_rev=3),
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
            look("16:00:01"),
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
    log = [press.logged(offset) for offset, press in enumerate(told)]
    assert naive_bodies(log, stated_in_turn(under)) == bodies_of(log, under)


FIRST_DAY, LAST_DAY = date(1, 1, 2), date(9999, 12, 30)


def at_the_calendars_ends(day: date, zone: str, mode: Mode) -> Policy:
    """Return a document that says a day wherever it can say one, with each rule on."""
    of_mode = {rule: RuleMode(mode=mode) for rule in ("R08", "R09", "R10", "R12", "R14", "R17", "R18", "R20")}
    return Policy(
        preset=Preset.NATIVE,
        zone=zone,
        weekend=(WeekendFrom.model_validate({"from": day, "days": "2"}),),
        holidays=(Holiday(day=day),),
        rules=Rules(
            **of_mode,
            R11=DailyCap(mode=mode, billable_seconds_per_day=3600),
            R13=Overlap(mode=OverlapMode.STOP_PREVIOUS),
            R15=PastTime(mode=mode, locked_before=day),
            R16=LongRunning(mode=Mode.FLAG, long_running_seconds=7200, auto_close_seconds=8 * 3600),
        ),
    )


def a_life_at_the_calendars_ends(day: date, zone: str) -> list[Told]:
    """Tell of an owner about whom a day is said wherever one can be said, and of presses under that."""
    midnight = datetime.combine(day, time(), UTC)
    came, left = midnight + timedelta(hours=1), midnight + timedelta(hours=23)
    return [
        fact(OwnerProfileSet, "08:00", zone=zone),
        fact(OwnerLeaveGranted, "08:01", on=day),
        fact(OwnerAttendanceRecorded, "08:02", on=day, checked_in_at=midnight),
        fact(OwnerAttendanceRecorded, "08:03", on=day, checked_in_at=came, checked_out_at=left),
        started("desk", at="09:00"),
        started("car", at="09:10", work_date=day),
        paused("car", at="10:30", asked="10:00"),
        resumed("car", at="10:40"),
        look("13:00"),
        stopped("desk", at="14:00", asked="09:05"),
        look("23:00"),
        stopped("car", at="2026-03-03T08:00", asked="12:00"),
    ]


@pytest.mark.parametrize("mode", [Mode.FLAG, Mode.BLOCK])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Manila", "Etc/UTC", "America/Adak", "Etc/GMT+12"])
@pytest.mark.parametrize("day", [FIRST_DAY, LAST_DAY], ids=str)
def test_the_calendars_first_and_last_days_are_days_like_any_other(day: date, zone: str, mode: Mode) -> None:
    """They begin and end beyond the calendar in some zones. Whoever converts such a moment fails."""
    told = a_life_at_the_calendars_ends(day, zone)
    log, under = [press.logged(offset) for offset, press in enumerate(told)], (at_the_calendars_ends(day, zone, mode),)
    kept = bodies_of(log, under)
    assert naive_bodies(log, stated_in_turn(under)) == kept
    assert all(json.loads(outcome)["rule"] != Rule.INTERNAL for outcome in kept)
