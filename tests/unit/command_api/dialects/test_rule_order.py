"""The order in which a request's own faults answer: R01, R19, R02, R03, R04, and then what the fold says."""

from datetime import timedelta
from typing import Any, Final

import pytest

from services.command_api.desk.desk import OverThreshold, Unknown
from shared.events.rules import Rule
from tests.support.fakes.desks import ADMIN, BACKDATE_DAYS_MAX, DANA, NOON, Clerk, QuotasInHand, refused

LONG_TEXT: Final = "x" * 4001
OVER: Final = OverThreshold(7)
# A start in which a parameter is missing, one is invalid and one too long; and what mends each.
STARTS: Final[dict[str, tuple[str, dict[str, Any], dict[str, dict[str, Any]]]]] = {
    "thebase": (
        "/v2/timer/start",
        {"account_id": "a\0", "comment": LONG_TEXT},
        {"R02": {"owner": "7"}, "R03": {"account_id": "a"}, "R04": {"comment": "x"}},
    ),
    "zoho": (
        "/people/api/timetracker/timer",
        {"timer": "start", "user": "dana", "jobId": "J", "billingStatus": "maybe", "description": LONG_TEXT},
        {"R02": {"workDate": "2026-03-01"}, "R03": {"billingStatus": "billable"}, "R04": {"description": "x"}},
    ),
    "native": (
        "/v1/timers",
        {"at": "soon", "comment": LONG_TEXT},
        {"R02": {"owner": "dana"}, "R03": {"at": None}, "R04": {"comment": "x"}},
    ),
}
ORDER: Final = ("R01", "R19", "R02", "R03", "R04", "R08")
SENTENCES: Final = {
    "R01": "The access token is missing, unknown or expired.",
    "R19": "There were too many requests.",
    "R02": "owner is mandatory.",
    "R03": "account_id is not valid.",
    "R04": "comment is too long.",
    "R08": "Timers are disabled.",
}
CODES: Final = {"R01": "INVALID_OAUTHTOKEN", "R19": 7209, "R02": 8000, "R03": 8001, "R04": 8001, "R08": 8005}
STEPS: Final = [(dialect, place) for dialect in STARTS for place in range(len(ORDER))]


@pytest.mark.parametrize(("dialect", "place"), STEPS)
async def test_the_first_fault_of_a_request_that_is_not_mended_answers(dialect: str, place: int) -> None:
    mended, expected = ORDER[:place], ORDER[place]
    path, said, mends = STARTS[dialect]
    for rule in mended:
        said = said | mends.get(rule, {})
    over = None if "R19" in mended else OVER
    clerk = Clerk(
        caller=DANA if "R01" in mended else Unknown(),
        answer=refused(Rule.TIMERS_DISABLED),
        over_threshold=over,
        quotas=QuotasInHand(over),
        thebase_quotas=QuotasInHand(over),
    )
    async with clerk.client() as client:
        answer = await (client.post(path, data=said) if dialect == "zoho" else client.post(path, json=said))
    told = answer.json()
    match dialect:
        case "thebase":
            assert told["message"] == SENTENCES[expected]
        case "zoho":
            assert told["response"]["errors"]["code"] == CODES[expected]
        case _:
            assert told["rule"] == expected
    assert bool(clerk.submitted) == (expected == "R08")


