"""How far back a deployment lets an interval begin (R03). No time makes a pause or a stop refused."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import httpx2 as httpx
import pytest

from services.command_api.desk.commands import AskedTime, NotRecorded, PressTimer, StartTimer
from tests.support.fakes.desks import BACKDATE_DAYS_MAX, LONG, MACHINE, NOON, Clerk, accepted

OLDEST = NOON - timedelta(days=BACKDATE_DAYS_MAX)
TOO_OLD = OLDEST - timedelta(microseconds=1)
LONG_TOO_OLD = TOO_OLD - timedelta(hours=1)
SENTENCE = "The time lies more than 62 days in the past, which is the most that this deployment takes."


async def _pressed(clerk: Clerk, path: str, at: datetime, key: str | None = None, **more: str) -> httpx.Response:
    name = "start_time" if path.startswith("/v2/") else "at"
    said = {name: at.isoformat()} | ({"owner": "dana"} if not path.endswith(("pause", "resume", "stop")) else {})
    async with clerk.client() as client:
        return await client.post(path, json=said | more, headers={} if key is None else {"Idempotency-Key": key})


@pytest.mark.parametrize("path", ["/v2/timer/start", "/v1/timers", f"/v1/timers/{LONG}/resume"])
async def test_an_interval_that_would_begin_too_long_ago_is_refused_unrecorded(path: str) -> None:
    clerk = Clerk()
    answer = await _pressed(clerk, path, TOO_OLD)
    said = answer.json()
    assert (answer.status_code, said.get("detail", said.get("message")), clerk.submitted) == (400, SENTENCE, [])
    assert said.get("rule", "R03") == "R03"
    assert (await _pressed(clerk, path, OLDEST)).status_code in {200, 201}


ACCEPTED_THEN = {"/v2/timer/start": 201, "/v1/timers": 201, f"/v1/timers/{LONG}/resume": 200}


@pytest.mark.parametrize("path", ACCEPTED_THEN)
async def test_a_retry_whose_time_became_too_old_hears_the_first_answer(path: str) -> None:
    """It was taken when it was made first, so its key is looked up. Nothing is recorded anew."""
    clerk = Clerk(known=accepted())
    answer = await _pressed(clerk, path, LONG_TOO_OLD, key="k")
    assert (answer.status_code, clerk.submitted) == (ACCEPTED_THEN[path], [])
    (asked,) = clerk.looked_up
    assert isinstance(asked.command, StartTimer | PressTimer)
    assert (asked.key, asked.command.at) == ("k", AskedTime(LONG_TOO_OLD, LONG_TOO_OLD.isoformat()))


@pytest.mark.parametrize("path", ACCEPTED_THEN)
async def test_a_first_press_under_a_key_is_too_old_as_any_other(path: str) -> None:
    clerk = Clerk()
    answer = await _pressed(clerk, path, LONG_TOO_OLD, key="k")
    assert (answer.status_code, SENTENCE in answer.text, len(clerk.looked_up)) == (400, True, 1)
    assert [rule.value for _, rule in clerk.tally.turned_away] == ["R03"]


async def test_a_key_that_cannot_be_looked_up_may_be_sent_again() -> None:
    clerk = Clerk(known=NotRecorded("reads_away"))
    assert (await _pressed(clerk, "/v1/timers", LONG_TOO_OLD, key="k")).status_code == 503


@pytest.mark.parametrize(
    ("more", "key", "role"),
    [
        pytest.param({}, None, "machine", id="no key"),
        pytest.param({}, "", "machine", id="a malformed key"),
        pytest.param({"comment": "x" * 4001}, "k", "machine", id="another fault"),
        pytest.param({}, "k", "reader", id="who presses nothing"),
    ],
)
async def test_nothing_is_looked_up_for_a_press_that_never_was_taken(
    more: dict[str, str], key: str | None, role: Literal["machine", "reader"]
) -> None:
    clerk = Clerk(caller=replace(MACHINE, role=role), known=accepted())
    answer = await _pressed(clerk, "/v1/timers", LONG_TOO_OLD, key, **more)
    assert (answer.status_code, clerk.looked_up) == (403 if role == "reader" else 400, [])


@pytest.mark.parametrize("path", ACCEPTED_THEN)
@pytest.mark.parametrize("at", [OLDEST, TOO_OLD, OLDEST - timedelta(hours=1)])
async def test_a_press_in_time_is_never_looked_up(path: str, at: datetime) -> None:
    """Under a key an hour more is in time: the first press of a retry may not be judged yet, and has no row."""
    clerk = Clerk(known=accepted())
    await _pressed(clerk, path, at, key="k")
    assert (len(clerk.submitted), clerk.looked_up) == (1, [])


@pytest.mark.parametrize("verb", ["pause", "stop"])
async def test_a_press_that_ends_an_interval_may_be_backdated_at_will(verb: str) -> None:
    clerk = Clerk()
    assert (await _pressed(clerk, f"/v1/timers/{LONG}/{verb}", TOO_OLD)).status_code == 200
    assert len(clerk.submitted) == 1


async def test_a_start_that_says_no_time_is_never_too_old() -> None:
    async with Clerk().client() as client:
        assert (await client.post("/v1/timers", json={"owner": "dana"})).status_code == 201


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("/v2/timer/start", "start_time", "start_time is not valid."),
        ("/v1/timers", "at", "a timer starts on 2020-01-01 or later."),
    ],
)
async def test_a_start_before_ids_begin_is_no_time_at_all(path: str, name: str, said: str) -> None:
    """No deployment takes one, so the sentence about this one would mislead."""
    async with Clerk().client() as client:
        answer = await client.post(path, json={"owner": "dana", name: "2019-12-31T23:59:59Z"})
    assert (answer.status_code, said in answer.text) == (400, True)
