"""Dialect A against running services, byte for byte: the first seed's examples as printed."""

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2 as httpx
import pytest

from shared.events.ids import parse_timer_id
from tests.support.stack.deployments import Tenant
from tests.support.stack.until import until
from tests.support.stack.ways_in import bearer, fresh_number

# As the document prints it, with its blanks.
PRINTED_START = b"""{
    "account_id": "",
    "start_time": "",
    "owner": "253960413951646409173244928790043995930",
    "comment": "my first timer"
}"""
STARTED = "05D4 05D8 05D9 05D9 05DE 05E8 20 05D4 05D5 05E4 05E2 05DC"
STOPPED = "05D4 05D8 05D9 05D9 05DE 05E8 20 05D4 05D5 05E4 05E1 05E7"
UNKNOWN = 2**62 + 1


def _text(code_points: str) -> str:
    return "".join(chr(int(point, 16)) for point in code_points.split())


def _is_started(answer: httpx.Response) -> str:
    """Return the id in an answer that is exactly as the document prints it."""
    match = re.fullmatch(rb'\{"id":"([0-9]{39})","message":"%s"\}' % _text(STARTED).encode(), answer.content)
    assert match is not None, answer.content
    assert answer.status_code == 201
    return match[1].decode()


async def _start(http: httpx.AsyncClient, tenant: Tenant, body: bytes, **headers: str) -> str:
    return _is_started(await http.post("/v2/timer/start", content=body, headers=bearer(tenant.token) | headers))


