"""Effect: what accepted presses do to a timer and its intervals, in whole values."""

from datetime import date, timedelta
from typing import Final

from services.projector.domain.effect import ended
from services.projector.domain.sheet.state import OpenInterval, Timer
from shared.events.outcome import Closed, DayPart, Opened, State, TimerAfter
from shared.events.value import replace
from tests.support.story.given import MONDAY, given, moment, paused, resumed, started, stopped, timer_id

MINUTE_US: Final = timedelta(minutes=1) // timedelta(microseconds=1)
AFTER: Final = TimerAfter(
    id=timer_id("desk"),
    owner="dana",
    account_id="A-1",
    job_id="J-1",
    project_id="P-1",
    billable=False,
    work_date=date(2026, 3, 1),
    state=State.RUNNING,
    started_at=moment("08:00"),
    stopped_at=None,
    total_us=7,
    last_at=moment("09:00"),
    flags=("late",),
)
WORKING: Final = Timer(AFTER, OpenInterval(3, moment("09:00"), "Europe/Berlin", moment("09:00")), 3)


def test_a_start_makes_a_timer_that_says_all_that_was_said() -> None:
    story = given(started("desk", at="09:00", job_id="J-1", billable=False, work_date=date(2026, 3, 1)))
    assert story.timer("desk") == TimerAfter(
        id=timer_id("desk"),
        owner="dana",
        account_id=None,
        job_id="J-1",
        project_id=None,
        billable=False,
        work_date=date(2026, 3, 1),
        state=State.RUNNING,
        started_at=moment("09:00"),
        stopped_at=None,
        total_us=0,
        last_at=moment("09:00"),
        flags=(),
    )
    assert story.running("desk") == OpenInterval(1, moment("09:00"), "Asia/Jerusalem", moment("09:00"))


def test_a_life_of_a_timer_interval_by_interval() -> None:
    story = given(
        started("desk", at="09:00"),
        paused("desk", at="09:10"),
        resumed("desk", at="09:20"),
        paused("desk", at="09:50"),
        resumed("desk", at="10:00:00.000001", logged="10:00:01"),
        stopped("desk", at="10:00:00.000003", logged="10:00:02"),
    )
    said = [(o.changed[0].opened, o.changed[0].closed) for o in story.outcomes]
    zone, today = "Asia/Jerusalem", MONDAY.date()

    def closed(seq: int, start: str, end: str, us: int) -> Closed:
        return Closed(seq=seq, start=moment(start), end=moment(end), zone=zone, days=(DayPart(on=today, us=us),))

    assert said == [
        (Opened(seq=1, start=moment("09:00"), zone=zone), None),
        (None, closed(1, "09:00", "09:10", 10 * MINUTE_US)),
        (Opened(seq=2, start=moment("09:20"), zone=zone), None),
        (None, closed(2, "09:20", "09:50", 30 * MINUTE_US)),
        (Opened(seq=3, start=moment("10:00:00.000001"), zone=zone), None),
        (None, closed(3, "10:00:00.000001", "10:00:00.000003", 2)),
    ]
    assert all(len(o.changed) == 1 and o.changed[0].by == "press" for o in story.outcomes)
    assert [o.timer.total_us for o in story.outcomes if o.timer is not None] == [
        0,
        10 * MINUTE_US,
        10 * MINUTE_US,
        40 * MINUTE_US,
        40 * MINUTE_US,
        40 * MINUTE_US + 2,
    ]


def test_a_pause_closes_the_open_interval_and_keeps_all_else() -> None:
    change = ended(WORKING, moment("09:30"), State.PAUSED, "press", ["R18"])
    assert change.closed == Closed(
        seq=3,
        start=moment("09:00"),
        end=moment("09:30"),
        zone="Europe/Berlin",
        days=(DayPart(on=date(2026, 3, 2), us=30 * MINUTE_US),),
    )
    assert change.after == replace(
        AFTER, state=State.PAUSED, total_us=30 * MINUTE_US + 7, last_at=moment("09:30"), flags=("R18", "late")
    )
    assert (change.timer, change.by, change.opened) == (timer_id("desk"), "press", None)


def test_a_timer_keeps_its_reference_and_each_interval_the_reason_of_its_pause() -> None:
    story = given(
        started("desk", at="09:00", reference="crm/7"),
        paused("desk", at="09:10", reason="lunch"),
        resumed("desk", at="09:20"),
        paused("desk", at="09:30"),
        resumed("desk", at="09:40"),
        stopped("desk", at="09:50"),
    )
    changes = [o.changed[0] for o in story.outcomes]
    assert [change.after.reference for change in changes] == ["crm/7"] * 6
    assert [change.closed.reason for change in changes if change.closed is not None] == ["lunch", None, None]


def test_a_refused_pause_leaves_its_reason_on_no_interval() -> None:
    """An outcome's own `reason` is why a press was refused, and never a pause's."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10")).when(
        paused("desk", at="09:20", reason="lunch")
    )
    assert (story.outcome.reason, story.outcome.changed) == ("not_legal_now", ())


def test_an_interval_of_no_length_is_closed_and_has_no_days() -> None:
    story = given(started("desk", at="09:00")).when(stopped("desk", at="09:00"))
    (change,) = story.outcome.changed
    assert change.closed == Closed(seq=1, start=moment("09:00"), end=moment("09:00"), zone="Asia/Jerusalem", days=())
    assert story.timer("desk").total_us == 0


def test_a_stop_of_a_paused_timer_closes_no_interval() -> None:
    """The timer says when it was stopped, and keeps its total."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    story.when(stopped("desk", at="11:00")).changing(None)
    assert story.timer("desk").stopped_at == moment("11:00")
    assert story.timer("desk").total_us == 10 * MINUTE_US


def test_a_timer_may_run_for_years_and_every_microsecond_counts() -> None:
    story = given(started("desk", at="2020-01-01T00:00:00.000001", logged="2020-01-01T00:00:01"))
    story.when(stopped("desk", at="2026-03-02T09:00"))
    expected = (moment("09:00") - moment("2020-01-01T00:00:00.000001")) // timedelta(microseconds=1)
    (change,) = story.outcome.changed
    assert change.closed is not None
    assert story.timer("desk").total_us == sum(part.us for part in change.closed.days) == expected
    assert len(change.closed.days) == 2253
