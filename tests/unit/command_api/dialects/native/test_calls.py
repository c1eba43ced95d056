"""Dialect C: commands, timers as judged, outcomes, and problems that name the rule."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.command_api.desk.commands import AskedTime, PressTimer, StartTimer
from services.command_api.desk.desk import Away, Unknown
from services.command_api.desk.rows import IntervalRow, OutcomeRow, TimerRow
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.reading import read_press, read_start
from shared.events.outcome import State
from shared.events.rules import Rule
from tests.support.fakes.desks import (
    DANA,
    EVENT_ID,
    LONG,
    NOON,
    NOT_RECORDED,
    SHORT,
    TIMER,
    WAITING,
    Clerk,
    accepted,
    refused,
)

RUNNING = (
    f'{{"id":"{LONG}","timelog_id":"{SHORT}","owner":"dana","account_id":null,"job_id":"J-1","project_id":null,'
    '"billable":true,"work_date":null,"state":"RUNNING","started_at":"2026-03-01T12:00:00.000000Z","stopped_at":null,'
    '"total_seconds":0,"total_minutes":"0.0","flags":[],"position":"3:42"}'
)
ROW = TimerRow(
    id=SHORT,
    owner="dana",
    account_id="77",
    job_id=None,
    project_id=None,
    billable=False,
    work_date=date(2026, 3, 1),
    state=State.STOPPED,
    started_at=NOON,
    stopped_at=NOON + timedelta(seconds=99.25),
    total_us=99_250_000,
    flags=("R13", "late"),
    comment="שלום",
    work_item=None,
    intervals=(IntervalRow(NOON, NOON + timedelta(seconds=99.25)),),
    position="3:42",
)
TIMER_PATH = f"/v1/timers/{LONG}"


async def test_a_start_is_201_with_its_location() -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana"}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.text, answer.headers["location"]) == (201, RUNNING, TIMER_PATH)
    assert (clerk.only.command, clerk.only.dialect, clerk.only.key) == (StartTimer("dana"), "native", "k")


def test_a_start_says_all_that_was_given() -> None:
    said = {
        "owner": 7,
        "account_id": 2**127,
        "job_id": "J",
        "project_id": "P",
        "billable": False,
        "work_date": "2026-03-01",
        "comment": "c",
        "work_item": "w",
        "at": "2026-03-01T09:00:00+02:00",
    }
    assert read_start(json.dumps(said).encode()) == StartTimer(
        owner="7",
        account_id=str(2**127),
        job_id="J",
        project_id="P",
        billable=False,
        work_date=date(2026, 3, 1),
        comment="c",
        work_item="w",
        at=AskedTime(datetime(2026, 3, 1, 7, tzinfo=UTC), "2026-03-01T09:00:00+02:00"),
    )


def test_empty_and_null_are_not_given() -> None:
    said = dict.fromkeys(("account_id", "job_id", "project_id", "work_date", "comment", "work_item", "at"), "")
    assert read_start(json.dumps(said | {"owner": "dana", "billable": None}).encode()) == StartTimer("dana")


@pytest.mark.parametrize(
    ("said", "rule", "parameter"),
    [
        ({}, Rule.PARAMETER_MISSING, "owner"),
        ({"owner": "dana", "at": "2026-03-01T09:00:00"}, Rule.VALUE_INVALID, "at"),
        ({"owner": "dana", "at": "2019-12-31T23:59:59Z"}, Rule.VALUE_INVALID, "at"),
        ({"owner": "dana", "work_date": "2026-02-29"}, Rule.VALUE_INVALID, "work_date"),
        ({"owner": "dana", "work_date": "20260301"}, Rule.VALUE_INVALID, "work_date"),
        ({"owner": "dana", "billable": 1}, Rule.VALUE_INVALID, "billable"),
        ({"owner": "dana", "billable": "false"}, Rule.VALUE_INVALID, "billable"),
        ({"owner": "dana", "<script>": 1}, Rule.VALUE_INVALID, "body"),
        ({"owner": "dana", "work_item": "x" * 501}, Rule.TEXT_TOO_LONG, "work_item"),
        ({"owner": "x" * 129}, Rule.TEXT_TOO_LONG, "owner"),
    ],
)
def test_what_a_start_shows_by_itself(said: dict[str, object], rule: Rule, parameter: str) -> None:
    read = read_start(json.dumps(said).encode())
    assert isinstance(read, Malformed)
    assert (read.rule, read.parameter) == (rule, parameter)


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b" { }", b"[]", b"[ ]\n", b'{"at":""}'])
def test_a_press_needs_no_body(body: bytes) -> None:
    assert read_press("pause", LONG, body) == PressTimer("pause", SHORT)


def test_a_press_may_say_when_it_happened_even_before_2020() -> None:
    assert read_press("stop", LONG, b'{"at":"2019-01-01T00:00:00Z"}') == PressTimer(
        "stop", SHORT, AskedTime(datetime(2019, 1, 1, tzinfo=UTC), "2019-01-01T00:00:00Z")
    )


@pytest.mark.parametrize("body", [b"[0]", b"[[]]", b"{", b'{"at":"now"}', b'{"at":7}', b'{"owner":"dana"}'])
def test_a_press_with_another_body_is_malformed(body: bytes) -> None:
    assert isinstance(read_press("stop", LONG, body), Malformed)


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize("spelt", [LONG, str(SHORT)])
async def test_presses_are_answered_with_the_timer_as_judged(verb: str, spelt: str) -> None:
    after = TIMER.model_copy(update={"state": State.PAUSED, "total_us": 1, "flags": ("R13", "late")})
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


async def test_recorded_and_not_judged_is_202_with_the_place_to_ask() -> None:
    async with Clerk(answer=WAITING).client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana"})
    assert (answer.status_code, answer.headers["location"], answer.headers["retry-after"]) == (
        202,
        f"/v1/outcomes/{EVENT_ID}?at=3:42&digest={'d' * 16}",
        "1",
    )


async def test_not_recorded_is_503_with_the_time_to_wait() -> None:
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


async def test_a_malformed_body_is_not_repeated() -> None:
    async with Clerk().client() as client:
        answer = await client.post("/v1/timers", json={"owner": "dana", "<b>": 1})
    assert answer.text == (
        '{"type":"tag:stint.invalid,2026:rule/R03","title":"value_invalid","status":400,'
        '"detail":"body is not valid.","rule":"R03"}'
    )


@pytest.mark.parametrize("path", ["/v1/timers/x", "/v1/timers/7/start", "/v1/nothing", "/favicon.ico"])
async def test_what_is_not_there_is_a_problem(path: str) -> None:
    async with Clerk().client() as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_nobody_and_nobody_to_ask() -> None:
    async with Clerk(caller=Unknown()).client() as client:
        unknown = await client.get(TIMER_PATH)
    async with Clerk(caller=Away()).client() as client:
        away = await client.post(f"{TIMER_PATH}/stop")
    assert (unknown.status_code, unknown.json()["rule"], unknown.headers["www-authenticate"]) == (401, "R01", "Bearer")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")


async def test_a_timer_is_read_with_texts_and_intervals() -> None:
    async with Clerk(row=ROW).client() as client:
        answer = await client.get(f"/v1/timers/{SHORT}")
    assert (answer.status_code, answer.text) == (
        200,
        (
            f'{{"id":"{LONG}","timelog_id":"{SHORT}","owner":"dana","account_id":"77","job_id":null,"project_id":null,'
            '"billable":false,"work_date":"2026-03-01","state":"STOPPED","started_at":"2026-03-01T12:00:00.000000Z",'
            '"stopped_at":"2026-03-01T12:01:39.250000Z","total_seconds":99.25,"total_minutes":"1.7",'
            '"flags":["R13","late"],"position":"3:42","comment":"שלום","work_item":null,'
            '"intervals":[{"start":"2026-03-01T12:00:00.000000Z","end":"2026-03-01T12:01:39.250000Z"}]}'
        ),
    )


async def test_a_person_reads_no_other_persons_timer() -> None:
    async with Clerk(caller=DANA, row=replace(ROW, owner="noa")).client() as client:
        foreign = await client.get(TIMER_PATH)
    async with Clerk(caller=DANA).client() as client:
        unknown = await client.get(TIMER_PATH)
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


async def test_a_read_waits_for_a_position() -> None:
    clerk = Clerk(row=ROW)
    async with clerk.client() as client:
        assert (await client.get(TIMER_PATH, headers={"X-Min-Position": "3:42"})).status_code == 200
        assert (await client.get(TIMER_PATH, headers={"X-Min-Position": "-"})).status_code == 400
    assert clerk.asked[0] == ("wait_for", "acme", 3, 42, 2.0)
    async with Clerk(row=ROW, fresh=False).client() as client:
        assert (await client.get(TIMER_PATH, headers={"X-Min-Position": "3:42"})).status_code == 503
    async with Clerk(away=True).client() as client:
        assert (await client.get(TIMER_PATH)).status_code == 503


OUTCOME = f"/v1/outcomes/{EVENT_ID}"
KEPT = OutcomeRow(3, 42, EVENT_ID, "d", NOON, '{"v":1,"owner":"dana"}')


async def _outcome(clerk: Clerk, query: str = "?at=3:42") -> int:
    async with clerk.client() as client:
        return (await client.get(OUTCOME + query)).status_code


async def test_an_outcome_is_told_as_it_was_written() -> None:
    async with Clerk(outcome_row=KEPT).client() as client:
        answer = await client.get(OUTCOME)
    assert (answer.status_code, answer.text) == (200, KEPT.body)


async def test_no_row_is_202_before_the_checkpoint_and_404_past_it() -> None:
    assert await _outcome(Clerk(checkpoint=42)) == 202
    assert await _outcome(Clerk(checkpoint=43)) == 404
    assert await _outcome(Clerk(checkpoint=None)) == 404
    assert await _outcome(Clerk(checkpoint=42), "") == 404


async def test_a_reused_key_that_was_answered_202_is_422_where_its_location_leads() -> None:
    """Its row is another press's: the first under the key. Without the digest it would be told as its own."""
    first = replace(KEPT, source_offset=7, digest="e" * 64)
    reused = f"?at=3:42&digest={'d' * 16}"
    async with Clerk(outcome_row=first, checkpoint=42).client() as client:
        answer = await client.get(OUTCOME + reused)
    assert (answer.status_code, answer.json()["rule"]) == (422, "R24")
    assert await _outcome(Clerk(outcome_row=first), f"?at=3:42&digest={'e' * 16}") == 200
    assert await _outcome(Clerk(outcome_row=first)) == 200  # a Location of the release before
    theirs = replace(first, body='{"v":1,"owner":"noa"}')
    assert await _outcome(Clerk(caller=DANA, outcome_row=first), reused) == 422
    assert await _outcome(Clerk(caller=DANA, outcome_row=theirs), reused) == 404


