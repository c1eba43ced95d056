"""Dialect C: aliases belong to a person. They are set beside the press, and are in no event."""

import pytest

from services.command_api.desk.commands import Answer, Learned, SetProfile
from services.command_api.desk.rows import OwnerRow
from shared.events.outcome import Fact
from shared.events.rules import Rule
from tests.support.fakes.desks import ADMIN, NOT_RECORDED, POSITION, WAITING, Clerk, refused

DANAS = "/v1/owners/dana"
PERSON = OwnerRow(aliases=("old",))
LEARNED = Learned("dana", Fact(kind="profile", body={}), POSITION)
SET = ("set_aliases", "acme", "dana", ("E-17", "dana@acme.example"))
BODY = {"aliases": ["E-17", "dana@acme.example"], "active": True}


async def test_aliases_are_set_after_the_press_and_answered_beside_its_fact() -> None:
    clerk = Clerk(caller=ADMIN, answer=LEARNED, owner_row=PERSON)
    async with clerk.client() as client:
        answer = await client.put(DANAS, json=BODY)
    assert answer.text == (
        '{"owner":"dana","fact":{"kind":"profile"},"aliases":["E-17","dana@acme.example"],"position":"3:42"}'
    )
    assert clerk.only.command == SetProfile("dana", active=True)
    assert clerk.asked == [("owner", "acme", "dana"), SET]


async def test_no_aliases_are_other_aliases_and_absent_ones_stay() -> None:
    clerk = Clerk(caller=ADMIN, answer=LEARNED, owner_row=PERSON)
    async with clerk.client() as client:
        await client.put(DANAS, json={"aliases": []})
        await client.put(DANAS, json={"aliases": None})
        await client.put(DANAS, json={})
    assert [question for question in clerk.asked if question[0] == "set_aliases"] == [
        ("set_aliases", "acme", "dana", ())
    ]


async def test_aliases_of_no_person_are_404_and_nothing_is_recorded() -> None:
    clerk = Clerk(caller=ADMIN, answer=LEARNED)
    async with clerk.client() as client:
        answer = await client.put(DANAS, json=BODY)
    assert (answer.status_code, answer.json()["rule"], clerk.submitted) == (404, None, [])
    assert "no person" in answer.json()["detail"]


async def test_a_person_that_is_removed_meanwhile_is_404_too() -> None:
    async with Clerk(caller=ADMIN, answer=LEARNED, owner_row=PERSON, is_person=False).client() as client:
        assert (await client.put(DANAS, json=BODY)).status_code == 404


@pytest.mark.parametrize(
    ("answer", "status", "sets"),
    [(WAITING, 202, True), (NOT_RECORDED, 503, False), (refused(Rule.KEY_REUSED), 422, False)],
    ids=["waiting", "not recorded", "refused"],
)
async def test_aliases_are_set_when_the_press_is_recorded(answer: Answer, status: int, sets: bool) -> None:  # noqa: FBT001
    clerk = Clerk(caller=ADMIN, answer=answer, owner_row=PERSON)
    async with clerk.client() as client:
        assert (await client.put(DANAS, json=BODY)).status_code == status
    assert (SET in clerk.asked) == sets


async def test_aliases_without_postgres_are_503() -> None:
    clerk = Clerk(caller=ADMIN, answer=LEARNED, away=True)
    async with clerk.client() as client:
        assert (await client.put(DANAS, json=BODY)).status_code == 503
        assert (await client.put(DANAS, json={"active": True})).status_code == 200
    assert len(clerk.submitted) == 1
