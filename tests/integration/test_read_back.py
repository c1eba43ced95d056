"""What the tables hold of an owner is what the fold knew: on real Postgres, by the store's own reads and writes."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

import asyncpg
import pytest

from services.projector.domain.sheet.state import Timesheet
from services.projector.ports import Wanted
from services.projector.store.postgres import PostgresStore
from shared.events.models import (
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerTextsErased,
)
from shared.events.policy import LongRunning, Mode, PastTime, Rules
from tests.integration.commits import DANA, committed, sessions
from tests.support.stack.deployments import Deployment
from tests.support.story.given import (
    JERUSALEM,
    Story,
    Told,
    book_of,
    fact,
    given,
    moment,
    paused,
    resumed,
    started,
    stopped,
)

pytestmark = pytest.mark.real


@pytest.fixture
async def pool(deployment: Deployment) -> AsyncIterator[asyncpg.Pool]:
    dsn = await deployment.fresh_database("read_back")
    async with sessions(dsn) as pool:
        yield pool


async def read_back(store: PostgresStore) -> Timesheet:
    """Read what is known of the owner, as the fold does before a press."""
    wanted = Wanted(owners={DANA: moment("00:00")}, jobs={(*DANA, "roof"): None}, days_since=moment("00:00").date())
    return (await store.read(wanted)).sheets["acme", "dana"]


def known(sheet: Timesheet) -> tuple[object, ...]:
    """Return the facts of a sheet, each with since when it is known."""
    return sheet.leave, sheet.attendance, sheet.job("roof").estimate


def leave(at: str, *, granted: bool = True) -> Told:
    return fact(OwnerLeaveGranted if granted else OwnerLeaveRevoked, at, on="2026-03-03")


def there(at: str, left: str = "12:00") -> Told:
    came = moment("08:00")
    return fact(OwnerAttendanceRecorded, at, on="2026-03-02", checked_in_at=came, checked_out_at=moment(left))


def estimate(at: str, seconds: int = 3600) -> Told:
    return fact(OwnerEstimateSet, at, job_id="roof", seconds=seconds)


@pytest.mark.parametrize("cuts", [(), (3,), (6,), (3, 6), (1, 2, 3, 4, 5, 6, 7, 8)], ids=str)
async def test_a_fact_told_again_is_known_since_the_fold_knew_it_however_facts_are_cut(
    pool: asyncpg.Pool, cuts: Sequence[int]
) -> None:
    """Told again in the same words, it is known since before; told otherwise in between, since it was told last."""
    again = given(leave("09:00"), there("09:01"), estimate("09:02"), leave("10:00"), there("10:01"), estimate("10:02"))
    again.when(leave("11:00"), there("11:01"), estimate("11:02"))
    await committed(store := PostgresStore(pool), again, cuts)
    since = [row["known_at"] for row in await pool.fetch("SELECT known_at FROM owner_fact ORDER BY known_at")]
    assert since == [moment("09:00"), moment("09:01"), moment("09:02")]
    assert known(await read_back(store)) == known(again.sheet())


@pytest.mark.parametrize("cuts", [(), (3,), (6,), (3, 6), (1, 2, 3, 4, 5, 6, 7, 8)], ids=str)
async def test_a_fact_that_was_another_in_between_is_known_since_it_was_told_last(
    pool: asyncpg.Pool, cuts: Sequence[int]
) -> None:
    """Cut after three, one commit tells the other thing and the first again, over a row that says the same."""
    other = given(leave("09:00"), there("09:01"), estimate("09:02"))
    other.when(leave("10:00", granted=False), there("10:01", "13:00"), estimate("10:02", 60))
    other.when(leave("11:00"), there("11:01"), estimate("11:02"))
    await committed(store := PostgresStore(pool), other, cuts)
    since = [row["known_at"] for row in await pool.fetch("SELECT known_at FROM owner_fact ORDER BY known_at")]
    assert since == [moment("11:00"), moment("11:01"), moment("11:02")]
    assert known(await read_back(store)) == known(other.sheet())


@pytest.mark.parametrize("cuts", [(), (1,)], ids=str)
async def test_texts_that_are_erased_again_are_erased_since_then(pool: asyncpg.Pool, cuts: Sequence[int]) -> None:
    """There are texts again in between, whether one commit tells of both or each of one."""
    twice = given(fact(OwnerTextsErased, "09:00"), fact(OwnerTextsErased, "10:00"))
    await committed(PostgresStore(pool), twice, cuts)
    assert [row["known_at"] for row in await pool.fetch("SELECT known_at FROM owner_fact")] == [moment("10:00")]


async def test_a_timer_that_is_read_back_ends_as_the_live_one_does(pool: asyncpg.Pool) -> None:
    """A late pause takes an automatic stop back, in locked days, and the timer goes on from that very instant.

    What the pause told of the lock has the instant at which the new interval begins. It is a finding of the old one.
    """
    seven = LongRunning(auto_close_seconds=7 * 3600)
    locked = PastTime(mode=Mode.FLAG, locked_before=date(2026, 3, 3))
    book = book_of(*(JERUSALEM.model_copy(update={"rules": Rules(R15=past, R16=seven)}) for past in (locked, None)))
    told = [
        started("desk", at="09:00"),
        fact(DeadlineReached, "16:00"),
        paused("desk", at="2026-03-03T08:00", asked="12:00"),
        resumed("desk", at="2026-03-03T09:00", asked="12:00", policy_rev=3),
    ]
    live, again = Story(book).when(*told), Story(book).when(*told)
    await committed(store := PostgresStore(pool), live, ())
    again.ledger.sheets["acme", "dana"] = await read_back(store)
    end = stopped("desk", at="2026-03-03T09:00:30", asked="13:00", policy_rev=3)
    assert again.when(end).outcome == live.when(end).outcome
    assert live.outcome.findings == ()