# What a press shows by itself, two faults at a time. A header and a query are parts of it, and so is how far a time
# lies back. In dialect B two rules have one code, so what is told apart is what the API counted.
BAD_KEY: Final = {"headers": {"Idempotency-Key": "a\tb"}}
TOO_OLD: Final = (NOON - timedelta(days=BACKDATE_DAYS_MAX, seconds=1)).isoformat()
A_START, A_STOP = ("POST", "/v2/timer/start"), ("PUT", "/v2/timer/no-id")
B_TIMER: Final = ("POST", "/people/api/timetracker/timer")
B_START: Final = {"timer": "start", "user": "dana", "jobId": "J", "billingStatus": "1", "workDate": "2026-03-01"}
C_START: Final = ("POST", "/v1/timers")
C_ODD: Final = ("POST", "/v1/timers?at=now")
C_POLICY: Final = ("PUT", "/v1/policy")
LONG_NAME: Final = "x" * 129
BAD_POSITION: Final = {"headers": {"X-Min-Position": "bad"}}
TWO_FAULTS: Final[list[tuple[str, tuple[str, str], dict[str, Any]]]] = [
    ("R02", A_START, {"json": {"start_time": "soon"}}),
    ("R02", A_START, {"json": {}, **BAD_KEY}),
    ("R03", A_START, {"json": {"owner": "7", "comment": LONG_TEXT, "start_time": "soon"}}),
    ("R03", A_START, {"json": {"owner": "7", "comment": LONG_TEXT, "start_time": TOO_OLD}}),
    ("R03", A_START, {"json": {"owner": "7", "comment": LONG_TEXT, "start_time": "2019-12-31T23:59:59Z"}}),
    ("R03", A_START, {"json": {"owner": "7", "comment": LONG_TEXT}, **BAD_KEY}),
    ("R03", A_START, {"json": {"owner": "7", "start_time": "2" * 65}}),
    ("R03", A_STOP, BAD_KEY),
    ("R03", A_STOP, {"json": {"at": "now"}}),
    ("R02", B_TIMER, {"data": B_START | {"workDate": "", "billingStatus": "maybe"}}),
    ("R02", B_TIMER, {"data": B_START | {"jobId": ""}, **BAD_KEY}),
    ("R03", B_TIMER, {"data": B_START | {"workDate": "soon", "description": LONG_TEXT}}),
    ("R03", B_TIMER, {"data": B_START | {"description": LONG_TEXT}, **BAD_KEY}),
    ("R03", B_TIMER, {"data": B_START | {"user": "noam"}, **BAD_KEY}),
    ("R04", B_TIMER, {"data": B_START | {"user": "noam", "description": LONG_TEXT}}),
    ("R03", B_TIMER, {"data": {"timer": "stop", "timeLogId": "no-id"}, **BAD_KEY}),
    ("R02", C_START, {"json": {"at": "soon"}}),
    ("R02", C_START, {"json": {}, **BAD_KEY}),
    ("R02", C_ODD, {"json": {}}),
    ("R03", C_ODD, {"json": {"owner": "dana", "comment": LONG_TEXT}}),
    ("R03", C_START, {"json": {"owner": "dana", "comment": LONG_TEXT, "at": TOO_OLD}}),
    ("R03", C_START, {"json": {"owner": "dana", "comment": LONG_TEXT}, **BAD_KEY}),
    ("R03", C_START, {"json": {"owner": "dana", "work_date": "2" * 65}}),
    ("R03", C_START, {"json": {"owner": "dana", "reference": "x" * 128 + "\n"}}),
    ("R04", C_START, {"json": {"owner": "dana", "reference": LONG_NAME}}),
    ("R03", ("POST", "/v1/timers/no-id/resume"), {"json": {"at": TOO_OLD}}),
    ("R03", ("POST", "/v1/timers/no-id/stop"), BAD_KEY),
    ("R03", ("POST", "/v1/timers/no-id/stop?at=now"), {}),
    ("R03", ("POST", "/v1/timers/no-id/pause"), {"json": {"reason": "x" * 32 + " "}}),
    ("R02", ("PUT", "/v1/owners/dana/estimates/J?now"), {"json": {}}),
    ("R02", ("PUT", f"/v1/owners/{LONG_NAME}/estimates/J"), {"json": {}}),
    ("R03", ("PUT", f"/v1/owners/{LONG_NAME}/estimates/J"), {"json": {"seconds": "all"}}),
    ("R03", ("PUT", f"/v1/owners/dana/estimates/{LONG_NAME}"), {"json": {"seconds": "all"}}),
    ("R03", ("PUT", "/v1/owners/dana"), {"json": {"zone": "here", "aliases": [LONG_NAME]}}),
    ("R03", ("PUT", "/v1/owners/dana"), {"json": {"aliases": [LONG_NAME]}, **BAD_KEY}),
    ("R03", ("PUT", "/v1/owners/dana"), {"json": {"aliases": [LONG_NAME, 5]}}),
    ("R03", ("DELETE", f"/v1/owners/{LONG_NAME}/texts"), BAD_KEY),
    ("R02", C_POLICY, {"json": {"preset": "native", "zone": "Nowhere"}}),
    ("R02", ("PUT", "/v1/policy?x=1"), {"json": {"preset": "native", "zone": "Asia/Jerusalem"}}),
    ("R02", C_POLICY, {"json": {"preset": "native"}, "headers": {"If-Match": "none"}}),
    ("R03", ("GET", f"/v1/violations?owner={LONG_NAME}&rule=foo"), {}),
    ("R03", ("GET", f"/v1/violations?owner={LONG_NAME}&from=zzz"), {}),
    ("R03", ("GET", f"/v1/violations?owner={LONG_NAME}&cursor=zzz"), {}),
    ("R03", ("GET", f"/v1/violations?owner={LONG_NAME}"), BAD_POSITION),
    ("R03", ("GET", f"/v1/timers?owner={LONG_NAME}&state=foo"), {}),
    ("R03", ("GET", f"/v1/timers?job={LONG_NAME}&limit=0"), {}),
    ("R03", ("GET", f"/v1/timers?owner={LONG_NAME}&cursor=zzz"), {}),
    ("R03", ("GET", f"/v1/timers?owner={LONG_NAME}"), BAD_POSITION),
    ("R03", ("GET", f"/v1/owners/{LONG_NAME}/days?from=zzz"), {}),
    ("R03", ("GET", f"/v1/jobs/{LONG_NAME}/days?nope=1"), {}),
    ("R03", ("GET", f"/v1/owners/{LONG_NAME}/days"), BAD_POSITION),
    ("R03", ("GET", f"/v1/owners/{LONG_NAME}/current?nope=1"), {}),
    ("R03", ("GET", f"/v1/owners/{LONG_NAME}/current"), BAD_POSITION),
    ("R03", ("GET", f"/v1/owners/{LONG_NAME}"), BAD_POSITION),
    # What nobody has, and what is another's, is R05: told after all that the request shows by itself.
    ("R03", ("GET", "/v1/timers/no-id"), BAD_POSITION),
    ("R03", ("GET", "/v1/timers/no-id/history?limit=0"), {}),
    ("R03", ("GET", "/v1/outcomes/no-id?at=now"), {}),
    ("R03", ("GET", "/v1/timers?owner=noam"), BAD_POSITION),
    ("R03", ("GET", "/v1/owners/noam/days"), BAD_POSITION),
    ("R03", ("GET", "/v1/owners/noam"), BAD_POSITION),
    ("R03", ("GET", "/v1/policy/none"), BAD_POSITION),
]
FOR_NO_PERSON: Final = ("/v1/policy", "/v1/jobs")


