"""Dialect C: odd but lawful requests, as libraries, gateways and languages make them. Each row is one request."""

import pytest

from services.command_api.desk.commands import PressTimer, StartTimer
from tests.support.fakes.desks import LONG, SHORT, Clerk

TIMERS = "/v1/timers"
TIMER = f"/v1/timers/{LONG}"

Headers = list[tuple[str, str]]


async def _sent(clerk: Clerk, method: str, path: str, body: bytes, headers: Headers) -> int:
    async with clerk.client() as client:
        answer = await client.request(method, path, content=body, headers=headers)
    assert answer.json()
    return answer.status_code


ACCEPTED = [
    ("an empty query", 200, f"{TIMER}/stop?", b"", PressTimer("stop", SHORT)),
    ("an empty array as a stop", 200, f"{TIMER}/stop", b"[]", PressTimer("stop", SHORT)),
    (
        "an owner of 39 digits as a bare integer",
        201,
        TIMERS,
        b'{"owner":%d}' % (2**128 - 1),
        StartTimer(str(2**128 - 1)),
    ),
    (
        "what looks like a member in a text",
        201,
        TIMERS,
        b'{"owner":"7","comment":"\\"at\\":"}',
        StartTimer("7", comment='"at":'),
    ),
]


@pytest.mark.parametrize(
    ("status", "path", "body", "command"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED]
)
async def test_an_odd_press_is_understood(status: int, path: str, body: bytes, command: object) -> None:
    clerk = Clerk()
    assert await _sent(clerk, "POST", path, body, []) == status
    assert clerk.only.command == command


REFUSED: list[tuple[str, int, str, bytes, Headers]] = [
    ("an empty array as a start", 400, TIMERS, b"[]", []),
    ("a member given twice", 400, f"{TIMER}/stop", b'{"at":"2026-02-01T00:00:00Z","at":"2026-02-01T00:00:00Z"}', []),
    ("a member given twice in a start", 400, TIMERS, b'{"owner":"first","owner":"second"}', []),
    ("NaN", 400, TIMERS, b'{"owner":"7","billable":NaN}', []),
    ("a byte order mark", 400, TIMERS, b'\xef\xbb\xbf{"owner":"7"}', []),
    ("a time in the query", 400, f"{TIMER}/stop?at=2026-02-01T00:00:00Z", b"", []),
    ("a name without a value in the query", 400, f"{TIMER}/pause?secret", b"", []),
    ("a query of a resume", 400, f"{TIMER}/resume?x=1", b"{}", []),
    ("a query of a start", 400, f"{TIMERS}?owner=dana", b'{"owner":"dana"}', []),
    ("a comma too many", 400, f"{TIMER}/stop", b'{"at":"",}', []),
]


@pytest.mark.parametrize(
    ("status", "path", "body", "headers"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_an_odd_press_is_refused_unrecorded(status: int, path: str, body: bytes, headers: Headers) -> None:
    clerk = Clerk()
    assert await _sent(clerk, "POST", path, body, headers) == status
    assert clerk.submitted == []


async def test_a_query_is_named_by_its_place_and_not_repeated() -> None:
    async with Clerk().client() as client:
        answer = await client.post(f"{TIMER}/stop?secret=word")
    assert answer.json()["detail"] == "This call takes no query parameters."
    assert not {"secret", "word"} & set(answer.text.split())