async def test_an_outcome_can_be_waited_for() -> None:
    clerk = Clerk(outcome_row=KEPT)
    async with clerk.client() as client:
        await client.get(f"{OUTCOME}?at=3:42", headers={"Prefer": "wait=5"})
    assert clerk.asked == [("wait_for", "acme", 3, 42, 5.0), ("outcome", "acme", EVENT_ID, 3)]


async def test_a_position_on_a_partition_that_does_not_exist_is_wrong_and_no_reason_to_try_again() -> None:
    async with Clerk(row=ROW).client() as client:
        assert (await client.get(TIMER_PATH, headers={"X-Min-Position": "12:0"})).status_code == 400
        waited = await client.get(f"{OUTCOME}?at=12:0", headers={"Prefer": "wait=5"})
    assert waited.status_code == 404


async def test_an_outcome_asked_for_wrongly() -> None:
    assert await _outcome(Clerk(), "?at=3") == 400
    assert await _outcome(Clerk(), "?at=3:42&digest=D") == 400
    assert await _outcome(Clerk(away=True)) == 503
    async with Clerk(outcome_row=KEPT).client() as client:
        assert (await client.get("/v1/outcomes/none")).status_code == 404


NO_SUCH_OUTCOME = (404, "There is no such outcome.")


async def _heard_by_dana(body: dict[str, object]) -> tuple[int, str]:
    clerk = Clerk(caller=DANA, outcome_row=replace(KEPT, body=json.dumps(body)))
    async with clerk.client() as client:
        answer = await client.get(f"{OUTCOME}?at=3:42")
    return answer.status_code, answer.json().get("detail", "shown")


