"""Dialect C: commands, timers as judged, and problems that name the rule."""

import pytest

from services.command_api.desk.commands import PressTimer, Refused, StartTimer
from services.command_api.desk.desk import Away, Unknown
from shared.events.outcome import State
from shared.events.rules import Rule
from shared.events.value import replace
from tests.support.fakes.desks import (
    EVENT_ID,
    LONG,
    NOT_RECORDED,
    POSITION,
    SHORT,
    TIMER,
    WAITING,
    Clerk,
    accepted,
    refused,
)

RUNNING = (
    f'{{"id":"{LONG}","timelog_id":"{SHORT}","owner":"dana","account_id":null,"job_id":"J-1","project_id":null,'
    '"billable":true,"work_date":null,"reference":null,"state":"RUNNING","started_at":"2026-03-01T12:00:00.000000Z","stopped_at":null,'
    '"total_seconds":0,"total_minutes":"0.0","flags":[],"position":"3:42"}'
)
TIMER_PATH = f"/v1/timers/{LONG}"


async def test_a_start_is_201_with_its_location() -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.text, answer.headers["location"]) == (201, RUNNING, TIMER_PATH)
    assert (clerk.only.command, clerk.only.dialect, clerk.only.key) == (StartTimer("dana"), "native", "k")


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize("spelt", [LONG, str(SHORT)])
async def test_presses_are_answered_with_the_timer_as_judged(verb: str, spelt: str) -> None:
    after = replace(TIMER, state=State.PAUSED, total_us=1, flags=("R13", "late"))
    clerk = Clerk(answer=accepted(after))
    async with clerk.client() as client:
        answer = await client.post(f"/v1/timers/{spelt}/{verb}")
    assert answer.status_code == 200
    assert '"state":"PAUSED"' in answer.text
    assert '"total_seconds":0.000001,"total_minutes":"0.0","flags":["R13","late"]' in answer.text
    assert isinstance(clerk.only.command, PressTimer)
    assert (clerk.only.command.verb, clerk.only.command.timer_id) == (verb, SHORT)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [(None, 2.0), ("wait=0", 0.0), ("respond-async, wait=7", 7.0), ("wait=99", 30.0), ("wait=x", 2.0)],
)
async def test_prefer_says_how_long_to_wait(prefer: str | None, seconds: float) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        await client.post(f"{TIMER_PATH}/stop", headers={} if prefer is None else {"Prefer": prefer})
    assert clerk.only.wait_seconds == seconds


async def test_a_press_not_judged_in_time_is_202_with_its_location() -> None:
    async with Clerk(answer=WAITING).client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana"})
    assert (answer.status_code, answer.headers["location"], answer.headers["retry-after"]) == (
        202,
        f"/v1/outcomes/{EVENT_ID}?at=3:42&digest={'d' * 16}",
        "1",
    )


async def test_a_press_not_recorded_is_503_with_the_time_to_wait() -> None:
    async with Clerk(answer=NOT_RECORDED).client() as client:
        answer = await client.post(f"{TIMER_PATH}/stop")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        (Rule.TIMER_UNKNOWN, 404),
        (Rule.NOT_THE_OWNER, 403),
        (Rule.NOT_LEGAL_NOW, 409),
        (Rule.OVERLAP, 409),
        (Rule.FUTURE_TIME, 422),
        (Rule.DAY_OFF, 422),
        (Rule.KEY_REUSED, 422),
        (Rule.EXPIRED, 503),
        (Rule.INTERNAL, 500),
    ],
)
async def test_a_refusal_is_a_problem_that_names_the_rule(rule: Rule, status: int) -> None:
    async with Clerk(answer=refused(rule)).client() as client:
        answer = await client.post(f"{TIMER_PATH}/resume")
    said = answer.json()
    assert (answer.status_code, said["status"], said["rule"], said["title"]) == (status, status, rule, rule.reason)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("press", "state", "detail"),
    [
        ("pause", State.PAUSED, "A PAUSED timer cannot be paused."),
        ("pause", State.STOPPED, "A STOPPED timer cannot be paused."),
        ("resume", State.RUNNING, "A RUNNING timer cannot be resumed."),
        ("resume", None, "The timer's state does not allow this."),
    ],
)
async def test_a_press_that_the_state_does_not_allow_hears_the_state(
    press: str, state: State | None, detail: str
) -> None:
    async with Clerk(answer=Refused(Rule.NOT_LEGAL_NOW, POSITION, state)).client() as client:
        answer = await client.post(f"{TIMER_PATH}/{press}")
    assert (answer.status_code, answer.json()["detail"]) == (409, detail)


async def test_another_refusal_says_nothing_of_the_state() -> None:
    async with Clerk(answer=Refused(Rule.TIMERS_DISABLED, POSITION, State.PAUSED)).client() as client:
        answer = await client.post(f"{TIMER_PATH}/resume")
    assert answer.json()["detail"] == "Timers are disabled."


async def test_a_malformed_body_is_not_repeated() -> None:
    async with Clerk().client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana", "<b>": 1})
    assert answer.text == (
        '{"type":"tag:stint.invalid,2026:rule/R03","title":"value_invalid","status":400,'
        '"detail":"body may have these members only: at, owner, account_id, job_id, project_id, billable, work_date, '
        'comment, work_item, reference.","rule":"R03"}'
    )


@pytest.mark.parametrize("path", ["/v1/timers/x", "/v1/timers/7/start", "/v1/nothing", "/favicon.ico"])
async def test_a_missing_resource_is_a_problem(path: str) -> None:
    async with Clerk().client() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_an_unknown_caller_is_401_and_an_unreachable_directory_503() -> None:
    async with Clerk(caller=Unknown()).client() as client:
        unknown = await client.get(TIMER_PATH)
    async with Clerk(caller=Away()).client() as client:
        away = await client.post(f"{TIMER_PATH}/stop")
    assert (unknown.status_code, unknown.json()["rule"], unknown.headers["www-authenticate"]) == (401, "R01", "Bearer")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
