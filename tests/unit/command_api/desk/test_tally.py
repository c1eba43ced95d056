"""The tally: each answer is counted once, under words of ours, and each verdict is timed."""

import asyncio

import httpx2 as httpx
import pytest

from services.command_api.desk.commands import Answer, Asked, Caller, Dialect, PressTimer
from services.command_api.desk.desk import OverThreshold, Unknown
from services.command_api.desk.tally import CountedSubmitter, Tally
from shared.events.rules import Rule
from tests.support.fakes.desks import ADMIN, DANA, LONG, MACHINE, NOT_RECORDED, SHORT, WAITING, Clerk, accepted, refused


@pytest.mark.parametrize(
    ("answer", "word", "rule", "timed"),
    [
        (accepted(), "accepted", None, True),
        (refused(Rule.NOT_LEGAL_NOW), "refused", Rule.NOT_LEGAL_NOW, True),
        (WAITING, "waiting", None, False),
        (NOT_RECORDED, "not_recorded", None, False),
    ],
)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("dialect", ["thebase", "zoho", "native"])
async def test_an_answer_is_counted_once_and_a_verdict_is_timed(
    answer: Answer, word: str, rule: Rule | None, dialect: Dialect, *, known: bool, timed: bool
) -> None:
    tally, moments = Tally(), iter([100.0, 100.2])

    async def submit(_: Asked) -> Answer:
        await asyncio.sleep(0)
        return answer

    asked = Asked(PressTimer("stop", SHORT), MACHINE, dialect)
    counted = CountedSubmitter(submit, submit, tally, lambda: next(moments))
    assert await (counted.first_answer(asked) if known else counted.submit(asked)) is answer
    assert dict(tally.answered) == {(dialect, word, rule): 1}
    assert tally.verdict_after[dialect].total_seconds == pytest.approx(0.2 if timed else 0.0)
    assert not tally.turned_away


async def turned_away(clerk: Clerk, method: str, path: str, **said: object) -> dict[tuple[Dialect, Rule], int]:
    async with clerk.client() as http:
        request = http.build_request(method, path, **said)  # type: ignore[arg-type] # httpx' own
        assert httpx.codes.is_client_error((await http.send(request)).status_code)
    assert not clerk.submitted
    return dict(clerk.tally.turned_away)


async def test_what_is_refused_at_once_is_counted_by_rule_and_dialect() -> None:
    nobody, locked_out = Clerk(caller=Unknown()), Clerk(caller=DANA, over_threshold=OverThreshold(300))
    assert await turned_away(nobody, "GET", "/v2/timer/open") == {("thebase", Rule.TOKEN_UNKNOWN): 1}
    assert await turned_away(locked_out, "POST", "/people/api/timetracker/timer") == {("zoho", Rule.RATE_LIMITED): 1}
    missing = await turned_away(Clerk(), "POST", "/v1/timers", json={})
    assert missing == {("native", Rule.PARAMETER_MISSING): 1}
    odd_id = await turned_away(Clerk(), "POST", "/v2/timer/start", json={"owner": ["dana"]})
    assert odd_id == {("thebase", Rule.VALUE_INVALID): 1}


async def test_a_malformed_header_or_statement_is_counted_too() -> None:
    key = await turned_away(Clerk(), "POST", f"/v1/timers/{LONG}/stop", headers={"Idempotency-Key": "x" * 999})
    assert list(key.values()) == [1]
    leave = await turned_away(Clerk(caller=ADMIN), "PUT", "/v1/owners/dana/leave/yesterday")
    assert leave == {("native", Rule.VALUE_INVALID): 1}


async def test_a_press_that_names_no_timer_or_somebody_else_is_counted_too() -> None:
    """Nothing is sent: no timer has such an id, and the log would keep an unknown alias for ever."""
    assert await turned_away(Clerk(), "PUT", "/v2/timer/abc") == {("thebase", Rule.TIMER_UNKNOWN): 1}
    start = {"user": "noa", "jobId": "J", "workDate": "2026-03-01", "billingStatus": "1", "timer": "start"}
    alias = await turned_away(Clerk(caller=DANA), "GET", "/people/api/timetracker/timer", params=start)
    assert alias == {("zoho", Rule.NOT_THE_OWNER): 1}


@pytest.mark.parametrize(
    ("dialect", "method", "path"),
    [
        ("thebase", "PUT", f"/v2/timer/{LONG}"),
        ("thebase", "PUT", "/v2/timer/abc"),
        ("zoho", "GET", f"/people/api/timetracker/timer?timer=stop&timeLogId={SHORT}"),
        ("zoho", "GET", "/people/api/timetracker/timer"),
        ("native", "POST", f"/v1/timers/{LONG}/stop"),
        ("native", "PUT", "/v1/owners/dana/leave/2026-03-01"),
    ],
)
async def test_what_a_reader_may_not_do_is_counted_once(dialect: Dialect, method: str, path: str) -> None:
    reader = Clerk(caller=Caller("acme", "payroll", "reader"))
    assert await turned_away(reader, method, path) == {(dialect, Rule.NOT_THE_OWNER): 1}
