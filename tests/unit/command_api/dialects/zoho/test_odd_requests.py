"""Dialect B: odd but lawful requests, as libraries, gateways and languages make them. Each row is one request."""

from urllib.parse import urlencode

import pytest

from services.command_api.desk.commands import PressTimer, StartTimer
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


REFUSED = [
    ("a parameter twice with two values", PAUSE + "&timer=start", b""),
    ("a parameter twice with one value", PAUSE + "&timer=stop", b""),
    ("a parameter in the query and in the form", PAUSE, b"timer=stop"),
    ("a parameter twice that is not known", PAUSE + "&x=1&x=1", b""),
    ("an id twice", PAUSE + "&timeLogId=7", b""),
    ("no UTF-8", "timer=%ff", b""),
    ("too many", "&".join(f"p{n}=1" for n in range(101)), b""),
    *(
        (f"{verb} with a start's {name}", f"timeLogId={SHORT}&timer={verb}&{name}=dana", b"")
        for verb in ("start", "stop")
        for name in ("user", "jobId", "workDate", "billingStatus", "projectId", "description", "workItem")
    ),
    ("a start with an id", f"{START}&timeLogId={SHORT}", b""),
    ("a billing status that is a number of another meaning", START.replace("=billable", "=-1"), b""),
    ("a billing status that means both", START.replace("=billable", "=all"), b""),
]


@pytest.mark.parametrize(("query", "body"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_an_odd_request_is_a_wrong_value(query: str, body: bytes) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.post(f"{TIMER}?{query}", content=body, headers={"Content-Type": FORM})
    assert (answer.status_code, answer.json()["response"]["errors"]["code"], clerk.submitted) == (400, 8001, [])


async def test_two_content_types_are_a_wrong_value() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        headers = [("Content-Type", FORM), ("Content-Type", "application/json")]
        answer = await client.post(TIMER, content=PAUSE.encode(), headers=headers)
    assert (answer.status_code, answer.json()["response"]["errors"]["code"], clerk.submitted) == (400, 8001, [])


@pytest.mark.parametrize("user", ["Dana", "DANA", "dana ", "noa@acme.example"])
async def test_the_owners_id_is_compared_as_it_is(user: str) -> None:
    """Two owners may differ only in a capital letter; two aliases may not."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get(f"{TIMER}?{START.replace('user=dana', urlencode({'user': user}))}")
    assert (answer.json()["response"]["errors"]["code"], clerk.submitted) == (7038, [])
