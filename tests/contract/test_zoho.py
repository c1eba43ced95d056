"""Dialect B against running services, byte for byte: the second seed's examples as printed."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.stack.deployments import Person, Tenant
from tests.support.stack.ways_in import bearer, zoho

TIMER = "/people/api/timetracker/timer"
RUNNING = "/people/api/timetracker/getcurrentlyrunningtimer"

PRINTED_PAUSED = """{
    "response": {
        "message": "Timer Paused successfully",
        "uri": "/api/timetracker/timer",
        "status": 0
    }
}"""
PRINTED_RESUMED = PRINTED_PAUSED.replace("Timer Paused", "Timer resumed")
PRINTED_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<response uri="/api/timetracker/timer">
<status>0</status>
<message>Timer Paused successfully</message>
</response>"""


def _compact(printed: str) -> bytes:
    """Return printed JSON without the page's blanks; the order of members stays."""
    return json.dumps(json.loads(printed), separators=(",", ":")).encode()


def _refusal(message: str, code: int, text: str) -> bytes:
    return (
        f'{{"response":{{"message":"{message}","uri":"/api/timetracker/timer",'
        f'"errors":{{"code":{code},"message":"{text}"}},"status":1}}}}'
    ).encode()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


async def _start(http: httpx.AsyncClient, person: Person, **more: str) -> str:
    said = {
        "user": person.aliases[0],
        "jobId": "J-1",
        "workDate": _today(),
        "billingStatus": "Billable",
        "timer": "start",
    }
    answer = await http.post(TIMER, data=said | more, headers=zoho(person.token))
    match = re.fullmatch(
        rb'\{"response":\{"result":\[\{"timeLogId":"([0-9]{18,19})"\}\],"message":"Timelog entry added Successfully",'
        rb'"uri":"/api/timetracker/timer","status":0\}\}',
        answer.content,
    )
    assert match is not None, answer.content
    assert answer.status_code == 200
    return match[1].decode()


async def _timer(
    http: httpx.AsyncClient, person: Person, time_log_id: str, timer: str, **headers: str
) -> httpx.Response:
    # Written like the document's sample request.
    return await http.post(f"{TIMER}?timeLogId={time_log_id}&timer={timer}", headers=zoho(person.token) | headers)


async def test_pause_and_resume_are_answered_as_printed(http: httpx.AsyncClient, person: Person) -> None:
    time_log_id = await _start(http, person)
    paused = await _timer(http, person, time_log_id, "stop")
    resumed = await _timer(http, person, time_log_id, "start")
    assert (paused.status_code, paused.content) == (200, _compact(PRINTED_PAUSED))
    assert (resumed.status_code, resumed.content) == (200, _compact(PRINTED_RESUMED))


async def test_xml_is_answered_as_printed(http: httpx.AsyncClient, person: Person) -> None:
    time_log_id = await _start(http, person)
    paused = await _timer(http, person, time_log_id, "stop", Accept="application/xml")
    assert (paused.status_code, paused.content) == (200, PRINTED_XML)


async def test_get_and_bearer_do_as_well(http: httpx.AsyncClient, person: Person) -> None:
    time_log_id = await _start(http, person)
    answer = await http.get(
        TIMER,
        params={"timeLogId": time_log_id, "timer": "stop"},
        headers=bearer(person.token),
    )
    assert answer.content == _compact(PRINTED_PAUSED)


async def test_a_pause_of_a_paused_timer_is_a_wrong_value(http: httpx.AsyncClient, person: Person) -> None:
    time_log_id = await _start(http, person)
    await _timer(http, person, time_log_id, "stop")
    again = await _timer(http, person, time_log_id, "stop")
    assert (again.status_code, again.content) == (
        400,
        _refusal("Error in pausing the timer", 8001, "Wrong value for parameter"),
    )


async def test_only_the_owner_may_press(http: httpx.AsyncClient, person: Person, other_person: Person) -> None:
    time_log_id = await _start(http, person)
    alone = "Logged-in user alone can start timer"
    pause = await _timer(http, other_person, time_log_id, "stop")
    resume = await _timer(http, other_person, time_log_id, "start")
    start = await http.post(
        TIMER,
        data={"user": person.owner, "jobId": "J", "workDate": _today(), "billingStatus": "billable", "timer": "start"},
        headers=zoho(other_person.token),
    )
    assert pause.content == _refusal(f"Error in pausing timer.{alone}", 7038, "Permission denied")
    assert resume.content == _refusal(f"Error in starting timer.{alone}", 7038, "Permission denied")
    assert start.content == _refusal(alone, 7038, "Permission denied")
    assert {a.status_code for a in (pause, resume, start)} == {400}


