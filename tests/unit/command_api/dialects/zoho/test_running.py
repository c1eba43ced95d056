"""`getcurrentlyrunningtimer`: seconds since a local midnight, also on days that have no midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import hypothesis
import pytest
from hypothesis import strategies as st

from services.command_api.desk.rows import RunningTimer
from services.command_api.dialects.zoho.answers import xml_text
from services.command_api.dialects.zoho.running import running_timer
from tests.support.fakes.desks import DANA, NOON, SHORT, Clerk

RUNNING = "/people/api/timetracker/getcurrentlyrunningtimer"
TIMER = RunningTimer(
    id=SHORT,
    owner="dana",
    name="Dana Levi",
    job_id="J-1",
    billable=False,
    work_date=date(2026, 3, 1),
    work_item=None,
    opened_at=datetime(2026, 3, 1, 11, 58, 30, 400_000, tzinfo=UTC),
    zone="Asia/Jerusalem",
    closed_us=3_600_600_000,
)


async def test_the_running_timer_is_answered_with_all_its_fields() -> None:
    clerk = Clerk(caller=DANA, running=TIMER)
    async with clerk.client() as client:
        answer = await client.get(RUNNING, params={"dateFormat": "dd-MMM-yyyy"})
    assert answer.text == (
        f'{{"response":{{"result":{{"timelogId":"{SHORT}","timerId":"{SHORT}","jobId":"J-1","jobName":"J-1",'
        '"erecno":"dana","employeename":"Dana Levi","taskName":"","workDate":"01-Mar-2026",'
        '"billingStatus":"nonbillable","isRunning":true,"date":50400,"fromTime":50310,"diff":90,"totaltime":3690,'
        '"hours":61},"message":"Running Timer information fetched successfully",'
        '"uri":"/api/timetracker/getcurrentlyrunningtimer","status":0}}'
    )
    assert clerk.asked == [("running_timer", "acme", "dana")]


async def test_there_is_no_result_when_nothing_runs() -> None:
    async with Clerk(caller=DANA).client() as client:
        answer = await client.get(RUNNING)
    assert answer.text == (
        '{"response":{"message":"Running Timer information fetched successfully",'
        '"uri":"/api/timetracker/getcurrentlyrunningtimer","status":0}}'
    )


async def test_in_xml_its_texts_are_escaped_and_what_xml_forbids_is_dropped() -> None:
    timer = replace(TIMER, name='D<&>\x01\x1f\ufffe "L"', work_item="a\rb")
    async with Clerk(caller=DANA, running=timer).client() as client:
        text = (await client.get(RUNNING, headers={"Accept": "text/xml"})).text
    assert "<employeename>D&lt;&amp;&gt; &quot;L&quot;</employeename><taskName>a&#13;b</taskName>" in text
    assert "<isRunning>true</isRunning><date>50400</date>" in text


@pytest.mark.parametrize("date_format", ["HH", "yyyy"])
async def test_a_format_that_says_no_date_is_a_wrong_value(date_format: str) -> None:
    async with Clerk(caller=DANA, running=TIMER).client() as client:
        answer = await client.get(RUNNING, params={"dateFormat": date_format})
    assert (answer.status_code, answer.json()["response"]["errors"]["code"]) == (400, 8001)


async def test_the_running_timer_is_503_behind_its_position_or_without_postgres() -> None:
    async with Clerk(caller=DANA, fresh=False).client() as client:
        behind = await client.get(RUNNING, headers={"X-Min-Position": "3:42"})
        wrong = await client.get(RUNNING, headers={"X-Min-Position": "3"})
    async with Clerk(caller=DANA, away=True).client() as client:
        away = await client.get(RUNNING)
    assert [a.status_code for a in (behind, wrong, away)] == [503, 400, 503]
    assert behind.json()["response"]["errors"]["code"] == "SERVICE_UNAVAILABLE"


def _seconds(opened_at: datetime, now: datetime, zone: str) -> tuple[object, object, object]:
    said = dict(running_timer(replace(TIMER, opened_at=opened_at, zone=zone), now, "yyyy-MM-dd"))
    return said["fromTime"], said["date"], said["diff"]


@pytest.mark.parametrize(
    ("zone", "opened_at", "now", "expected"),
    [
        # 02 -> 03 in between: the wall says 04:00, three hours have passed since midnight
        (
            "Asia/Jerusalem",
            datetime(2026, 3, 26, 23, tzinfo=UTC),
            datetime(2026, 3, 27, 1, tzinfo=UTC),
            (3600, 10800, 7200),
        ),
        # Cairo's midnight does not exist that night: its day begins at 01:00
        (
            "Africa/Cairo",
            datetime(2026, 4, 23, 22, 30, tzinfo=UTC),
            datetime(2026, 4, 23, 23, tzinfo=UTC),
            (1800, 3600, 1800),
        ),
        # over midnight the count goes on from the day on which it began
        ("UTC", datetime(2026, 7, 1, 23, tzinfo=UTC), datetime(2026, 7, 2, 1, tzinfo=UTC), (82800, 90000, 7200)),
        # our clock is behind the log's
        ("UTC", datetime(2026, 7, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), (1, 1, 0)),
    ],
)
def test_seconds_are_elapsed_since_the_local_day_began(
    zone: str, opened_at: datetime, now: datetime, expected: tuple[int, int, int]
) -> None:
    assert _seconds(opened_at, now, zone) == expected


def test_a_timer_without_work_date_is_on_the_day_it_opened() -> None:
    said = dict(running_timer(replace(TIMER, work_date=None, job_id=None), NOON, "yyyy-MM-dd"))
    assert (said["workDate"], said["jobId"], said["jobName"]) == ("2026-03-01", "", "")


@hypothesis.given(st.text())
def test_xml_keeps_every_character_that_it_can_write(text: str) -> None:
    sayable = [
        c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
    ]
    heard = ET.fromstring(f"<a>{xml_text(text)}</a>".encode()).text or ""
    assert heard == "".join(sayable)
