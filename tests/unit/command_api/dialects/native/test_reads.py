"""Dialect C: one timer, and the outcome of one press."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.command_api.desk.rows import IntervalRow, OutcomeRow, TimerRow
from shared.events.outcome import State
from tests.support.fakes.desks import (
    DANA,
    EVENT_ID,
    LONG,
    NOON,
    SHORT,
    Clerk,
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
    intervals=(
        IntervalRow(NOON, NOON + timedelta(seconds=99), "lunch"),
        IntervalRow(NOON + timedelta(seconds=99), NOON + timedelta(seconds=99.25)),
    ),
    position="3:42",
    reference="crm/7",
)
TIMER_PATH = f"/v1/timers/{LONG}"


async def test_a_timer_is_read_with_texts_and_intervals() -> None:
    async with Clerk(row=ROW).client() as client:
        answer = await client.get(f"/v1/timers/{SHORT}")
    assert (answer.status_code, answer.text) == (
        200,
        (
            f'{{"id":"{LONG}","timelog_id":"{SHORT}","owner":"dana","account_id":"77","job_id":null,"project_id":null,'
            '"billable":false,"work_date":"2026-03-01","reference":"crm/7","state":"STOPPED","started_at":"2026-03-01T12:00:00.000000Z",'
            '"stopped_at":"2026-03-01T12:01:39.250000Z","total_seconds":99.25,"total_minutes":"1.7",'
            '"flags":["R13","late"],"position":"3:42","comment":"שלום","work_item":null,'
            '"intervals":[{"start":"2026-03-01T12:00:00.000000Z","end":"2026-03-01T12:01:39.000000Z","reason":"lunch"},'
            '{"start":"2026-03-01T12:01:39.000000Z","end":"2026-03-01T12:01:39.250000Z"}]}'
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


NEWER = replace(KEPT, body="", digest=None, unread="newer")
DAMAGED = replace(NEWER, unread="damaged")
REUSED = f"?at=3:42&digest={'e' * 16}"


@pytest.mark.parametrize("query", ["?at=3:42", "", REUSED], ids=["at its place", "without a place", "with a digest"])
async def test_an_outcome_that_a_newer_projector_packed_is_not_there_yet(query: str) -> None:
    """It is judged, and this process cannot read it: 202, and an upgraded one tells it."""
    assert await _outcome(Clerk(outcome_row=NEWER), query) == 202


@pytest.mark.parametrize("query", ["?at=3:42", "", REUSED], ids=["at its place", "without a place", "with a digest"])
async def test_a_damaged_outcome_is_our_fault(query: str) -> None:
    """Not 202, because it would be so for ever, and not 404, because the press is judged."""
    assert await _outcome(Clerk(outcome_row=DAMAGED), query) == 500


async def test_a_person_waits_for_an_outcome_that_a_newer_projector_packed() -> None:
    """It may be their own press, and 404 would say that it did not count."""
    assert await _outcome(Clerk(caller=DANA, outcome_row=NEWER)) == 202


async def test_a_damaged_row_of_another_press_under_the_key_is_not_asked() -> None:
    """The key was used before, over 30 days ago, and the new press is not judged yet."""
    old = replace(DAMAGED, source_offset=7, log_time=DAMAGED.log_time - timedelta(days=400))
    assert await _outcome(Clerk(outcome_row=old, checkpoint=42), "?at=3:42") == 202


async def test_a_person_hears_no_outcome_of_which_nobody_can_say_whose_it_is() -> None:
    clerk = Clerk(caller=DANA, outcome_row=DAMAGED)
    async with clerk.client() as client:
        theirs = await client.get(f"{OUTCOME}?at=3:42")
        clerk.outcome_row = replace(KEPT, body='{"v":1,"owner":"noa"}')
        foreign = await client.get(f"{OUTCOME}?at=3:42")
    assert (theirs.status_code, theirs.content) == (404, foreign.content)


async def test_no_row_is_202_before_the_checkpoint_and_404_past_it() -> None:
    assert await _outcome(Clerk(checkpoint=42)) == 202
    assert await _outcome(Clerk(checkpoint=43)) == 404
    assert await _outcome(Clerk(checkpoint=None)) == 404
    assert await _outcome(Clerk(checkpoint=42), "") == 404


async def test_a_reused_key_answered_202_is_422_at_its_location() -> None:
    """Its row belongs to another press, the first under the key. Without the digest it would be told as its own."""
    first = replace(KEPT, source_offset=7, digest="e" * 64)
    reused = f"?at=3:42&digest={'d' * 16}"
    async with Clerk(outcome_row=first, checkpoint=42).client() as client:
        answer = await client.get(OUTCOME + reused)
    assert (answer.status_code, answer.json()["rule"]) == (422, "R24")
    assert await _outcome(Clerk(outcome_row=first), f"?at=3:42&digest={'e' * 16}") == 200
    assert await _outcome(Clerk(outcome_row=first)) == 200  # a Location of the previous release
    theirs = replace(first, body='{"v":1,"owner":"noa"}')
    assert await _outcome(Clerk(caller=DANA, outcome_row=first), reused) == 422
    assert await _outcome(Clerk(caller=DANA, outcome_row=theirs), reused) == 404


async def test_an_outcome_can_be_waited_for() -> None:
    clerk = Clerk(outcome_row=KEPT)
    async with clerk.client() as client:
        await client.get(f"{OUTCOME}?at=3:42", headers={"Prefer": "wait=5"})
    assert clerk.asked == [("wait_for", "acme", 3, 42, 5.0), ("outcome", "acme", EVENT_ID, 3)]


async def test_a_position_on_a_missing_partition_is_never_waited_for() -> None:
    """It is wrong (400 or 404), and not a reason to try again (503)."""
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
    """R23 and R05 name no owner, so only the actor tells whose press it was."""
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


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("position=3:42", "query may have these parameters only: at, digest. It has position."),
        ("At=3:42", "query may have these parameters only: at, digest. It has At."),
        ("%1B=3:42", "query may have these parameters only: at, digest."),
        ("at=3:2&at=3:42", "query is not UTF-8, or has a parameter twice."),
        ("at=3", "at must be a position, such as 3:42. Ask the Location of the 202 as it is spelt."),
        ("at=3:42&digest=D", "digest must be 16 hexadecimal digits. Ask the Location of the 202 as it is spelt."),
    ],
)
async def test_a_place_that_is_spelt_wrongly_is_no_outcome_that_is_missing(query: str, detail: str) -> None:
    """Without a place, an outcome that is not judged yet is 404: as if the press had never been recorded."""
    clerk = Clerk(checkpoint=42)
    async with clerk.client() as client:
        answer = await client.get(f"{OUTCOME}?{query}")
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (400, "R03", detail)
    assert clerk.asked == []


async def test_an_empty_place_counts_as_not_given() -> None:
    assert await _outcome(Clerk(outcome_row=KEPT), "?at=&digest=") == 200


@pytest.mark.parametrize(
    "path", [TIMER_PATH, "/v1/timers/7", "/v1/owners/dana", "/v1/owners/dana/current", "/v1/policy", "/v1/policy/1"]
)
@pytest.mark.parametrize("query", ["x=1", "from=2026-03-01&from=2026-03-02"])
async def test_a_read_without_parameters_refuses_those_that_are_sent(path: str, query: str) -> None:
    clerk = Clerk(row=ROW)
    async with clerk.client() as client:
        answer = await client.get(f"{path}?{query}")
        assert (await client.get(f"{path}?")).status_code != 400
    assert (answer.status_code, answer.json()["rule"]) == (400, "R03")