@pytest.mark.parametrize(
    ("query", "message", "code", "text"),
    [
        ("", "Error in adding timelog", 8000, "No parameter specified"),
        ("timer=stop", "Error in pausing the timer", 8000, "No parameter specified"),
        ("timer=go&timeLogId=1", "Error in adding timelog", 8001, "Wrong value for parameter"),
        ("timer=stop&timeLogId=1", "Error in pausing the timer", 8001, "Wrong value for parameter"),
        ("timer=start&timeLogId=1", "Error in restarting the timer", 8001, "Wrong value for parameter"),
        (
            "timer=start&user=x&jobId=J&workDate=1.1.2026&billingStatus=billable",
            "Error in adding timelog",
            8002,
            "Wrong format for parameter",
        ),
    ],
)
async def test_each_malformed_request_has_its_code(
    http: httpx.AsyncClient, person: Person, query: str, message: str, code: int, text: str
) -> None:
    answer = await http.post(f"{TIMER}?{query}", headers=zoho(person.token))
    assert (answer.status_code, answer.content) == (400, _refusal(message, code, text))


async def test_a_work_date_in_the_future_is_refused(http: httpx.AsyncClient, person: Person) -> None:
    said = {"user": person.owner, "jobId": "J", "workDate": "2999-01-01", "billingStatus": "billable", "timer": "start"}
    answer = await http.post(TIMER, data=said, headers=zoho(person.token))
    assert answer.content == _refusal("Cannot log time for a Future Date", 8001, "Wrong value for parameter")


async def test_a_bad_token_is_401(http: httpx.AsyncClient) -> None:
    answer = await http.post(TIMER, headers={"Authorization": "Zoho-oauthtoken 1000.8cb99dxxxxxxxx9be93.9b8xxxxxxf"})
    assert (answer.status_code, answer.json()["response"]["errors"]["code"]) == (401, "INVALID_OAUTHTOKEN")


async def test_the_running_timer_is_empty_before_the_first_start(http: httpx.AsyncClient, person: Person) -> None:
    message, uri = "Running Timer information fetched successfully", "/api/timetracker/getcurrentlyrunningtimer"
    nothing = f'{{"response":{{"message":"{message}","uri":"{uri}","status":0}}}}'
    assert (await http.get(RUNNING, headers=zoho(person.token))).text == nothing
    time_log_id = await _start(http, person)
    said: dict[str, Any] = (await http.get(RUNNING, headers=zoho(person.token))).json()["response"]
    result = said.pop("result")
    assert said == {"message": message, "uri": uri, "status": 0}
    assert list(result) == [
        "timelogId",
        "timerId",
        "jobId",
        "jobName",
        "erecno",
        "employeename",
        "taskName",
        "workDate",
        "billingStatus",
        "isRunning",
        "date",
        "fromTime",
        "diff",
        "totaltime",
        "hours",
    ]
    assert (result["timelogId"], result["erecno"], result["employeename"]) == (time_log_id, person.owner, person.name)
    assert (result["workDate"], result["billingStatus"], result["isRunning"]) == (_today(), "billable", True)
    assert result["diff"] == result["date"] - result["fromTime"] <= result["totaltime"] + 1
    await _timer(http, person, time_log_id, "stop")
    assert (await http.get(RUNNING, headers=zoho(person.token))).text == nothing


async def test_a_timer_is_one_timer_in_every_dialect(http: httpx.AsyncClient, person: Person, tenant: Tenant) -> None:
    time_log_id = await _start(http, person)
    stopped = await http.put(f"/v2/timer/{time_log_id}", headers=bearer(tenant.token))
    assert stopped.status_code == 201
    read = await http.get(f"/v1/timers/{time_log_id}", headers=bearer(tenant.token))
    assert (read.json()["state"], read.json()["timelog_id"]) == ("STOPPED", time_log_id)
