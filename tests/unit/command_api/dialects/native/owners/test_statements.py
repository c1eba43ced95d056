"""Dialect C: what an admin states about an owner, each from its request to its command and its answer."""

from datetime import date, datetime
from typing import Any

import pytest

from services.command_api.desk.commands import (
    AskedTime,
    Caller,
    EraseTexts,
    FactCommand,
    Learned,
    RecordAttendance,
    SetEstimate,
    SetLeave,
    SetProfile,
)
from services.command_api.desk.desk import Away, Unknown
from services.command_api.desk.rows import OwnerRow
from shared.events.outcome import Fact
from shared.events.rules import Rule
from tests.support.fakes.desks import ADMIN, DANA, EVENT_ID, MACHINE, NOT_RECORDED, POSITION, WAITING, Clerk, refused

DANAS = "/v1/owners/dana"
ON = date(2026, 4, 2)
IN, OUT = "2026-04-02T09:00:00+03:00", "2026-04-02T17:00:00+03:00"


def at(spelt: str) -> AskedTime:
    return AskedTime(datetime.fromisoformat(spelt), spelt)


def learned(kind: str, about: str = "", **body: Any) -> Learned:  # noqa: ANN401 - each fact has its own members  # noqa: ANN401 - each fact has its own members
    return Learned("dana", Fact(kind=kind, about=about, body=body), POSITION)


Case = tuple[str, str, object, FactCommand, Learned, str]
CASES: dict[str, Case] = {
    "profile": (
        "PUT",
        "",
        {"zone": "Europe/Berlin", "timers_disabled": False, "active": True},
        SetProfile("dana", "Europe/Berlin", timers_disabled=False, active=True),
        learned("profile", zone="Europe/Berlin", timers_disabled=False, active=True),
        '{"kind":"profile","zone":"Europe/Berlin","timers_disabled":false,"active":true}',
    ),
    "a part of a profile": (
        "PUT",
        "",
        {"zone": None, "active": False},
        SetProfile("dana", active=False),
        learned("profile", active=False),
        '{"kind":"profile","active":false}',
    ),
    "leave": (
        "PUT",
        "/leave/2026-04-02",
        None,
        SetLeave("dana", ON, granted=True),
        learned("leave", "2026-04-02", granted=True),
        '{"kind":"leave","day":"2026-04-02","granted":true}',
    ),
    "no leave": (
        "DELETE",
        "/leave/2026-04-02",
        {},
        SetLeave("dana", ON, granted=False),
        learned("leave", "2026-04-02", granted=False),
        '{"kind":"leave","day":"2026-04-02","granted":false}',
    ),
    "attendance": (
        "POST",
        "/attendance",
        {"checked_in_at": IN, "checked_out_at": OUT, "on": "2026-04-01"},
        RecordAttendance("dana", date(2026, 4, 1), at(IN), at(OUT)),
        learned(
            "attendance",
            "2026-04-02T06:00:00.000000Z",
            on="2026-04-01",
            checked_in_at="2026-04-02T06:00:00Z",
            checked_out_at="2026-04-02T14:00:00Z",
        ),
        (
            '{"kind":"attendance","on":"2026-04-01","checked_in_at":"2026-04-02T06:00:00.000000Z",'
            '"checked_out_at":"2026-04-02T14:00:00.000000Z"}'
        ),
    ),
    "a check-in": (
        "POST",
        "/attendance",
        {"checked_in_at": IN},
        RecordAttendance("dana", ON, at(IN), on_given=False),
        learned("attendance", "…", on="2026-04-02", checked_in_at="2026-04-02T06:00:00.5Z", checked_out_at=None),
        '{"kind":"attendance","on":"2026-04-02","checked_in_at":"2026-04-02T06:00:00.500000Z","checked_out_at":null}',
    ),
    "estimate": (
        "PUT",
        "/estimates/J-1",
        {"seconds": 7200},
        SetEstimate("dana", "J-1", 7200),
        learned("estimate", "J-1", seconds=7200),
        '{"kind":"estimate","job_id":"J-1","seconds":7200}',
    ),
    "erasure": (
        "DELETE",
        "/texts",
        None,
        EraseTexts("dana"),
        learned("texts_erased"),
        '{"kind":"texts_erased"}',
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "command", "answer", "told"), CASES.values(), ids=CASES)
async def test_a_statement_is_a_press_and_answers_with_its_fact(
    method: str,
    path: str,
    body: object,
    command: FactCommand,
    answer: Learned,
    told: str,
) -> None:
    clerk = Clerk(caller=ADMIN, answer=answer)
    async with clerk.client() as client:
        heard = await client.request(
            method, DANAS + path, json=body, headers={"Idempotency-Key": "k", "Prefer": "wait=7"}
        )
    assert (heard.status_code, heard.text) == (200, f'{{"owner":"dana","fact":{told},"position":"3:42"}}')
    asked = clerk.only
    assert (asked.command, asked.caller, asked.dialect, asked.key, asked.wait_seconds) == (
        command,
        ADMIN,
        "native",
        "k",
        7.0,
    )


