"""Dialect B: a caller that is locked out (R19) hears so after its token and before anything else is read."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from services.command_api.desk.desk import Away, OverThreshold, Unknown
from tests.support.fakes.desks import DANA, MACHINE, SHORT, Clerk

TIMER = "/people/api/timetracker/timer"
RUNNING = "/people/api/timetracker/getcurrentlyrunningtimer"
START = {"user": "dana", "jobId": "J-1", "workDate": "2026-03-01", "billingStatus": "billable", "timer": "start"}
PAUSE = {"timeLogId": str(SHORT), "timer": "stop"}
RESUME = {"timeLogId": str(SHORT), "timer": "start"}
BLOCKED = "API access blocked since threshold limit exceeded. Please try after some time"
OVER = OverThreshold(287)


@pytest.mark.parametrize("caller", [DANA, MACHINE])
@pytest.mark.parametrize(
    ("path", "said", "message"),
    [
        (TIMER, START, "Error in adding timelog"),
        (TIMER, PAUSE, "Error in pausing the timer"),
        (TIMER, RESUME, "Error in restarting the timer"),
        (RUNNING, {}, "Error in fetching the running timer"),
    ],
)
async def test_a_caller_that_is_locked_out_hears_429_in_its_verbs_words(
    path: str, said: dict[str, str], message: str, caller: object
) -> None:
    clerk = Clerk(caller=caller, over_threshold=OVER)  # type: ignore[arg-type]
    uri = path.removeprefix("/people")
    async with clerk.client() as client:
        in_json = await client.get(path, params=said)
        in_xml = await client.get(path, params=said, headers={"Accept": "text/xml"})
    assert (in_json.status_code, in_json.headers["retry-after"]) == (429, "287")
    assert in_json.text == (
        f'{{"response":{{"message":"{message}","uri":"{uri}",'
        f'"errors":{{"code":7209,"message":"{BLOCKED}"}},"status":1}}}}'
    )
    assert (in_xml.status_code, in_xml.headers["retry-after"]) == (429, "287")
    assert in_xml.text == (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<response uri="{uri}">\n<status>1</status>\n'
        f"<message>{message}</message>\n<errors><code>7209</code><message>{BLOCKED}</message></errors>\n</response>"
    )
    assert (clerk.submitted, clerk.asked) == ([], [])
    assert clerk.counted == [(caller, uri)] * 2


@pytest.mark.parametrize("said", ["timer=go", "timer=stop&timer=stop", "timer=%FF", "timer=start&user=" + "x" * 500])
async def test_the_threshold_goes_before_what_is_wrong_with_the_parameters(said: str) -> None:
    async with Clerk(caller=DANA, over_threshold=OVER).client() as client:
        assert (await client.get(f"{TIMER}?{said}")).status_code == 429
    async with Clerk(caller=DANA).client() as client:  # the control
        assert (await client.get(f"{TIMER}?{said}")).status_code == 400


async def test_the_threshold_goes_before_the_person_that_a_machine_is_not() -> None:
    async with Clerk(caller=MACHINE, over_threshold=OVER).client() as client:
        assert (await client.get(RUNNING)).json()["response"]["errors"]["code"] == 7209
    async with Clerk(caller=MACHINE).client() as client:  # the control
        assert (await client.get(RUNNING)).json()["response"]["errors"]["code"] == 7038


@pytest.mark.parametrize(("caller", "status"), [(Unknown(), 401), (Away(), 503)])
async def test_a_request_without_a_known_token_counts_for_nobody(caller: Unknown | Away, status: int) -> None:
    clerk = Clerk(caller=caller, over_threshold=OVER)
    async with clerk.client() as client:
        assert (await client.post(TIMER, data=PAUSE)).status_code == status
        assert (await client.get(RUNNING)).status_code == status
    assert clerk.counted == []


async def test_every_request_with_a_token_is_counted_once_also_a_malformed_one() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        for said in (PAUSE, {}, {"timer": "go"}):
            await client.post(TIMER, data=said, headers={"Idempotency-Key": "a retry counts too"})
        await client.get(RUNNING)
    timer, running = "/api/timetracker/timer", "/api/timetracker/getcurrentlyrunningtimer"
    assert clerk.counted == [(DANA, timer)] * 3 + [(DANA, running)]


async def test_a_caller_that_is_locked_out_is_not_asked_for_a_body_that_waits() -> None:
    asked: list[int] = []

    async def form() -> AsyncIterator[bytes]:
        asked.append(1)
        yield urlencode(PAUSE).encode()

    said = {"Content-Type": "application/x-www-form-urlencoded"}
    async with Clerk(caller=DANA, over_threshold=OVER).client() as client:
        waits = await client.post(f"{TIMER}?format=xml", content=form(), headers=said | {"Expect": "100-continue"})
        assert (asked, waits.status_code, waits.headers["content-type"]) == ([], 429, "application/xml")
        comes = await client.post(TIMER, content=form(), headers=said)
    assert (asked, comes.json()["response"]["message"]) == ([1], "Error in pausing the timer")


async def test_other_dialects_are_not_counted() -> None:
    clerk = Clerk(over_threshold=OVER)
    async with clerk.client() as client:
        started = await client.post("/v1/timers", json={"owner": "dana"})
        stopped = await client.put(f"/v2/timer/{SHORT}")
        listed = await client.get("/v2/timer/open")
    assert [answer.status_code for answer in (started, stopped, listed)] == [201, 201, 200]
    assert clerk.counted == []
