"""Every refusing rule, for every verb of every dialect: the table of docs/contract.md, section 6, cell by cell.

What is expected is in `tests/support/proof/words.py`. `None` is the contract's "-": that verb never hears that rule.
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
from tests.support.fakes.desks import DANA, Clerk, refused
from tests.support.proof.words import IN_PAUSE, IN_START, NATIVE, TEXTS, THEBASE, UNNUMBERED, ZOHO, zoho_cells
from tests.unit.command_api.dialects.requests import (
    A_START,
    A_STOP,
    B_PAUSE,
    B_RESUME,
    B_START,
    B_TIMER,
    C_START,
    GOOD,
    c_press,
)

# Not a refusal, but callers hear it: the press was not recorded in time.
VOID: Final = Rule.EXPIRED

# A start names no timer and is legal in every state; a pause names all that is mandatory in its path; and of the time
# rules, a pause hears only those that `strict` knows, a stop none.
NATIVE_SILENT: Final = {
    "start": {"R05", "R07"},
    "pause": {"R02", "R04", "R13", "R15"},
    "resume": {"R02", "R04"},
    "stop": {"R02", "R04", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R20"},
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
