"""Dialect C: an owner's days."""

from dataclasses import replace
from datetime import date, timedelta

import httpx2 as httpx
import pytest

from services.command_api.desk.attended import Attended
from services.command_api.desk.commands import Position
from services.command_api.desk.rows import DayRow, DaysRow
from services.command_api.dialects.native.reports.asking import DAYS_MAX
from tests.support.fakes.desks import DANA, NO_DAYS, NOON, Clerk

FOUND = DaysRow(
    zone="Europe/Berlin",
    position=Position(3, 42),
    days=(
        DayRow(
            date(2026, 3, 1),
            3_600_000_001,
            1_800_500_000,
            changed_after_lock=False,
            attended=Attended(NOON, NOON + timedelta(hours=2, microseconds=1), 3_600_000_000),
        ),
        DayRow(date(2026, 3, 2), 60_000_000, 0, changed_after_lock=True),
    ),
)


async def asked(clerk: Clerk, query: str = "", owner: str = "dana", **headers: str) -> httpx.Response:
    async with clerk.client() as client:
        return await client.get(f"/v1/owners/{owner}/days?{query}", headers=headers)


async def test_days_are_told_with_exact_seconds_zone_and_position() -> None:
    answer = await asked(Clerk(days_row=FOUND))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == (
        '{"zone":"Europe/Berlin","items":[{"day":"2026-03-01","seconds":3600.000001,"billable_seconds":1800.5,'
        '"changed_after_lock":false,"first_at":"2026-03-01T12:00:00.000000Z","last_at":"2026-03-01T14:00:00.000001Z",'
        '"pause_seconds":3600},{"day":"2026-03-02","seconds":60,"billable_seconds":0,"changed_after_lock":true,'
        '"first_at":null,"last_at":null,"pause_seconds":null}],"position":"3:42"}'
    )


async def test_an_owner_without_a_zone_of_their_own_has_the_tenants() -> None:
    assert (await asked(Clerk())).text == '{"zone":"Asia/Jerusalem","items":[],"position":null}'


async def test_days_are_asked_for_with_both_ends_included() -> None:
    clerk = Clerk()
    await asked(clerk, "from=2026-01-31&to=2026-02-01", owner="%D7%93%D7%A0%D7%94")
    assert clerk.asked == [("days", "acme", "דנה", date(2026, 1, 31), date(2026, 2, 1))]


async def test_without_ends_the_newest_366_days_are_asked_for() -> None:
    """It is noon in UTC, so in the first zone it is 2 March already."""
    clerk = Clerk()
    await asked(clerk)
    await asked(clerk, "from=2026-02-01&to=")
    await asked(clerk, "to=2026-02-01")
    assert [question[3:] for question in clerk.asked] == [
        (date(2025, 3, 2), date(2026, 3, 2)),
        (date(2026, 2, 1), date(2026, 3, 2)),
        (date(2025, 2, 1), date(2026, 2, 1)),
    ]


async def test_366_days_may_be_asked_for_and_no_more() -> None:
    assert (await asked(Clerk(), "from=2024-01-01&to=2024-12-31")).status_code == 200
    refused = await asked(Clerk(), "from=2024-01-01&to=2025-01-01")
    assert (refused.status_code, refused.json()["rule"]) == (400, "R03")
    assert refused.json()["detail"] == f"from and to include more than {DAYS_MAX} days: ask in parts."


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("from=2026-03-02&to=2026-03-01", "from lies after to."),
        ("from=2026-3-2", "from must be a day, such as 2026-03-27."),
        ("to=2026-02-30", "to must be a day, such as 2026-03-27."),
        ("to=2026-02-03T00:00:00Z", "to must be a day, such as 2026-03-27."),
        ("to=0001-01-03", "from must be a day, such as 2026-03-27."),
        ("from=2026-03-01&form=2026-03-01", "query may have these parameters only: from, to, bom. It has form."),
        ("from=2026-03-01&bom=1", "bom is for CSV alone: ask with Accept: text/csv, or leave it out."),
        ("from=2026-03-01&from=2026-03-02", "query is not UTF-8, or has a parameter twice."),
    ],
)
async def test_malformed_days_say_what_to_write_instead(query: str, detail: str) -> None:
    clerk = Clerk()
    answer = await asked(clerk, query)
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (400, "R03", detail)
    assert clerk.asked == []


async def test_an_owner_that_cannot_exist_is_400() -> None:
    assert (await asked(Clerk(), owner="%00")).json()["rule"] == "R03"
    assert (await asked(Clerk(), owner="x" * 129)).json()["rule"] == "R04"
    assert (await asked(Clerk(), owner="a%2Fb")).status_code == 404


async def test_a_person_sees_only_their_own_days() -> None:
    assert (await asked(Clerk(caller=DANA, days_row=FOUND))).status_code == 200
    clerk = Clerk(caller=DANA, days_row=FOUND)
    foreign = await asked(clerk, owner="noa")
    assert (foreign.status_code, foreign.json()["detail"], clerk.asked) == (404, "There is no such owner.", [])


async def test_days_wait_for_a_position() -> None:
    clerk = Clerk()
    assert (await asked(clerk, **{"X-Min-Position": "3:42"})).status_code == 200
    assert clerk.asked[0] == ("wait_for", "acme", 3, 42, 2.0)
    behind = await asked(Clerk(fresh=False), **{"X-Min-Position": "3:42"})
    assert (behind.status_code, behind.headers["retry-after"]) == (503, "1")


async def test_days_without_postgres_or_any_zone_are_503() -> None:
    for clerk in (Clerk(away=True), Clerk(policy=None)):
        answer = await asked(clerk)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    # An owner with a zone of their own needs no policy.
    assert (await asked(Clerk(policy=None, days_row=replace(NO_DAYS, zone="UTC")))).status_code == 200
