"""Dialect B: dispatch, codes, texts, and both formats to the byte."""

from datetime import date
from urllib.parse import urlencode

import pytest

from services.command_api.desk.commands import Answer, PressTimer, StartTimer
from services.command_api.desk.desk import Away, Unknown
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, LONG, NOT_RECORDED, SHORT, WAITING, Clerk, accepted, refused

TIMER = "/people/api/timetracker/timer"
START = {"user": "dana", "jobId": "J-1", "workDate": "2026-03-01", "billingStatus": "billable", "timer": "start"}
PAUSE = {"timeLogId": str(SHORT), "timer": "stop"}
RESUME = {"timeLogId": str(SHORT), "timer": "start"}
VERBS = {"start": START, "pause": PAUSE, "resume": RESUME}
XML_PAUSED = b"""<?xml version="1.0" encoding="UTF-8"?>
<response uri="/api/timetracker/timer">
<status>0</status>
<message>Timer Paused successfully</message>
</response>"""


def _error(message: str, code: int | str, text: str) -> str:
    shown = code if isinstance(code, int) else f'"{code}"'
    return (
        f'{{"response":{{"message":"{message}","uri":"/api/timetracker/timer",'
        f'"errors":{{"code":{shown},"message":"{text}"}},"status":1}}}}'
    )


async def _get(said: dict[str, str], answer: Answer | None = None, accept: str = "*/*") -> tuple[int, str]:
    async with Clerk(caller=DANA, answer=answer or accepted()).client() as client:
        heard = await client.get(TIMER, params=said, headers={"Accept": accept})
    return heard.status_code, heard.text


async def test_pause_and_resume_are_answered_as_printed() -> None:
    paused = '{"response":{"message":"Timer Paused successfully","uri":"/api/timetracker/timer","status":0}}'
    resumed = '{"response":{"message":"Timer resumed successfully","uri":"/api/timetracker/timer","status":0}}'
    assert await _get(PAUSE) == (200, paused)
    assert await _get(RESUME) == (200, resumed)


async def test_a_start_is_answered_with_the_short_id() -> None:
    assert await _get(START) == (
        200,
        (
            f'{{"response":{{"result":[{{"timeLogId":"{SHORT}"}}],"message":"Timelog entry added Successfully",'
            '"uri":"/api/timetracker/timer","status":0}}'
        ),
    )


@pytest.mark.parametrize("accept", ["application/xml", "text/xml", "application/xml;q=0.9, application/json;q=0.5"])
async def test_xml_is_answered_as_printed(accept: str) -> None:
    assert await _get(PAUSE, accept=accept) == (200, XML_PAUSED.decode())


async def test_the_format_parameter_beats_accept() -> None:
    assert (await _get(PAUSE | {"format": "xml"}))[1] == XML_PAUSED.decode()
    assert (await _get(PAUSE | {"format": "json"}, accept="text/xml"))[1].startswith("{")


async def test_a_start_and_an_error_in_xml() -> None:
    assert (await _get(START | {"format": "xml"}))[1] == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response uri="/api/timetracker/timer">\n<status>0</status>\n'
        "<message>Timelog entry added Successfully</message>\n"
        f"<result><timeLogId>{SHORT}</timeLogId></result>\n</response>"
    )
    assert await _get({"format": "xml"}) == (
        400,
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<response uri="/api/timetracker/timer">\n<status>1</status>\n'
            "<message>Error in adding timelog</message>\n"
            "<errors><code>8000</code><message>No parameter specified</message></errors>\n</response>"
        ),
    )


async def test_a_start_says_all_that_was_given() -> None:
    clerk = Clerk(caller=DANA)
    more = {
        "projectId": "P",
        "description": "d",
        "workItem": "w",
        "workDate": "01-Mar-2026",
        "dateFormat": "dd-MMM-yyyy",
    }
    async with clerk.client() as client:
        await client.post(
            TIMER, data=START | more | {"billingStatus": "Non Billable"}, headers={"Idempotency-Key": "k"}
        )
    assert clerk.only.command == StartTimer(
        owner="dana",
        job_id="J-1",
        project_id="P",
        billable=False,
        work_date=date(2026, 3, 1),
        comment="d",
        work_item="w",
    )
    assert (clerk.only.dialect, clerk.only.key) == ("zoho", "k")


async def test_a_command_may_be_split_over_query_and_form() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.post(TIMER, params={"timeLogId": LONG}, data={"timer": "stop"})
    assert clerk.only.command == PressTimer("pause", SHORT)


