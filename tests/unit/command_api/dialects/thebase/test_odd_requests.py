"""Dialect A: odd but lawful requests, as libraries, gateways and languages make them. Each row is one request."""

import pytest

from services.command_api.desk.commands import StartTimer
from tests.support.fakes.desks import LONG, Clerk

START = "/v2/timer/start"
STOP = f"/v2/timer/{LONG}"
OPEN = "/v2/timer/open"

Headers = list[tuple[str, str]]


async def _sent(clerk: Clerk, method: str, path: str, body: bytes, headers: Headers) -> int:
    async with clerk.client() as client:
        answer = await client.request(method, path, content=body, headers=headers)
    assert answer.status_code in {200, 201, 400, 401, 404, 503}
    assert answer.json()
    return answer.status_code


ACCEPTED = [
    (
        "an owner of 39 digits as a bare integer",
        "POST",
        START,
        b'{"owner":%d}' % (2**128 - 1),
        StartTimer(str(2**128 - 1)),
    ),
    ("a member that is not known", "POST", START, b'{"owner":"7","x":{"a":[1]}}', StartTimer("7")),
    ("one name in two objects", "POST", START, b'{"owner":"7","x":[{"a":1},{"a":1}]}', StartTimer("7")),
    (
        "what looks like a member in a text",
        "POST",
        START,
        b'{"owner":"7","comment":"\\"owner\\":"}',
        StartTimer("7", comment='"owner":'),
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "command"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED]
)
async def test_an_odd_request_is_understood(method: str, path: str, body: bytes, command: object) -> None:
    clerk = Clerk()
    assert await _sent(clerk, method, path, body, []) == 201
    assert clerk.only.command == command


REFUSED: list[tuple[str, int, str, str, bytes, Headers]] = [
    ("a member given twice", 400, "POST", START, b'{"owner":"first","owner":"second"}', []),
    ("a member given twice with one value", 400, "POST", START, b'{"owner":"7","owner":"7"}', []),
    ("a member given twice in two spellings", 400, "POST", START, b'{"owner":"7","own\\u0065r":"8"}', []),
    ("a member given twice in one that is not known", 400, "POST", START, b'{"owner":"7","x":[{"a":1,"a":2}]}', []),
    ("NaN in a member that is not known", 400, "POST", START, b'{"owner":"7","n":NaN}', []),
    ("Infinity", 400, "POST", START, b'{"owner":"7","n":[-Infinity]}', []),
    ("a byte order mark", 400, "POST", START, b'\xef\xbb\xbf{"owner":"7"}', []),
    ("a comma too many", 400, "POST", START, b'{"owner":"7",}', []),
    ("a lone surrogate in a member that is not known", 400, "POST", START, b'{"owner":"7","x":"\\udc00"}', []),
    (
        "deep nesting in a member that is not known",
        400,
        "POST",
        START,
        b'{"owner":"7","x":%b}' % (b"[" * 5000 + b"]" * 5000),
        [],
    ),
]


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_an_odd_request_is_refused_unrecorded(
    status: int, method: str, path: str, body: bytes, headers: Headers
) -> None:
    clerk = Clerk()
    assert await _sent(clerk, method, path, body, headers) == status
    assert clerk.submitted == []
