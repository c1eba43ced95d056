"""Dialect B: the caller is known before a body is asked for, and a failure is told in the words that it can have."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from services.command_api.desk.commands import PressTimer
from services.command_api.desk.desk import Away, Unknown
from tests.support.fakes.desks import DANA, SHORT, Clerk

TIMER = "/people/api/timetracker/timer"
PAUSE = {"timeLogId": str(SHORT), "timer": "stop"}


async def test_an_unknown_caller_is_not_asked_for_a_body_and_hears_the_same() -> None:
    """Only one that waits to be asked; a form that comes by itself says in which format its failure is told."""
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


async def test_an_unknown_caller_who_is_not_asked_hears_the_verb_of_the_query() -> None:
    async with Clerk(caller=Away()).client() as client:
        away = await client.post(TIMER, params=PAUSE, content=b"x=y", headers={"Expect": "100-continue"})
    assert (away.status_code, away.json()["response"]["message"]) == (503, "Error in pausing the timer")


async def test_a_known_caller_is_asked_for_the_body_that_waits() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.post(TIMER, data=PAUSE, headers={"Expect": "100-continue"})
    assert clerk.only.command == PressTimer("pause", SHORT)