@pytest.mark.parametrize(
    ("said", "message", "code", "text"),
    [
        ({}, "Error in adding timelog", 8000, "No parameter specified"),
        ({"timer": ""}, "Error in adding timelog", 8000, "No parameter specified"),
        ({"timeLogId": "1"}, "Error in adding timelog", 8000, "No parameter specified"),
        ({"timer": "go"}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        ({"timer": "START"}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        ({"timer": "go", "timeLogId": "1"}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        ({"timer": "stop"}, "Error in pausing the timer", 8000, "No parameter specified"),
        ({"timer": "stop", "timeLogId": ""}, "Error in pausing the timer", 8000, "No parameter specified"),
        ({"timer": "stop", "timeLogId": "x"}, "Error in pausing the timer", 8001, "Wrong value for parameter"),
        ({"timer": "start", "timeLogId": "x"}, "Error in restarting the timer", 8001, "Wrong value for parameter"),
        ({"timer": "start"}, "Error in adding timelog", 8000, "No parameter specified"),
        (START | {"jobId": ""}, "Error in adding timelog", 8000, "No parameter specified"),
        (START | {"jobId": "", "workDate": "x"}, "Error in adding timelog", 8000, "No parameter specified"),
        (START | {"workDate": "01/03/2026"}, "Error in adding timelog", 8002, "Wrong format for parameter"),
        (START | {"workDate": "2026-02-29"}, "Error in adding timelog", 8002, "Wrong format for parameter"),
        (START | {"dateFormat": "HH:mm"}, "Error in adding timelog", 8002, "Wrong format for parameter"),
        (START | {"billingStatus": "maybe"}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        (START | {"description": "x" * 251}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        (START | {"workItem": "x" * 501}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        (START | {"jobId": "x" * 129}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        (START | {"jobId": "a\0"}, "Error in adding timelog", 8001, "Wrong value for parameter"),
        (START | {"user": "noa@acme.example"}, "Logged-in user alone can start timer", 7038, "Permission denied"),
    ],
)
async def test_a_malformed_request_is_refused_and_not_recorded(
    said: dict[str, str], message: str, code: int, text: str
) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.post(TIMER, data=said)
    assert (answer.status_code, answer.text) == (400, _error(message, code, text))
    assert clerk.submitted == []


async def test_texts_and_names_may_be_as_long_as_they_are_documented() -> None:
    """One character more of each is refused above. A character may have several bytes."""
    longest = {"projectId": "x" * 128, "jobId": "x" * 128, "description": "ש" * 250, "workItem": "ש" * 500}
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post(TIMER, data=START | longest | {"user": "x" * 128})
    assert answer.status_code == 200
    assert clerk.only.command == StartTimer(
        owner="x" * 128,
        job_id="x" * 128,
        project_id="x" * 128,
        billable=True,
        work_date=date(2026, 3, 1),
        comment="ש" * 250,
        work_item="ש" * 500,
    )


@pytest.mark.parametrize("word", ["billable", "Billable", "1", "non-billable", "NonBillable", "NON BILLABLE", "0"])
async def test_billing_words_in_any_case(word: str) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.get(TIMER, params=START | {"billingStatus": word})
    assert isinstance(clerk.only.command, StartTimer)
    assert clerk.only.command.billable is (word.lower() in {"billable", "1"})


@pytest.mark.parametrize("user", ["dana", "dana@acme.example", "Dana@ACME.example", "E-17", "e-17"])
async def test_user_is_any_alias_of_the_tokens_person(user: str) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.get(TIMER, params=START | {"user": user})
    assert isinstance(clerk.only.command, StartTimer)
    assert clerk.only.command.owner == "dana"


async def test_a_machine_acts_for_a_named_owner_and_runs_no_timer() -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        await client.get(TIMER, params=START | {"user": "noa"})
        running = await client.get("/people/api/timetracker/getcurrentlyrunningtimer")
    assert isinstance(clerk.only.command, StartTimer)
    assert clerk.only.command.owner == "noa"
    assert (running.status_code, running.json()["response"]["errors"]["code"]) == (400, 7038)


CAP = "Logged Hours is greater than maximum billable hours allowed per day"
ESTIMATE = "Logged Hours is greater than Estimated hours"
ALONE = "Logged-in user alone can start timer"
DISABLED = "Timer is disabled in Settings. Contact your Administrator"
DAY_OFF = "Cannot log time during Weekend/Holidays/Leave"
WRONG = "Wrong value for parameter"
IN_START, IN_PAUSE, IN_RESUME = "Error in adding timelog", "Error in pausing the timer", "Error in restarting the timer"
WORDS = [
    (Rule.TIMER_UNKNOWN, "pause", IN_PAUSE, 8001, WRONG),
    (Rule.TIMER_UNKNOWN, "resume", IN_RESUME, 8001, WRONG),
    (Rule.NOT_THE_OWNER, "start", ALONE, 7038, "Permission denied"),
    (Rule.NOT_THE_OWNER, "pause", f"Error in pausing timer.{ALONE}", 7038, "Permission denied"),
    (Rule.NOT_THE_OWNER, "resume", f"Error in starting timer.{ALONE}", 7038, "Permission denied"),
    (Rule.NOT_LEGAL_NOW, "pause", IN_PAUSE, 8001, WRONG),
    (Rule.TIMERS_DISABLED, "start", IN_START, 8005, DISABLED),
    (Rule.DAY_OFF, "resume", IN_RESUME, 8008, DAY_OFF),
    (Rule.OUTSIDE_ATTENDANCE, "pause", "Cannot log time beyond attendance hours", 8008, DAY_OFF),
    (Rule.OVER_DAILY_CAP, "start", f"Error in adding/modifying Timelog.{CAP}", 8005, DISABLED),
    (Rule.OVER_DAILY_CAP, "resume", f"Error in restarting the Timer.{CAP}", 8005, DISABLED),
    (Rule.OVER_DAILY_CAP, "pause", f"Error in pausing the Timer.{CAP}", 8005, DISABLED),
    (Rule.OVER_ESTIMATE, "start", f"Error in adding/modifying Timelog.{ESTIMATE}", 8005, DISABLED),
    (Rule.OVER_ESTIMATE, "resume", f"Error in restarting the Timer.{ESTIMATE}", 8005, DISABLED),
    (Rule.OVER_ESTIMATE, "pause", f"Error in pausing the Timer.{ESTIMATE}", 8005, DISABLED),
    (Rule.OVERLAP, "start", IN_START, 8005, DISABLED),
    (Rule.FUTURE_TIME, "start", "Cannot log time for a Future Date", 8001, WRONG),
    (Rule.PAST_TIME, "start", "Cannot log time for a Past Date", 8001, WRONG),
    (Rule.OWNER_UNKNOWN, "start", IN_START, 8001, WRONG),
    (Rule.KEY_REUSED, "pause", IN_PAUSE, 8001, WRONG),
]


@pytest.mark.parametrize(("rule", "verb", "message", "code", "text"), WORDS)
async def test_each_rule_has_its_published_words(rule: Rule, verb: str, message: str, code: int, text: str) -> None:
    assert await _get(VERBS[verb], refused(rule)) == (400, _error(message, code, text))


async def test_a_bad_token_is_401() -> None:
    async with Clerk(caller=Unknown()).client() as client:
        answer = await client.get(TIMER, params=PAUSE)
    said = "The provided OAuth token is invalid"
    assert (answer.status_code, answer.text) == (401, _error(said, "INVALID_OAUTHTOKEN", said))


@pytest.mark.parametrize("verb", VERBS)
async def test_a_press_not_judged_in_time_is_503_in_its_verbs_words(verb: str) -> None:
    message = {"start": IN_START, "pause": IN_PAUSE, "resume": IN_RESUME}[verb]
    expected = _error(message, "SERVICE_UNAVAILABLE", "Please try after some time")
    async with Clerk(caller=Away()).client() as client:
        away = await client.post(
            TIMER, content=urlencode(VERBS[verb]), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
    assert (away.status_code, away.text, away.headers["retry-after"]) == (503, expected, "1")
    assert await _get(VERBS[verb], WAITING) == (503, expected)
    assert await _get(VERBS[verb], NOT_RECORDED) == (503, expected)


async def test_a_malformed_key_is_a_wrong_value() -> None:
    async with Clerk(caller=DANA).client() as client:
        answer = await client.get(TIMER, params=PAUSE, headers={"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.text) == (400, _error(IN_PAUSE, 8001, WRONG))


async def test_a_head_request_records_no_press() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        assert (await client.head(TIMER, params=PAUSE)).status_code == 405
    assert clerk.submitted == []


async def test_unknown_methods_and_paths_are_answered_in_this_dialect() -> None:
    async with Clerk().client() as client:
        method = await client.delete(TIMER)
        path = await client.get("/people/api/nothing?format=xml")
    assert (method.status_code, method.json()["response"]["status"]) == (405, 1)
    assert (path.status_code, path.headers["content-type"]) == (404, "application/xml")
