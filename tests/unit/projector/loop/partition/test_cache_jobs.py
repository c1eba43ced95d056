"""The cache and jobs: a start asks for its job, unless everything about the job is here."""

from dataclasses import replace
from typing import Final

from services.projector.domain.sheet.jobs import Job
from services.projector.domain.sheet.state import Timesheet
from services.projector.loop.partition.cache import Bounds, Cache
from services.projector.ports import Wanted
from shared.events.ids import slot_of
from shared.events.models import OwnerEstimateSet
from tests.support.story.given import Told, fact, given, moment, paused, resumed, started, stopped

DANA: Final = (slot_of("acme", "dana"), "acme", "dana")
STORY: Final = given(started("desk", at="09:00", job_id="roof"))
# As it is read: of the jobs, the one of the timer that runs.
READ: Final = replace(STORY.sheet().trimmed(8), closed_since=moment("09:00"), jobs={"roof": Job()}, all_jobs=False)


def wanted(cached: Timesheet | None, *told: Told) -> Wanted:
    cache, asked = Cache(Bounds()), Wanted()
    if cached is not None:
        cache.take({("acme", "dana"): cached})
    cache.want([press.logged(number) for number, press in enumerate(told)], 3, asked)
    return asked


def test_a_start_of_an_unknown_owner_asks_for_its_job() -> None:
    asked = wanted(None, started("phone", at="09:10", job_id="roof"), started("car", at="09:10"))
    assert list(asked.jobs) == [(*DANA, "roof")]


def test_a_start_on_a_known_job_asks_for_nothing() -> None:
    asked = wanted(READ, started("phone", at="09:10", job_id="roof"))
    assert (asked.owners, asked.jobs) == ({}, {})


def test_a_start_on_another_job_asks_for_its_owner_and_the_job() -> None:
    asked = wanted(READ, started("phone", at="09:10", job_id="cellar"))
    assert (asked.owners, list(asked.jobs)) == ({DANA: moment("09:10")}, [(*DANA, "cellar")])


def test_an_estimate_and_presses_on_a_running_timer_ask_for_no_job() -> None:
    estimate = fact(OwnerEstimateSet, "09:05", job_id="cellar", seconds=60)
    presses = (paused("desk", at="09:10"), resumed("desk", at="09:20"), stopped("desk", at="09:30"))
    asked = wanted(READ, estimate, *presses)
    assert (asked.owners, asked.timers, asked.jobs) == ({}, {}, {})


def test_a_job_that_no_store_can_keep_is_not_asked_for() -> None:
    """Postgres would refuse the whole read because of it. The press is judged, and its write is refused."""
    asked = wanted(None, started("phone", at="09:10", job_id="ro\0of"))
    assert (asked.owners, asked.jobs) == ({DANA: moment("09:10")}, {})