CALLS = [(method, path, body) for method, path, body, *_ in CASES.values()]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=CASES)
@pytest.mark.parametrize("caller", [MACHINE, DANA, Caller("acme", "clock", "system")], ids=lambda caller: caller.role)
async def test_only_an_admin_states_facts(caller: Caller, method: str, path: str, body: object) -> None:
    clerk = Clerk(caller=caller)
    async with clerk.client() as client:
        answer = await client.request(method, DANAS + path, json=body)
    assert (answer.status_code, answer.json()["rule"], clerk.submitted) == (403, "R06", [])
    assert "admin" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=CASES)
async def test_a_statement_without_a_known_caller_is_401_or_503(method: str, path: str, body: object) -> None:
    for caller, status in ((Unknown(), 401), (Away(), 503)):
        async with Clerk(caller=caller).client() as client:
            assert (await client.request(method, DANAS + path, json=body)).status_code == status


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=CASES)
async def test_a_statement_not_judged_in_time_is_202_and_one_not_recorded_503(
    method: str,
    path: str,
    body: object,
) -> None:
    async with Clerk(caller=ADMIN, answer=WAITING).client() as client:
        waits = await client.request(method, DANAS + path, json=body)
    assert (waits.status_code, waits.headers["retry-after"]) == (202, "1")
    assert waits.headers["location"] == f"/v1/outcomes/{EVENT_ID}?at=3:42&digest={'d' * 16}"
    async with Clerk(caller=ADMIN, answer=NOT_RECORDED).client() as client:
        lost = await client.request(method, DANAS + path, json=body)
    assert (lost.status_code, lost.headers["retry-after"]) == (503, "7")


@pytest.mark.parametrize(
    ("rule", "status"), [(Rule.VALUE_INVALID, 400), (Rule.KEY_REUSED, 422), (Rule.EXPIRED, 503), (Rule.INTERNAL, 500)]
)
async def test_a_refused_statement_is_a_problem_that_names_the_rule(rule: Rule, status: int) -> None:
    """The fold's own tzdata may be older than the API's, and lack a zone."""
    async with Clerk(caller=ADMIN, answer=refused(rule)).client() as client:
        answer = await client.put(DANAS, json={"zone": "Europe/Berlin"})
    assert (answer.status_code, answer.json()["rule"]) == (status, rule)


