"""An owner is compared as text in every dialect: two spellings that look alike are two owners."""

from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import quote

import pytest

from services.command_api.desk.commands import (
    AskedTime,
    Caller,
    Command,
    EraseTexts,
    RecordAttendance,
    SetEstimate,
    SetLeave,
    SetProfile,
    StartTimer,
)
from services.command_api.desk.questions import TimerFilter, ViolationFilter
from tests.support.fakes.desks import ADMIN, Clerk

# The same name to a reader: é is one code point (NFC), or an e and an accent (NFD).
COMPOSED: Final = "Jos\u00e9"
DECOMPOSED: Final = "Jose\u0301"
ON: Final = date(2026, 4, 2)
IN: Final = "2026-04-02T09:00:00Z"
CHECKED_IN: Final = AskedTime(datetime(2026, 4, 2, 9, tzinfo=UTC), IN)
B_START: Final = "/people/api/timetracker/timer?jobId=J&workDate=2026-04-02&billingStatus=1&timer=start&user="

spelt_both_ways = pytest.mark.parametrize("owner", [COMPOSED, DECOMPOSED], ids=["composed", "decomposed"])


@spelt_both_ways
@pytest.mark.parametrize("path", ["/v2/timer/start", "/v1/timers"])
async def test_an_owner_in_a_body_is_recorded_as_it_is_spelt(path: str, owner: str) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post(path, content=f'{{"owner":"{owner}"}}'.encode())
    assert (answer.status_code, clerk.only.command) == (201, StartTimer(owner))


@spelt_both_ways
async def test_a_user_of_dialect_b_is_recorded_as_it_is_spelt(owner: str) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.get(B_START + quote(owner))
    start = StartTimer(owner, job_id="J", billable=True, work_date=ON)
    assert (answer.status_code, clerk.only.command) == (200, start)


@spelt_both_ways
async def test_an_owner_in_a_path_is_recorded_as_it_is_spelt(owner: str) -> None:
    path = f"/v1/owners/{quote(owner)}"
    stated: list[tuple[str, str, bytes, Command]] = [
        ("PUT", path, b'{"active":true}', SetProfile(owner, active=True)),
        ("PUT", f"{path}/leave/2026-04-02", b"", SetLeave(owner, ON, granted=True)),
        (
            "POST",
            f"{path}/attendance",
            f'{{"checked_in_at":"{IN}","on":"{ON}"}}'.encode(),
            RecordAttendance(owner, ON, CHECKED_IN),
        ),
        ("PUT", f"{path}/estimates/J", b'{"seconds":1}', SetEstimate(owner, "J", 1)),
        ("DELETE", f"{path}/texts", b"", EraseTexts(owner)),
    ]
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        for method, its_path, body, _ in stated:
            await client.request(method, its_path, content=body)
    assert [press.command for press in clerk.submitted] == [command for *_, command in stated]


@spelt_both_ways
async def test_an_owner_is_looked_up_as_it_is_spelt(owner: str) -> None:
    asked = [
        ("owners/{}", ("owner", "acme", owner)),
        ("owners/{}/current", ("current", "acme", owner, 1000)),
        ("owners/{}/days?from=2026-04-02&to=2026-04-02", ("days", "acme", owner, ON, ON)),
        ("timers?owner={}", ("timers", "acme", TimerFilter(owner), None, 100)),
        ("violations?owner={}", ("violations", "acme", ViolationFilter(owner), None, 100)),
    ]
    clerk = Clerk()
    async with clerk.client() as client:
        for path, _ in asked:
            await client.get(f"/v1/{path.format(quote(owner))}")
    assert clerk.asked == [question for _, question in asked]


async def test_a_person_is_not_the_owner_of_another_spelling_of_their_name() -> None:
    clerk = Clerk(caller=Caller("acme", "zoho-client", "person", COMPOSED))
    async with clerk.client() as client:
        read = await client.get(f"/v1/owners/{quote(DECOMPOSED)}")
        start = await client.get(B_START + quote(DECOMPOSED))
    assert (read.status_code, start.json()["response"]["errors"]["code"]) == (404, 7038)
    assert clerk.submitted == []
