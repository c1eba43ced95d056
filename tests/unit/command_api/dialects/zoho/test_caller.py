"""Dialect B: the caller is looked up before a body is asked for, and a failure uses the words known by then."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from services.command_api.desk.commands import PressTimer
from services.command_api.desk.desk import Away, Unknown
from tests.support.fakes.desks import DANA, SHORT, Clerk

TIMER = "/people/api/timetracker/timer"
PAUSE = {"timeLogId": str(SHORT), "timer": "stop"}


async def test_an_unknown_caller_is_not_asked_for_a_body() -> None:
    """This is about a caller that waits to be asked. A form that comes unasked names the format of its failure."""
    asked: list[int] = []

    async def form() -> AsyncIterator[bytes]:
        asked.append(1)
        yield urlencode(PAUSE | {"format": "xml"}).encode()

    said = {"Content-Type": "application/x-www-form-urlencoded"}
    async with Clerk(caller=Unknown()).client() as client:
        waits = await client.post(f"{TIMER}?format=xml", content=form(), headers=said | {"Expect": "100-continue"})
        assert asked == []
        comes = await client.post(TIMER, content=form(), headers=said)
    assert (waits.status_code, waits.content) == (comes.status_code, comes.content)
    assert (comes.status_code, comes.headers["content-type"], asked) == (401, "application/xml", [1])


async def test_a_body_waits_whichever_of_two_expectations_says_so() -> None:
    """The guard around the body and the server read all of them too."""
    asked: list[int] = []

    async def form() -> AsyncIterator[bytes]:
        asked.append(1)
        yield urlencode(PAUSE).encode()

    kind = ("Content-Type", "application/x-www-form-urlencoded")
    async with Clerk(caller=Unknown()).client() as client:
        waits = [kind, ("Expect", "a-receipt"), ("Expect", "100-Continue")]
        assert (await client.post(TIMER, content=form(), headers=waits)).status_code == 401
        assert asked == []
        comes = await client.post(TIMER, content=form(), headers=waits[:2])
    assert (comes.status_code, asked) == (401, [1])


async def test_a_caller_not_asked_for_a_body_hears_the_querys_verb() -> None:
    async with Clerk(caller=Away()).client() as client:
        away = await client.post(TIMER, params=PAUSE, content=b"x=y", headers={"Expect": "100-continue"})
    assert (away.status_code, away.json()["response"]["message"]) == (503, "Error in pausing the timer")


async def test_a_known_caller_is_asked_for_the_body_that_waits() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.post(TIMER, data=PAUSE, headers={"Expect": "100-continue"})
    assert clerk.only.command == PressTimer("pause", SHORT)