@pytest.mark.parametrize(
    ("method", "path", "body", "rule", "named"),
    [
        ("PUT", DANAS, {"zone": "Mars/Olympus"}, "R03", "zone must be the name of a time zone"),
        ("PUT", DANAS, {"zone": 7}, "R03", "zone must be"),
        ("PUT", DANAS, {"active": "yes"}, "R03", "active"),
        ("PUT", DANAS, {"timers_disabled": 1}, "R03", "timers_disabled"),
        ("PUT", DANAS, {"name": "Dana"}, "R03", "body"),
        ("PUT", DANAS, {"aliases": "dana"}, "R03", "aliases"),
        ("PUT", DANAS, {"aliases": [""]}, "R03", "aliases"),
        ("PUT", DANAS, {"aliases": ["a\x00"]}, "R03", "aliases"),
        ("PUT", DANAS, {"aliases": ["a"] * 51}, "R03", "aliases"),
        ("PUT", DANAS, {"aliases": ["a" * 129]}, "R04", "aliases"),
        ("PUT", f"{DANAS}?zone=UTC", {}, "R03", "query"),
        ("PUT", f"/v1/owners/{'d' * 129}", {}, "R04", "owner"),
        ("PUT", "/v1/owners/da%00na", {}, "R03", "owner"),
        ("PUT", f"{DANAS}/leave/2026-02-30", None, "R03", "day must be a day"),
        ("PUT", f"{DANAS}/leave/20260402", None, "R03", "day"),
        ("PUT", f"{DANAS}/leave/9999-12-31", None, "R03", "day"),
        ("DELETE", f"{DANAS}/leave/2026-04-02", {"on": "2026-04-02"}, "R03", "body"),
        ("DELETE", f"{DANAS}/texts", {"timer": "7"}, "R03", "body"),
        ("POST", f"{DANAS}/attendance", {}, "R02", "checked_in_at"),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": ""}, "R02", "checked_in_at"),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": 7}, "R03", "checked_in_at"),
        (
            "POST",
            f"{DANAS}/attendance",
            {"checked_in_at": "2026-04-02T09:00:00"},
            "R03",
            "checked_in_at must be a moment",
        ),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": IN, "checked_out_at": "17:00"}, "R03", "checked_out_at"),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": OUT, "checked_out_at": IN}, "R03", "lies before"),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": IN, "on": "today"}, "R03", "on must be a day"),
        ("POST", f"{DANAS}/attendance", {"checked_in_at": "9999-12-31T22:30:00Z"}, "R03", "checked_in_at"),
        ("PUT", f"{DANAS}/estimates/J-1", {}, "R02", "seconds"),
        ("PUT", f"{DANAS}/estimates/J-1", {"seconds": -1}, "R03", "seconds"),
        ("PUT", f"{DANAS}/estimates/J-1", {"seconds": 1.5}, "R03", "seconds"),
        ("PUT", f"{DANAS}/estimates/J-1", {"seconds": True}, "R03", "seconds"),
        ("PUT", f"{DANAS}/estimates/J-1", {"seconds": 1_000_000_001}, "R03", "seconds"),
        ("PUT", f"{DANAS}/estimates/{'j' * 129}", {"seconds": 1}, "R04", "job"),
    ],
)
async def test_a_malformed_statement_is_named_and_not_recorded(
    method: str,
    path: str,
    body: object,
    rule: str,
    named: str,
) -> None:
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        answer = await client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["rule"], clerk.submitted) == (400, rule, [])
    assert named in answer.json()["detail"]


async def test_a_malformed_key_is_refused() -> None:
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        answer = await client.put(DANAS, json={}, headers={"Idempotency-Key": ""})
    assert (answer.status_code, clerk.submitted) == (400, [])


@pytest.mark.parametrize(
    ("zone", "checked_in", "on"),
    [
        # The tenant's zone is Asia/Jerusalem: 22:30 in UTC is half past midnight there in winter.
        (None, "2026-01-05T22:30:00Z", date(2026, 1, 6)),
        (None, "2026-01-05T21:30:00Z", date(2026, 1, 5)),
        ("America/New_York", "2026-01-05T22:30:00Z", date(2026, 1, 5)),
        ("America/New_York", "2026-01-06T04:30:00Z", date(2026, 1, 5)),
    ],
)
async def test_an_attendance_is_on_the_local_day_of_its_check_in(zone: str | None, checked_in: str, on: date) -> None:
    clerk = Clerk(caller=ADMIN, owner_row=OwnerRow(zone=zone))
    async with clerk.client() as client:
        await client.post(f"{DANAS}/attendance", json={"checked_in_at": checked_in})
    assert clerk.only.command == RecordAttendance("dana", on, at(checked_in), on_given=False)


async def test_without_postgres_an_attendance_must_name_its_day() -> None:
    clerk = Clerk(caller=ADMIN, away=True, answer=learned("texts_erased"))
    async with clerk.client() as client:
        unnamed = await client.post(f"{DANAS}/attendance", json={"checked_in_at": IN})
        named = await client.post(f"{DANAS}/attendance", json={"checked_in_at": IN, "on": "2026-04-02"})
    assert (unnamed.status_code, named.status_code, len(clerk.submitted)) == (503, 200, 1)


async def test_without_a_policy_no_day_is_found() -> None:
    clerk = Clerk(caller=ADMIN, policy=None)
    async with clerk.client() as client:
        assert (await client.post(f"{DANAS}/attendance", json={"checked_in_at": IN})).status_code == 503
    assert clerk.submitted == []


async def test_a_method_that_a_path_lacks_is_405_with_those_it_has() -> None:
    async with Clerk(caller=ADMIN).client() as client:
        owner = await client.delete(DANAS)
        leave = await client.post(f"{DANAS}/leave/2026-04-02")
    assert (owner.status_code, set(owner.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "PUT"})
    assert (leave.status_code, set(leave.headers["allow"].split(", "))) == (405, {"DELETE", "PUT"})
