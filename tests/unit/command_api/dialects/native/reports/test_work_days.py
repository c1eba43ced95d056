"""Dialect C: the days of an account and a job."""

from datetime import date

import httpx2 as httpx
import pytest

from services.command_api.desk.rows import DayRow, DaysRow
from tests.support.fakes.desks import DANA, Clerk

FOUND = DaysRow(None, None, (DayRow(date(2026, 3, 1), 60_000_000, 0, changed_after_lock=False),))
KINDS = ["account", "job"]


async def asked(clerk: Clerk, path: str, **headers: str) -> httpx.Response:
    async with clerk.client() as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("kind", KINDS)
async def test_days_have_the_shape_of_an_owners_and_the_tenants_zone(kind: str) -> None:
    clerk = Clerk(days_row=FOUND)
    answer = await asked(clerk, f"/v1/{kind}s/%D7%92%D7%92/days?from=2026-03-01&to=2026-03-02")
    assert (answer.status_code, answer.text) == (
        200,
        (
            '{"zone":"Asia/Jerusalem","items":[{"day":"2026-03-01","seconds":60,"billable_seconds":0,'
            '"changed_after_lock":false,"first_at":null,"last_at":null,"pause_seconds":null}],"position":null}'
        ),
    )
    assert clerk.asked == [("work_days", "acme", kind, "גג", date(2026, 3, 1), date(2026, 3, 2))]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_person_may_not_read_what_others_worked(kind: str) -> None:
    clerk = Clerk(caller=DANA)
    answer = await asked(clerk, f"/v1/{kind}s/7/days")
    assert (answer.status_code, answer.json()["rule"], clerk.asked) == (403, "R06", [])


@pytest.mark.parametrize("kind", KINDS)
async def test_an_id_that_cannot_exist_is_400_and_named(kind: str) -> None:
    long = await asked(Clerk(), f"/v1/{kind}s/{'x' * 129}/days")
    assert (long.status_code, long.json()["rule"], long.json()["detail"]) == (400, "R04", f"{kind} is too long.")
    assert (await asked(Clerk(), f"/v1/{kind}s/%00/days")).json()["rule"] == "R03"


async def test_work_days_wait_for_a_position_and_need_postgres_and_a_zone() -> None:
    clerk = Clerk()
    await asked(clerk, "/v1/jobs/7/days", **{"X-Min-Position": "3:42"})
    assert clerk.asked[0] == ("wait_for", "acme", 3, 42, 2.0)
    for broken in (Clerk(away=True), Clerk(policy=None)):
        assert (await asked(broken, "/v1/jobs/7/days")).status_code == 503
