"""Every refusing rule, for every verb of every dialect: the table of docs/contract.md, section 6, cell by cell.

What is expected here is copied from the contract by hand. If it came from the table of rules, it could not fail.
`None` is the contract's "-": that verb never hears that rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.command_api.desk.desk import Unknown
from services.command_api.dialects.native import answers as native
from services.command_api.dialects.thebase import answers as thebase
from services.command_api.dialects.zoho import answers as zoho
from shared.events.rule_rows import ZohoAnswer, on_both
from shared.events.rule_table import RULE_ROWS, row_of
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, LONG, SHORT, Clerk, refused

# Not a refusal, but callers hear it: the press was not recorded in time.
VOID: Final = Rule.EXPIRED

# Dialect A: the status of a start and of a stop.
THEBASE: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "R01": (401, 401),
    "R02": (400, None),  # a stop needs only its id
    "R03": (400, 400),
    "R04": (400, None),
    "R05": (None, 404),
    "R06": (400, 404),
    "R07": (None, None),  # a start and a stop are legal in every state
    "R08": (400, None),
    "R09": (400, None),
    "R10": (400, None),
    "R11": (400, None),
    "R12": (400, None),
    "R13": (400, None),
    "R14": (400, None),
    "R15": (400, None),
    "R19": (400, 400),
    "R20": (400, None),
    "R22": (503, 503),
    "R23": (500, 500),
    "R24": (400, 400),
}

IN_START, IN_PAUSE, IN_RESUME = "Error in adding timelog", "Error in pausing the timer", "Error in restarting the timer"
CAP: Final = "Logged Hours is greater than maximum billable hours allowed per day"
ESTIMATE: Final = "Logged Hours is greater than Estimated hours"
ATTENDANCE: Final = "Cannot log time beyond attendance hours"
FUTURE, PAST = "Cannot log time for a Future Date", "Cannot log time for a Past Date"
TOKEN: Final = "The provided OAuth token is invalid"
OWN: Final = (IN_START, IN_PAUSE, IN_RESUME)

# Dialect B: the messages of start, pause and resume, the code, and the status.
ZOHO: Final[Mapping[str, tuple[tuple[str | None, str | None, str | None], int | str, int]]] = {
    "R01": ((TOKEN, TOKEN, TOKEN), "INVALID_OAUTHTOKEN", 401),
    "R02": ((IN_START, IN_PAUSE, None), 8000, 400),  # without timeLogId, a resume is a start
    "R03": (OWN, 8001, 400),
    "R04": ((IN_START, None, None), 8001, 400),
    "R05": ((None, IN_PAUSE, IN_RESUME), 8001, 400),
    "R06": (
        (
            "Logged-in user alone can start timer",
            "Error in pausing timer.Logged-in user alone can start timer",
            "Error in starting timer.Logged-in user alone can start timer",
        ),
        7038,
        400,
    ),
    "R07": ((None, IN_PAUSE, IN_RESUME), 8001, 400),
    "R08": (OWN, 8005, 400),
    "R09": (OWN, 8008, 400),
    "R10": ((ATTENDANCE, ATTENDANCE, ATTENDANCE), 8008, 400),
    "R11": (
        (
            f"Error in adding/modifying Timelog.{CAP}",
            f"Error in pausing the Timer.{CAP}",
            f"Error in restarting the Timer.{CAP}",
        ),
        8005,
        400,
    ),
    "R12": (
        (
            f"Error in adding/modifying Timelog.{ESTIMATE}",
            f"Error in pausing the Timer.{ESTIMATE}",
            f"Error in restarting the Timer.{ESTIMATE}",
        ),
        8005,
        400,
    ),
    "R13": ((IN_START, None, IN_RESUME), 8005, 400),
    "R14": ((FUTURE, FUTURE, FUTURE), 8001, 400),
    "R15": ((PAST, None, PAST), 8001, 400),
    "R19": (OWN, 7209, 429),
    "R20": (OWN, 8001, 400),
    "R22": (OWN, "SERVICE_UNAVAILABLE", 503),
    "R23": (OWN, "INTERNAL_SERVER_ERROR", 500),
    "R24": (OWN, 8001, 400),
}
TEXTS: Final[Mapping[int | str, str]] = {
    8000: "No parameter specified",
    8001: "Wrong value for parameter",
    8005: "Timer is disabled in Settings. Contact your Administrator",
    8008: "Cannot log time during Weekend/Holidays/Leave",
    7038: "Permission denied",
    7209: "API access blocked since threshold limit exceeded. Please try after some time",
    "INVALID_OAUTHTOKEN": TOKEN,
    "SERVICE_UNAVAILABLE": "Please try after some time",
    "INTERNAL_SERVER_ERROR": "Something went wrong on our side",
}

# Dialect C: the status and the rule's name, the same for all verbs.
NATIVE: Final[Mapping[str, tuple[int, str]]] = {
    "R01": (401, "token_unknown"),
    "R02": (400, "parameter_missing"),
    "R03": (400, "value_invalid"),
    "R04": (400, "text_too_long"),
    "R05": (404, "timer_unknown"),
    "R06": (403, "not_the_owner"),
    "R07": (409, "not_legal_now"),
    "R08": (422, "timers_disabled"),
    "R09": (422, "day_off"),
    "R10": (422, "outside_attendance"),
    "R11": (422, "over_daily_cap"),
    "R12": (422, "over_estimate"),
    "R13": (409, "overlap"),
    "R14": (422, "future_time"),
    "R15": (422, "past_time"),
    "R19": (429, "rate_limited"),
    "R20": (422, "owner_unknown"),
    "R22": (503, "expired"),
    "R23": (500, "internal"),
    "R24": (422, "key_reused"),
}
# A start names no timer and is legal in every state; a pause names all that is mandatory in its path; and of the time
# rules, a pause hears only those that `strict` knows, a stop none.
NATIVE_SILENT: Final = {
    "start": {"R05", "R07"},
    "pause": {"R02", "R04", "R13", "R15"},
    "resume": {"R02", "R04"},
    "stop": {"R02", "R04", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R20"},
}

A_START: Final[dict[str, Any]] = {"method": "POST", "url": "/v2/timer/start", "json": {"owner": "7"}}
A_STOP: Final[dict[str, Any]] = {"method": "PUT", "url": f"/v2/timer/{LONG}"}
B_TIMER: Final[dict[str, Any]] = {"method": "POST", "url": "/people/api/timetracker/timer"}
B_START: Final = {
    "user": "dana",
    "jobId": "J-1",
    "workDate": "2026-03-01",
    "billingStatus": "billable",
    "timer": "start",
}
B_PAUSE: Final = {"timeLogId": str(SHORT), "timer": "stop"}
B_RESUME: Final = {"timeLogId": str(SHORT), "timer": "start"}
C_START: Final[dict[str, Any]] = {"method": "POST", "url": "/v1/timers", "json": {"owner": "dana"}}


def c_press(verb: str) -> dict[str, Any]:
    return {"method": "POST", "url": f"/v1/timers/{LONG}/{verb}"}


GOOD: Final[Mapping[tuple[str, str], dict[str, Any]]] = {
    ("thebase", "start"): A_START,
    ("thebase", "stop"): A_STOP,
    ("zoho", "start"): B_TIMER | {"data": B_START},
    ("zoho", "pause"): B_TIMER | {"data": B_PAUSE},
    ("zoho", "resume"): B_TIMER | {"data": B_RESUME},
    ("native", "start"): C_START,
    ("native", "pause"): c_press("pause"),
    ("native", "resume"): c_press("resume"),
    ("native", "stop"): c_press("stop"),
}
# What the request alone shows: a request for each cell of R02 to R04.
MALFORMED: Final[Mapping[tuple[str, str, str], dict[str, Any]]] = {
    ("thebase", "start", "R02"): A_START | {"json": {"owner": ""}},
    ("thebase", "start", "R03"): A_START | {"json": {"owner": "7", "start_time": "soon"}},
    ("thebase", "stop", "R03"): A_STOP | {"json": {"at": "now"}},
    ("thebase", "start", "R04"): A_START | {"json": {"owner": "7", "comment": "x" * 4001}},
    ("zoho", "start", "R02"): B_TIMER | {"data": B_START | {"jobId": ""}},
    ("zoho", "pause", "R02"): B_TIMER | {"data": {"timer": "stop"}},
    ("zoho", "start", "R03"): B_TIMER | {"data": B_START | {"billingStatus": "maybe"}},
    ("zoho", "pause", "R03"): B_TIMER | {"data": B_PAUSE | {"jobId": "J-1"}},
    ("zoho", "resume", "R03"): B_TIMER | {"data": B_RESUME | {"jobId": "J-1"}},
    ("zoho", "start", "R04"): B_TIMER | {"data": B_START | {"description": "x" * 251}},
    ("native", "start", "R02"): C_START | {"json": {}},
    ("native", "start", "R03"): C_START | {"json": {"owner": "a\0"}},
    ("native", "start", "R04"): C_START | {"json": {"owner": "dana", "comment": "x" * 4001}},
    ("native", "pause", "R03"): c_press("pause") | {"json": {"at": "soon"}},
    ("native", "resume", "R03"): c_press("resume") | {"json": {"at": "soon"}},
    ("native", "stop", "R03"): c_press("stop") | {"json": {"at": "soon"}},
}


async def heard(dialect: str, verb: str, id_: str) -> httpx.Response:
    """Return what a caller hears whose press broke the rule."""
    if id_ in {"R02", "R03", "R04"}:
        clerk, request = Clerk(caller=DANA), MALFORMED[dialect, verb, id_]
    else:
        by_token = id_ == "R01"
        clerk = Clerk(caller=Unknown()) if by_token else Clerk(caller=DANA, answer=refused(Rule(id_)))
        request = GOOD[dialect, verb]
    async with clerk.client() as client:
        return await client.request(**request)


def thebase_cells() -> Iterator[tuple[str, str, int]]:
    for id_, statuses in THEBASE.items():
        for verb, status in zip(("start", "stop"), statuses, strict=True):
            if status is not None:
                yield id_, verb, status


def zoho_cells() -> Iterator[tuple[str, str, str, int | str, int]]:
    for id_, (messages, code, status) in ZOHO.items():
        for verb, message in zip(("start", "pause", "resume"), messages, strict=True):
            if message is not None:
                yield id_, verb, message, code, status


def native_cells() -> Iterator[tuple[str, str, int, str]]:
    for id_, (status, name) in NATIVE.items():
        for verb, silent in NATIVE_SILENT.items():
            if id_ not in silent:
                yield id_, verb, status, name


@pytest.mark.parametrize(("id_", "verb", "status"), list(thebase_cells()))
async def test_dialect_a_refuses_with_the_contracts_status(id_: str, verb: str, status: int) -> None:
    answer = await heard("thebase", verb, id_)
    assert (answer.status_code, "retry-after" in answer.headers) == (status, status == 503)


@pytest.mark.parametrize(("id_", "verb", "message", "code", "status"), list(zoho_cells()))
async def test_dialect_b_refuses_with_the_contracts_message_and_code(
    id_: str, verb: str, message: str, code: int | str, status: int
) -> None:
    answer = await heard("zoho", verb, id_)
    errors = {"code": code, "message": TEXTS[code]}
    said = {"message": message, "uri": "/api/timetracker/timer", "errors": errors, "status": 1}
    assert (answer.status_code, answer.json()) == (status, {"response": said})
    assert status != 503 or "retry-after" in answer.headers


@pytest.mark.parametrize(("id_", "verb", "status", "name"), list(native_cells()))
async def test_dialect_c_refuses_with_a_problem_that_names_the_rule(
    id_: str, verb: str, status: int, name: str
) -> None:
    answer = await heard("native", verb, id_)
    said = answer.json()
    assert (answer.status_code, said["status"], said["rule"], said["title"]) == (status, status, id_, name)
    assert status != 503 or "retry-after" in answer.headers


@pytest.mark.parametrize("date", [{"workDate": "2026-02-29"}, {"dateFormat": "HH:mm"}])
async def test_a_malformed_date_on_a_start_has_a_code_of_its_own(date: dict[str, str]) -> None:
    async with Clerk(caller=DANA).client() as client:
        answer = await client.request(**B_TIMER, data=B_START | date)
    errors = {"code": 8002, "message": "Wrong format for parameter"}
    assert answer.json()["response"] == {
        "message": IN_START,
        "uri": "/api/timetracker/timer",
        "errors": errors,
        "status": 1,
    }


# The messages that the published page lists without a number, each with a press that hears it.
UNNUMBERED: Final = {
    "Error in pausing the timer": ("pause", "R07"),
    "Error in restarting the timer": ("resume", "R07"),
    "Cannot log time beyond attendance hours": ("resume", "R10"),
    "Error in starting timer.Logged-in user alone can start timer": ("resume", "R06"),
    "Error in pausing timer.Logged-in user alone can start timer": ("pause", "R06"),
    "Error in restarting the Timer.Logged Hours is greater than maximum billable hours allowed per day": (
        "resume",
        "R11",
    ),
    "Error in pausing the Timer.Logged Hours is greater than maximum billable hours allowed per day": ("pause", "R11"),
    "Error in restarting the Timer.Logged Hours is greater than Estimated hours": ("resume", "R12"),
    "Error in pausing the Timer.Logged Hours is greater than Estimated hours": ("pause", "R12"),
}


@pytest.mark.parametrize(("message", "press"), UNNUMBERED.items(), ids=UNNUMBERED)
async def test_each_unnumbered_message_of_the_published_page_is_heard(message: str, press: tuple[str, str]) -> None:
    answer = await heard("zoho", *press)
    assert answer.json()["response"]["message"] == message


def test_every_rule_that_refuses_has_its_cells_in_every_dialect() -> None:
    """A new rule fails here until the contract's words for it are copied above."""
    refusing = {row.rule.value for row in RULE_ROWS if row.refuses} | {VOID}
    assert set(THEBASE) == set(ZOHO) == set(NATIVE) == refusing


async def test_a_row_with_another_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each dialect answers with what the table holds, so a wrong table fails the tests above."""
    wrong = replace(row_of(Rule.DAY_OFF), thebase=on_both(500), zoho=ZohoAnswer(8001), native=400)
    for dialect in (thebase, zoho, native):
        monkeypatch.setattr(dialect, "row_of", lambda _: wrong)
    with pytest.raises(AssertionError):
        await test_dialect_a_refuses_with_the_contracts_status("R09", "start", 400)
    with pytest.raises(AssertionError):
        await test_dialect_b_refuses_with_the_contracts_message_and_code("R09", "pause", IN_PAUSE, 8008, 400)
    with pytest.raises(AssertionError):
        await test_dialect_c_refuses_with_a_problem_that_names_the_rule("R09", "resume", 422, "day_off")
