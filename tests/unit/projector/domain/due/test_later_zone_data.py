"""Later zone data move midnights that have not come. A deadline that was worked out before is only a hint.

A zone changes its rules, and a release with other data takes over while a timer runs. The deadline that is stored may
now be an hour early or an hour late. What is found, and what is counted, is what the new data alone would have given.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from unittest.mock import patch

import pytest

from services.projector.domain.fold import Voided
from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.domain.sheet.state import Timesheet
from shared.events import calendar
from shared.events.models import DeadlineReached
from shared.events.outcome import DayPart, Finding
from shared.events.rules import Rule
from shared.events.zones import zone
from tests.support.story.cells import document_of
from tests.support.story.given import Story, book_of, fact, found, moment, started, stopped
from tests.unit.projector.domain.due.looks import told

HOUR: Final = 3600
US: Final = timedelta(microseconds=1)
# Saturday is a holiday, and has two hours for work.
POLICY: Final = document_of(
    {Rule.DAY_OFF: {"mode": "flag"}, Rule.OVER_DAILY_CAP: {"mode": "flag", "billable_seconds_per_day": 2 * HOUR}},
    holidays=[{"day": "2026-03-28"}],
)
# Israel has summer time from 02:00 of Friday 27 March 2026 on; and as if it were given up. Saturday begins at these.
SUMMER, WINTER = "Asia/Jerusalem", "Etc/GMT-2"
MIDNIGHT: Final = {SUMMER: "2026-03-27T21:00", WINTER: "2026-03-27T22:00"}
CHANGES: Final = pytest.mark.parametrize(("before", "after"), [(SUMMER, WINTER), (WINTER, SUMMER)])
BEGAN, ENDED = "2026-03-27T20:30", "2026-03-28T06:00"


@contextmanager
def zone_data(of: str) -> Iterator[None]:
    """Count the days of every zone as a release does whose data of it are those `of` another."""
    _forget_days()
    try:
        with patch.object(calendar, "zone", lambda _: zone(of)):
            yield
    finally:
        _forget_days()


def _forget_days() -> None:
    for remembered in (calendar.window, calendar.day_begins, calendar.first_instant):
        remembered.cache_clear()


def taken_over(story: Story) -> Story:
    """Return the story as a new process knows it: from the outcomes, and with no look that was taken before."""
    sheet = Timesheet("acme", "dana")
    for outcome in story.outcomes:
        sheet = evolve(sheet, outcome)
    ledger = story.ledger
    known = Known({("acme", "dana"): sheet}, dict(ledger.owner_of), dict(ledger.verdicts), ledger.policy_rev)
    return Story(story.book, Ledger(0, 1, known), list(story.answers))


def lived(before: str, after: str, ticks: Sequence[str]) -> Story:
    """Return the story of a timer that began under one release, and was looked at and stopped under the next."""
    with zone_data(before):
        story = Story(book_of(POLICY)).when(started("desk", at=BEGAN))
    with zone_data(after):
        return taken_over(story).when(*(fact(DeadlineReached, at) for at in ticks), stopped("desk", at=ENDED))


def counted(story: Story) -> tuple[DayPart, ...]:
    [closed] = [change.closed for change in story.outcome.changed if change.closed is not None]
    return closed.days


def found_from(midnight: str) -> list[Finding]:
    used_up = (moment(midnight) + timedelta(hours=2)).replace(tzinfo=None).isoformat()
    return [found(Rule.DAY_OFF, "desk", midnight, ENDED), found(Rule.OVER_DAILY_CAP, "desk", used_up, ENDED)]


@pytest.mark.parametrize(
    "ticks",
    [(), (MIDNIGHT[SUMMER],), (MIDNIGHT[WINTER],), tuple(MIDNIGHT.values()), ("2026-03-28T05:00",)],
    ids=["none", "at 21:00", "at 22:00", "at both", "hours late"],
)
@CHANGES
def test_what_is_found_and_counted_goes_by_the_later_data(before: str, after: str, ticks: tuple[str, ...]) -> None:
    story = lived(before, after, ticks)
    assert story.outcomes[0].due == moment(MIDNIGHT[before])
    assert told(story) == found_from(MIDNIGHT[after])
    day, night = moment(MIDNIGHT[after]) - moment(BEGAN), moment(ENDED) - moment(MIDNIGHT[after])
    assert [(part.on.day, part.us) for part in counted(story)] == [(27, day // US), (28, night // US)]


def test_a_tick_at_a_midnight_that_has_moved_is_void_and_moves_the_deadline() -> None:
    story = lived(SUMMER, WINTER, [MIDNIGHT[SUMMER]])
    tick = story.answers[1]
    assert isinstance(tick, Voided)
    assert tick.due == moment(MIDNIGHT[WINTER])


def test_a_look_that_was_taken_with_other_data_would_find_too_late() -> None:
    """The control: a process that believed what another one had worked out. No look is ever stored."""
    with zone_data(WINTER):
        story = Story(book_of(POLICY)).when(started("desk", at=BEGAN))
    tick = fact(DeadlineReached, "2026-03-27T21:30")
    with zone_data(SUMMER):
        looked_anew, believed = taken_over(story).when(tick), story.when(tick)
    assert (told(looked_anew), told(believed)) == ([found(Rule.DAY_OFF, "desk", MIDNIGHT[SUMMER])], [])