async def test_a_person_hears_the_end_of_each_of_their_own_presses() -> None:
    """R23 and R05 name no owner, so only the actor says whose press it was."""
    actor = {"client": "c", "person": "dana", "role": "person"}
    assert await _heard_by_dana({"owner": "dana", "actor": None, "rule": None}) == (200, "shown")
    assert await _heard_by_dana({"owner": None, "actor": actor, "rule": "R23"}) == (200, "shown")
    assert await _heard_by_dana({"owner": None, "actor": actor, "rule": "R05"}) == (404, "There is no such timer.")
    assert await _heard_by_dana({"owner": "noa", "actor": actor, "rule": "R06"}) == (403, "Only the owner may do this.")


async def test_a_person_hears_nothing_of_other_presses() -> None:
    machine = {"client": "c", "role": "machine"}
    noa = {"client": "c", "person": "noa", "role": "person"}
    for rule in (None, "R05", "R06", "R23"):
        assert await _heard_by_dana({"owner": "noa", "actor": machine, "rule": rule}) == NO_SUCH_OUTCOME
        assert await _heard_by_dana({"owner": None, "actor": noa, "rule": rule}) == NO_SUCH_OUTCOME
        assert await _heard_by_dana({"owner": None, "actor": None, "rule": rule}) == NO_SUCH_OUTCOME
