"""Dialect C: all that is known of an owner."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.command_api.desk.commands import Caller
from services.command_api.desk.rows import AttendanceWindow, OwnerRow
from tests.support.fakes.desks import ADMIN, DANA, MACHINE, NOON, Clerk

DANAS = "/v1/owners/dana"
ROW = OwnerRow(
    zone="Europe/Berlin",
    timers_disabled=False,
    active=True,
    aliases=("E-17",),
    leave=(date(2026, 4, 2),),
    attendance=(
        AttendanceWindow(date(2026, 3, 1), NOON, NOON + timedelta(hours=1)),
        AttendanceWindow(date(2026, 3, 1), NOON + timedelta(hours=2), None),
    ),
    estimates=(("J-1", 7200),),
    position="3:42",
)


@pytest.mark.parametrize("caller", [ADMIN, MACHINE, DANA], ids=lambda caller: caller.role)
async def test_all_that_is_known_of_an_owner_is_told(caller: Caller) -> None:
    async with Clerk(caller=caller, owner_row=ROW).client() as client:
        answer = await client.get(DANAS)
    assert (answer.status_code, answer.text) == (
        200,
        (
            '{"owner":"dana","zone":"Europe/Berlin","timers_disabled":false,"active":true,"aliases":["E-17"],'
            '"leave":["2026-04-02"],"attendance":['
            '{"on":"2026-03-01","checked_in_at":"2026-03-01T12:00:00.000000Z",'
            '"checked_out_at":"2026-03-01T13:00:00.000000Z"},'
            '{"on":"2026-03-01","checked_in_at":"2026-03-01T14:00:00.000000Z","checked_out_at":null}],'
            '"estimates":[{"job_id":"J-1","seconds":7200}],"position":"3:42"}'
        ),
    )


async def test_what_was_never_stated_is_null() -> None:
    async with Clerk().client() as client:
        answer = await client.get(DANAS)
    assert answer.json() == {
        "owner": "dana",
        "zone": None,
        "timers_disabled": None,
        "active": None,
        "aliases": None,
        "leave": [],
        "attendance": [],
        "estimates": [],
        "position": None,
    }


async def test_a_person_reads_no_other_owner() -> None:
    """Another owner is 404, whatever is known of them, and Postgres is not asked."""
    clerk = Clerk(caller=DANA, owner_row=ROW)
    async with clerk.client() as client:
        answer = await client.get("/v1/owners/noa")
    assert (answer.status_code, answer.json()["detail"], clerk.asked) == (404, "There is no such owner.", [])


async def test_the_reading_of_an_owner_waits_for_a_position() -> None:
    clerk = Clerk(owner_row=replace(ROW, zone=None))
    async with clerk.client() as client:
        assert (await client.get(DANAS, headers={"X-Min-Position": "3:42"})).status_code == 200
    assert clerk.asked == [("wait_for", "acme", 3, 42, 2.0), ("owner", "acme", "dana")]
    async with Clerk(away=True).client() as client:
        assert (await client.get(DANAS)).status_code == 503
