"""Dialect B: odd but lawful requests, as libraries, gateways and languages make them. Each row is one request."""

from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx2 as httpx
import pytest

from services.command_api.desk.commands import PressTimer, StartTimer
from services.command_api.desk.desk import Away
from tests.support.fakes.desks import DANA, NOON, SHORT, Clerk

TIMER = "/people/api/timetracker/timer"
FORM = "application/x-www-form-urlencoded"
FORM_IN_CAPITALS = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
PAUSE = f"timeLogId={SHORT}&timer=stop"
START = "user=dana&jobId=J&workDate=2026-03-01&billingStatus=billable&timer=start"
PAUSED = PressTimer("pause", SHORT)
STARTED = StartTimer(owner="dana", job_id="J", billable=True, work_date=NOON.date())

ACCEPTED = [
    ("all in the query", PAUSE, b"", FORM, PAUSED),
    ("all in a form", "", PAUSE.encode(), FORM, PAUSED),
    ("a form whose type has capitals and a charset", "", PAUSE.encode(), FORM_IN_CAPITALS, PAUSED),
    ("half in each", f"timeLogId={SHORT}", b"timer=stop", FORM, PAUSED),
    ("an empty one beside it", PAUSE + "&timer=", b"timeLogId=", FORM, PAUSED),
    ("a start's parameters, empty", PAUSE + "&user=&jobId=", b"", FORM, PAUSED),
    ("a format for dates with a pause", PAUSE + "&dateFormat=dd-MM-yyyy", b"", FORM, PAUSED),
    ("a parameter that is not known", PAUSE + "&x=1", b"", FORM, PAUSED),
    ("a body that is no form", PAUSE, b'{"timer":"start"}', "application/json", PAUSED),
    ("an empty timeLogId with a start", START + "&timeLogId=", b"", FORM, STARTED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "body", "kind", "command"), [row[1:] for row in ACCEPTED], ids=[r[0] for r in ACCEPTED]
)
async def test_an_odd_request_is_understood(query: str, body: bytes, kind: str, command: object) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.post(f"{TIMER}?{query}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert clerk.only.command == command


START_FAILED, PAUSE_FAILED, RESUME_FAILED = (
    "Error in adding timelog",
    "Error in pausing the timer",
    "Error in restarting the timer",
)
RESUME = f"timeLogId={SHORT}&timer=start"
# What is given once names the verb and the format. The rest is not believed, not even where it says the same twice.
REFUSED = [
    ("a parameter twice with two values", PAUSE + "&timer=start", b"", START_FAILED, "json"),
    ("a parameter twice with one value", PAUSE + "&timer=stop", b"", START_FAILED, "json"),
    ("a parameter in the query and in the form", PAUSE, b"timer=stop", START_FAILED, "json"),
    ("a parameter twice that is not known", PAUSE + "&x=1&x=1", b"", PAUSE_FAILED, "json"),
    ("the same with a resume, in XML", RESUME + "&x=1&x=1&format=xml", b"", RESUME_FAILED, "xml"),
    ("the same with a start, in XML", START + "&x=1&x=1", b"format=xml", START_FAILED, "xml"),
    ("a pause's id twice", PAUSE + "&timeLogId=7", b"", PAUSE_FAILED, "json"),
    ("a resume's id twice, in XML", RESUME + "&format=xml", b"timeLogId=7", RESUME_FAILED, "xml"),
    ("a format twice", PAUSE + "&format=xml&format=xml", b"", PAUSE_FAILED, "json"),
    ("no UTF-8", "timer=%ff", b"", START_FAILED, "json"),
    ("no UTF-8 beside a pause in XML", PAUSE + "&format=xml&x=%ff", b"", PAUSE_FAILED, "xml"),
    ("no UTF-8 in a name", PAUSE + "&%ff=1", b"", PAUSE_FAILED, "json"),
    ("no UTF-8 in the form", PAUSE, b"format=xml&x=\xff", PAUSE_FAILED, "xml"),
    ("a zero byte", PAUSE + "&format=xml&x=%00", b"", PAUSE_FAILED, "xml"),
    ("too many", "&".join(f"p{n}=1" for n in range(101)), b"", START_FAILED, "json"),
    ("too many in the form", PAUSE, "&".join(f"p{n}=1" for n in range(101)).encode(), PAUSE_FAILED, "json"),
    *(
        (f"{verb} with a start's {name}", f"timeLogId={SHORT}&timer={verb}&{name}=dana", b"", failed, "json")
        for verb, failed in (("start", RESUME_FAILED), ("stop", PAUSE_FAILED))
        for name in ("user", "jobId", "workDate", "billingStatus", "projectId", "description", "workItem")
    ),
    ("a start with an id", f"{START}&timeLogId={SHORT}", b"", RESUME_FAILED, "json"),
    ("a billing status of another meaning", START.replace("=billable", "=-1"), b"", START_FAILED, "json"),
    ("a billing status that means both", START.replace("=billable", "=all"), b"", START_FAILED, "json"),
]


def failure_in(answer: httpx.Response) -> tuple[str, int, str]:
    """Return the format of an error, its code and the message over it."""
    kind = answer.headers["content-type"].removeprefix("application/")
    if kind == "xml":
        response = ET.fromstring(answer.content)
        return kind, int(response.findtext("errors/code", "")), response.findtext("message", "")
    response = answer.json()["response"]
    return kind, response["errors"]["code"], response["message"]


@pytest.mark.parametrize(
    ("query", "body", "message", "kind"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_an_odd_request_is_a_wrong_value(query: str, body: bytes, message: str, kind: str) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.post(f"{TIMER}?{query}", content=body, headers={"Content-Type": FORM})
    assert (answer.status_code, failure_in(answer)) == (400, (kind, 8001, message))
    assert clerk.submitted == []


async def test_two_content_types_are_a_wrong_value() -> None:
    """The query is read all the same."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        headers = [("Content-Type", FORM), ("Content-Type", "application/json")]
        answer = await client.post(f"{TIMER}?{PAUSE}&format=xml", content=PAUSE.encode(), headers=headers)
    assert (answer.status_code, failure_in(answer)) == (400, ("xml", 8001, PAUSE_FAILED))
    assert clerk.submitted == []


async def test_a_question_for_the_running_timer_with_a_parameter_twice_is_a_wrong_value_in_its_format() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get("/people/api/timetracker/getcurrentlyrunningtimer?format=xml&x=1&x=1")
    assert (answer.status_code, failure_in(answer)[:2]) == (400, ("xml", 8001))
    assert clerk.asked == []


async def test_a_caller_who_is_turned_away_with_a_parameter_twice_hears_the_verb_and_the_format() -> None:
    async with Clerk(caller=Away()).client() as client:
        answer = await client.post(f"{TIMER}?{PAUSE}&format=xml&x=1&x=1")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/xml")
    assert f"<message>{PAUSE_FAILED}</message>" in answer.text


async def test_a_format_twice_is_not_believed_where_no_call_answers() -> None:
    async with Clerk().client() as client:
        twice = await client.put(f"{TIMER}?format=json&format=xml")
        once = await client.put(f"{TIMER}?format=xml&x=1&x=1")
    kinds = [answer.headers["content-type"] for answer in (twice, once)]
    assert (twice.status_code, once.status_code, kinds) == (405, 405, ["application/json", "application/xml"])


@pytest.mark.parametrize("user", ["Dana", "DANA", "dana ", "noa@acme.example"])
async def test_the_owners_id_is_compared_as_it_is(user: str) -> None:
    """Two owners may differ only in a capital letter; two aliases may not."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get(f"{TIMER}?{START.replace('user=dana', urlencode({'user': user}))}")
    assert (answer.json()["response"]["errors"]["code"], clerk.submitted) == (7038, [])
