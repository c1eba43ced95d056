"""How far back a deployment lets an interval begin (R03). No time makes a pause or a stop refused."""

from datetime import datetime, timedelta

import httpx2 as httpx
import pytest

from tests.support.fakes.desks import BACKDATE_DAYS_MAX, LONG, NOON, Clerk

OLDEST = NOON - timedelta(days=BACKDATE_DAYS_MAX)
TOO_OLD = OLDEST - timedelta(microseconds=1)
SENTENCE = "The time lies more than 62 days in the past, which is the most that this deployment takes."


async def _pressed(clerk: Clerk, path: str, at: datetime) -> httpx.Response:
    name = "start_time" if path.startswith("/v2/") else "at"
    said = {name: at.isoformat()} | ({"owner": "dana"} if not path.endswith(("pause", "resume", "stop")) else {})
    async with clerk.client() as client:
        return await client.post(path, json=said)


@pytest.mark.parametrize("path", ["/v2/timer/start", "/v1/timers", f"/v1/timers/{LONG}/resume"])
async def test_an_interval_that_would_begin_too_long_ago_is_refused_unrecorded(path: str) -> None:
    clerk = Clerk()
    answer = await _pressed(clerk, path, TOO_OLD)
    said = answer.json()
    assert (answer.status_code, said.get("detail", said.get("message")), clerk.submitted) == (400, SENTENCE, [])
    assert said.get("rule", "R03") == "R03"
    assert (await _pressed(clerk, path, OLDEST)).status_code in {200, 201}


@pytest.mark.parametrize("verb", ["pause", "stop"])
async def test_a_press_that_ends_an_interval_may_be_backdated_at_will(verb: str) -> None:
    clerk = Clerk()
    assert (await _pressed(clerk, f"/v1/timers/{LONG}/{verb}", TOO_OLD)).status_code == 200
    assert len(clerk.submitted) == 1


async def test_a_start_that_says_no_time_is_never_too_old() -> None:
    async with Clerk().client() as client:
        assert (await client.post("/v1/timers", json={"owner": "dana"})).status_code == 201


@pytest.mark.parametrize(("path", "name"), [("/v2/timer/start", "start_time"), ("/v1/timers", "at")])
async def test_a_start_before_ids_begin_is_no_time_at_all(path: str, name: str) -> None:
    """No deployment takes one, so the sentence about this one would mislead."""
    async with Clerk().client() as client:
        answer = await client.post(path, json={"owner": "dana", name: "2019-12-31T23:59:59Z"})
    assert (answer.status_code, f"{name} is not valid." in answer.text) == (400, True)
