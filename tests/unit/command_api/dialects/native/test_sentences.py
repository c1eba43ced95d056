"""What dialect C says of a value that is not valid: what may stand there. A row is a request and its `detail`."""

from typing import Final

import pytest
from pydantic import BaseModel

from services.command_api.dialects.native.owners.reading import AttendanceBody, EstimateBody, NoBody, ProfileBody
from services.command_api.dialects.native.reading import PauseBody, PressBody, ResumeBody, StartBody
from services.command_api.dialects.native.sentences import MAY_BE
from tests.support.fakes.desks import ADMIN, LONG, Clerk

TIMERS: Final = "/v1/timers"
TIMER: Final = f"{TIMERS}/{LONG}"
DANA: Final = "/v1/owners/dana"

AT: Final = (
    "at must be a moment with an offset, such as 2026-04-02T09:00:00+03:00; a timer starts on 2020-01-01 or later."
)
MOMENT: Final = "must be a moment with an offset, such as 2026-04-02T09:00:00+03:00."
TOO_OLD: Final = "The time lies more than 62 days in the past, which is the most that this deployment takes."
MEMBERS: Final = (
    "body may have these members only: "
    "at, owner, account_id, job_id, project_id, billable, work_date, comment, work_item, reference."
)
BODY: Final = "body must be a JSON object in UTF-8 that has no member twice."
NAME: Final = "must be a text without U+0000, or a whole number from 0 to 2^128 - 1."
REASON: Final = "reason must be 1 to 32 of the letters A to Z and a to z, digits, - and _."
REFERENCE: Final = "reference must be 1 to 128 characters, none of them a control character."
KEY: Final = "Idempotency-Key must be given once, with 1 to 255 printable ASCII characters."
POSITION: Final = "X-Min-Position must be given once, as a position on a partition that there is, such as 3:42."
NO_QUERY: Final = "This call takes no query parameters."

Headers = list[tuple[str, str]]
SAID: Final[list[tuple[str, str, bytes, Headers, str]]] = [
    ("POST", TIMERS, b'{"owner":"d","at":"2026-03-01T09:00:00"}', [], AT),
    ("POST", TIMERS, b'{"owner":"d","at":"2026-03-01"}', [], AT),
    ("POST", TIMERS, b'{"owner":"d","at":7}', [], AT),
    ("POST", TIMERS, b'{"owner":"d","at":"2019-12-31T23:59:59Z"}', [], AT),
    ("POST", TIMERS, b'{"owner":"d","at":"2025-03-01T09:00:00Z"}', [], TOO_OLD),
    ("POST", f"{TIMER}/resume", b'{"at":"9"}', [], AT),
    ("POST", f"{TIMER}/stop", b'{"at":"9"}', [], AT),
    ("POST", TIMERS, b'{"owner":"d","work_date":"1.3.2026"}', [], "work_date must be a day, such as 2026-04-02."),
    ("POST", TIMERS, b'{"owner":"d","billable":"yes"}', [], "billable must be true or false."),
    ("POST", TIMERS, b'{"owner":7.5}', [], f"owner {NAME}"),
    ("POST", TIMERS, b'{"owner":"d","job_id":-1}', [], f"job_id {NAME}"),
    ("POST", TIMERS, b'{"owner":"d","comment":7}', [], "comment must be a text without U+0000."),
    ("POST", TIMERS, b'{"owner":"d","reference":"a\\tb"}', [], REFERENCE),
    ("POST", f"{TIMER}/pause", b'{"reason":"going home"}', [], REASON),
    ("POST", TIMERS, b'{"owner":"d","acount_id":"1"}', [], f"{MEMBERS} It has acount_id."),
    ("POST", TIMERS, b'{"owner":"d","a b":"1"}', [], MEMBERS),
    ("POST", TIMERS, b'{"owner":"d","\\u001b[2J":"1"}', [], MEMBERS),
    ("POST", TIMERS, b'{"owner":"d","' + b"a" * 41 + b'":"1"}', [], MEMBERS),
    ("POST", f"{TIMER}/pause", b'{"owner":"d"}', [], "body may have these members only: at, reason. It has owner."),
    ("POST", TIMERS, b'{"owner":', [], BODY),
    ("POST", TIMERS, b'{"owner":"a","owner":"b"}', [], BODY),
    ("POST", TIMERS, b'{"owner":"\xff"}', [], BODY),
    ("POST", TIMERS, b"[7]", [], BODY),
    ("POST", f"{TIMER}/stop?at=2026-03-01T09:00:00Z", b"", [], NO_QUERY),
    ("POST", f"{TIMER}/stop", b"", [("Idempotency-Key", "")], KEY),
    ("POST", f"{TIMER}/stop", b"", [("Idempotency-Key", "a"), ("Idempotency-Key", "b")], KEY),
    ("GET", TIMER, b"", [("X-Min-Position", "abc")], POSITION),
    ("GET", TIMER, b"", [("X-Min-Position", "99:1")], POSITION),
    ("PUT", f"{DANA}?zone=UTC", b"{}", [], NO_QUERY),
    ("PUT", "/v1/policy?x=1", b'{"replaces":null,"preset":"native","zone":"UTC"}', [], NO_QUERY),
    ("PUT", "/v1/owners/d%00", b"{}", [], f"owner {NAME}"),
    ("PUT", DANA, b'{"zone":"Mars"}', [], "zone must be the name of a time zone, such as Asia/Jerusalem."),
    ("PUT", DANA, b'{"active":"no"}', [], "active must be true or false."),
    ("PUT", DANA, b'{"timers_disabled":1}', [], "timers_disabled must be true or false."),
    ("PUT", DANA, b'{"aliases":"x"}', [], "aliases must be a list of up to 50 texts of 1 to 128 characters."),
    ("PUT", f"{DANA}/leave/2.4.2026", b"", [], "day must be a day, such as 2026-04-02."),
    ("PUT", f"{DANA}/leave/2026-04-02", b'{"on":1}', [], "body must be empty, or an empty object. It has on."),
    ("POST", f"{DANA}/attendance", b'{"checked_in_at":7}', [], f"checked_in_at {MOMENT}"),
    (
        "POST",
        f"{DANA}/attendance",
        b'{"checked_in_at":"2026-03-01T09:00:00Z","checked_out_at":"17:00"}',
        [],
        f"checked_out_at {MOMENT}",
    ),
    (
        "POST",
        f"{DANA}/attendance",
        b'{"checked_in_at":"2026-03-01T09:00:00Z","on":"today"}',
        [],
        "on must be a day, such as 2026-04-02.",
    ),
    ("PUT", f"{DANA}/estimates/j", b'{"seconds":1.5}', [], "seconds must be a whole number from 0 to 1000000000."),
    ("PUT", f"{DANA}/estimates/%00", b'{"seconds":1}', [], "job must be a text without U+0000."),
    ("GET", "/v1/accounts/%00/days", b"", [], "account must be a text without U+0000."),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "detail"), SAID)
async def test_a_value_that_is_not_valid_hears_what_may_stand_there(
    method: str, path: str, body: bytes, headers: Headers, detail: str
) -> None:
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        answer = await client.request(method, path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["rule"], answer.json()["detail"]) == (400, "R03", detail)
    assert clerk.submitted == []


@pytest.mark.parametrize(
    "kind", [PressBody, PauseBody, ResumeBody, StartBody, NoBody, ProfileBody, AttendanceBody, EstimateBody]
)
def test_every_member_of_a_body_has_its_sentence(kind: type[BaseModel]) -> None:
    assert set(kind.model_fields) <= set(MAY_BE)
