"""Dialect B: `user` may be any name of the token's person, wherever the token comes from."""

import pytest

from services.command_api.desk.commands import StartTimer
from tests.support.fakes.desks import DANA, MACHINE, SHORT, Clerk, accepted

TIMER = "/people/api/timetracker/timer"
START = {"jobId": "J", "workDate": "2026-03-01", "billingStatus": "1", "timer": "start"}
ASKED_FOR_ALIASES = ("person_of", DANA)


def owner_of(clerk: Clerk) -> str:
    command = clerk.only.command
    assert isinstance(command, StartTimer)
    return command.owner


@pytest.mark.parametrize(
    ("user", "asked"), [("dana", []), ("E-17", [ASKED_FOR_ALIASES]), ("DANA@acme.example", [ASKED_FOR_ALIASES])]
)
async def test_a_start_is_its_persons_by_whichever_name(user: str, asked: list[object]) -> None:
    """Only an alias is looked up, so a start for the owner's id needs no Postgres."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get(TIMER, params=START | {"user": user})
    assert (answer.status_code, owner_of(clerk), clerk.asked) == (200, "dana", asked)


async def test_an_alias_that_cannot_be_looked_up_is_503_and_nothing_is_recorded() -> None:
    """The control is the owner's id, which needs no lookup."""
    clerk = Clerk(caller=DANA, away=True)
    async with clerk.client() as client:
        answer = await client.get(TIMER, params=START | {"user": "E-17"})
        assert (answer.status_code, answer.headers["retry-after"], clerk.submitted) == (503, "1", [])
        assert answer.json()["response"]["message"] == "Error in adding timelog"
        assert (await client.get(TIMER, params=START | {"user": "dana"})).status_code == 200


@pytest.mark.parametrize("fault", [{"workDate": "yesterday"}, {"jobId": ""}, {"jobId": "x" * 129}])
async def test_a_malformed_start_is_answered_without_a_lookup(fault: dict[str, str]) -> None:
    clerk = Clerk(caller=DANA, away=True)
    async with clerk.client() as client:
        answer = await client.get(TIMER, params=START | {"user": "E-17"} | fault)
        odd_key = await client.get(TIMER, params=START | {"user": "E-17"}, headers={"Idempotency-Key": ""})
    assert [answer.status_code, odd_key.status_code, clerk.submitted] == [400, 400, []]


async def test_a_retry_hears_its_first_answer_also_when_its_alias_was_taken_away_since() -> None:
    """The first press counts, and its timer runs. Without a key, or a first press, the name is not the caller's."""
    clerk = Clerk(caller=DANA, known=accepted())
    async with clerk.client() as client:
        start, key = START | {"user": "gone@acme.example"}, {"Idempotency-Key": "k"}
        answer = await client.get(TIMER, params=start, headers=key)
        assert (answer.status_code, answer.json()["response"]["result"][0]["timeLogId"]) == (200, str(SHORT))
        [looked_up] = clerk.looked_up
        assert isinstance(looked_up.command, StartTimer)
        assert (looked_up.command.owner, looked_up.key) == ("dana", "k")
        assert (await client.get(TIMER, params=start)).json()["response"]["errors"]["code"] == 7038
        clerk.known = None
        assert (await client.get(TIMER, params=start, headers=key)).json()["response"]["errors"]["code"] == 7038
    assert clerk.submitted == []


async def test_a_machine_names_owners_and_no_aliases() -> None:
    clerk = Clerk(caller=MACHINE)
    async with clerk.client() as client:
        await client.get(TIMER, params=START | {"user": "E-17"})
    assert (owner_of(clerk), clerk.asked) == ("E-17", [])