async def test_a_token_comes_from_oauth_and_starts_a_timer(http: httpx.AsyncClient, tenant: Tenant) -> None:
    basic = base64.b64encode(f"{tenant.client}:{tenant.secret}".encode()).decode()
    answer = await http.post(
        "/oauth/token",
        content=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    token = answer.json()["access_token"]
    assert answer.text == f'{{"access_token":"{token}","token_type":"bearer","expires_in":3600}}'
    started = await http.post(
        "/v2/timer/start",
        content=PRINTED_START,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    _is_started(started)


async def test_a_wrong_secret_gets_no_token(http: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await http.post(
        "/oauth/token", content=b"grant_type=client_credentials", auth=httpx.BasicAuth(tenant.client, "wrong")
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
async def test_the_printed_start_and_stop_are_answered_as_printed(
    http: httpx.AsyncClient, tenant: Tenant, body: bytes
) -> None:
    timer_id = await _start(http, tenant, PRINTED_START)
    answer = await http.put(f"/v2/timer/{timer_id}", content=body, headers=bearer(tenant.token))
    assert (answer.status_code, answer.content) == (
        201,
        f'{{"message":"{_text(STOPPED)}","total_minuets":"0.0"}}'.encode(),
    )


async def test_a_stop_again_is_the_same_answer_again(http: httpx.AsyncClient, tenant: Tenant) -> None:
    # Between 99 and 104.9 seconds, every total is printed as in the document.
    begun = datetime.now(UTC) - timedelta(seconds=99.5)
    body = f'{{"owner":{fresh_number()},"start_time":"{begun.isoformat()}"}}'.encode()
    timer_id = await _start(http, tenant, body)
    answers = [
        await http.put(f"/v2/timer/{spelt}", headers=bearer(tenant.token))
        for spelt in (timer_id, parse_timer_id(timer_id))
    ]
    printed = f'{{"message":"{_text(STOPPED)}","total_minuets":"1.7"}}'.encode()
    assert [(a.status_code, a.content) for a in answers] == [(201, printed), (201, printed)]


async def test_one_key_is_one_timer_and_another_body_is_refused(http: httpx.AsyncClient, tenant: Tenant) -> None:
    body = f'{{"owner":"{fresh_number()}","account_id":"a"}}'.encode()
    first = await _start(http, tenant, body, **{"Idempotency-Key": "k-1"})
    assert await _start(http, tenant, body, **{"Idempotency-Key": "k-1"}) == first
    other = await http.post(
        "/v2/timer/start",
        content=body.replace(b'"a"', b'"b"'),
        headers=bearer(tenant.token) | {"Idempotency-Key": "k-1"},
    )
    assert (other.status_code, other.json()["code"]) == (400, "BadRequest")


async def test_unknown_foreign_and_malformed_ids_are_the_same_404(
    http: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    foreign = await _start(http, other_tenant, PRINTED_START)
    mistyped = foreign[:-1] + ("0" if foreign[-1] != "0" else "1")
    heard = [
        await http.put(f"/v2/timer/{spelt}", headers=bearer(tenant.token))
        for spelt in (UNKNOWN, foreign, mistyped, "no-timer")
    ]
    assert {(a.status_code, a.content) for a in heard} == {
        (
            404,
            (
                b'{"code":"NotFound","title":"Not Found","message":"Not Found",'
                b'"type":"tag:oracle.com,2020:error/NotFound","instance":"tag:stint.invalid,2026:timer"}'
            ),
        )
    }
    assert (await http.put(f"/v2/timer/{foreign}", headers=bearer(other_tenant.token))).status_code == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"comment":"x"}', "owner is mandatory."),
        (b'{"owner":"7","start_time":"yesterday"}', "start_time is not valid."),
        (b'{"owner":"7","start_time":"2019-12-31T23:59:59Z"}', "start_time is not valid."),
        (b'{"owner":"7","comment":"%b"}' % (b"x" * 4001), "comment is too long."),
        (b'{"owner":7.0}', "owner is not valid."),
        (b"{", "body is not valid."),
        (b'{"owner":"7","start_time":"2999-01-01T00:00:00Z"}', "The time lies in the future."),
    ],
)
async def test_a_bad_start_is_400(http: httpx.AsyncClient, tenant: Tenant, body: bytes, message: str) -> None:
    answer = await http.post("/v2/timer/start", content=body, headers=bearer(tenant.token))
    assert (answer.status_code, answer.text) == (
        400,
        (
            f'{{"code":"BadRequest","title":"Bad Request","message":"{message}",'
            '"type":"tag:oracle.com,2020:error/BadRequest","instance":"tag:stint.invalid,2026:timer"}'
        ),
    )


async def test_a_body_too_large_is_400_here(http: httpx.AsyncClient, tenant: Tenant) -> None:
    # The body is only announced: a client that sends it may find the connection reset before it reads the answer.
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    said = {"Host": "api.test", "Content-Length": "1000000"} | bearer(tenant.token)
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"POST /v2/timer/start HTTP/1.1\r\n{head}\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'\r\n\r\n{"code":"BadRequest"' in answer


@pytest.mark.parametrize("path", ["/v2/timer/start/", "/v2/timer/open/", "/v2/nothing", "/v2/timer/a%2Fb"])
async def test_a_path_that_is_not_there_is_404_and_never_a_redirect(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.post(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


async def test_no_token_is_401(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v2/timer/start", content=PRINTED_START)
    assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")


async def test_open_timers_are_listed_until_they_are_stopped(http: httpx.AsyncClient, other_tenant: Tenant) -> None:
    owner = fresh_number()
    nine = (datetime.now(ZoneInfo("America/New_York")) - timedelta(days=2)).replace(hour=9, minute=0, second=0)
    body = f'{{"owner":{owner},"start_time":"{nine:%FT%T}.999","comment":"בבוקר"}}'.encode()
    timer_id = await _start(http, other_tenant, body)

    async def listed() -> str | None:
        page = await http.get("/v2/timer/open?limit=1000", headers=bearer(other_tenant.token))
        assert page.json()["count"] == len(page.json()["items"])
        return next((i for i in re.findall(r'\{"id":"[^}]*\}', page.text) if timer_id in i), None)

    # Nine o'clock is New York's here. The text comes by another topic, some milliseconds later.
    started_at = f"{nine.astimezone(UTC):%FT%TZ}"
    await until(listed, f'{{"id":"{timer_id}","account_id":null,"start_time":"{started_at}","comment":"בבוקר"}}')
    await http.put(f"/v2/timer/{timer_id}", headers=bearer(other_tenant.token))
    assert await listed() is None


async def test_the_list_says_where_it_goes_on(http: httpx.AsyncClient, other_tenant: Tenant) -> None:
    for _ in range(2):
        await _start(http, other_tenant, f'{{"owner":{fresh_number()}}}'.encode())
    answer = await http.get("/v2/timer/open?limit=1", headers=bearer(other_tenant.token))
    assert answer.text.endswith(
        '"hasMore":true,"limit":1,"offset":0,"count":1,"links":[{"rel":"self","href":"/v2/timer/open?limit=1&offset=0"},'
        '{"rel":"first","href":"/v2/timer/open?limit=1&offset=0"},{"rel":"next","href":"/v2/timer/open?limit=1&offset=1"}]}'
    )