@pytest.mark.parametrize(("rule", "call", "said"), TWO_FAULTS)
async def test_of_two_faults_the_first_rule_in_order_answers(
    rule: str, call: tuple[str, str], said: dict[str, Any]
) -> None:
    method, path = call
    states = method != "GET" and path.startswith("/v1/owners")
    clerk = Clerk(caller=ADMIN if states or path.startswith(FOR_NO_PERSON) else DANA)
    async with clerk.client() as client:
        answer = await client.request(*call, **said)
    counted = {told.value for (_, told), times in clerk.tally.turned_away.items() if times}
    # Dialect C names the rule. In the others it is known from what was counted, which is presses alone.
    assert counted | {answer.json().get("rule", rule)} == {rule}, answer.text
    assert counted or path.startswith("/v1/")
    assert (answer.status_code, clerk.submitted, clerk.asked) == (400, [], [])


@pytest.mark.parametrize(
    "call", [("PUT", "/v1/policy?x=1"), ("PUT", "/v1/owners/dana?x=1"), ("GET", "/v1/jobs/J/days?from=zzz")]
)
async def test_a_role_that_may_not_make_a_call_hears_that_first(call: tuple[str, str]) -> None:
    async with Clerk(caller=DANA).client() as client:
        answer = await client.request(*call)
    assert (answer.status_code, answer.json()["rule"]) == (403, "R06")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"at": "soon", "reason": "x" * 33}, "R03"),
        ({"at": None, "reason": "x" * 33}, "R04"),
        ({"at": None, "reason": "lunch"}, "R05"),
    ],
)
async def test_a_malformed_id_in_a_path_answers_after_the_body(body: dict[str, str | None], rule: str) -> None:
    """It is R05: answered as a timer that nobody has, and those are looked for last."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        assert (await client.post("/v1/timers/no-id/pause", json=body)).json()["rule"] == rule
    assert clerk.submitted == []
