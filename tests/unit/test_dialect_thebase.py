"""Dialect A: what its words mean, and in which words it answers."""

import base64
import json
from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from services.command_api.commands import AskedTime, PressTimer, StartTimer
from services.command_api.desk import Away, IssuedToken, Unknown
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.thebase import read_start
from services.command_api.rows import OpenTimer
from shared.events.outcome import State
from shared.events.rules import Rule
from tests.support.desks import DANA, LONG, NOT_RECORDED, SHORT, TIMER, WAITING, Clerk, accepted, refused

JERUSALEM = "Asia/Jerusalem"
SEED_START = b"""{
    "account_id": "",
    "start_time": "",
    "owner": "253960413951646409173244928790043995930",
    "comment": "my first timer"
}"""
STARTED = f'{{"id":"{LONG}","message":"הטיימר הופעל"}}'.encode()
NOT_FOUND = (
    b'{"code":"NotFound","title":"Not Found","message":"Not Found",'
    b'"type":"tag:oracle.com,2020:error/NotFound","instance":"tag:stint.invalid,2026:timer"}'
)


def test_the_published_body_is_read() -> None:
    assert read_start(SEED_START, JERUSALEM) == StartTimer(
        owner="253960413951646409173244928790043995930", comment="my first timer"
    )


@hypothesis.given(st.integers(0, 2**128 - 1))
def test_bare_integers_are_their_decimal_text(number: int) -> None:
    body = b'{"owner":%d,"account_id":%d}' % (number, number)
    assert read_start(body, JERUSALEM) == StartTimer(owner=str(number), account_id=str(number))


@pytest.mark.parametrize("spelt", ["007", "7", "dana", "שלום", "x" * 128])
def test_owners_are_text(spelt: str) -> None:
    assert read_start(json.dumps({"owner": spelt}).encode(), JERUSALEM) == StartTimer(owner=spelt)


@pytest.mark.parametrize("body", [b"{}", b'{"owner":""}', b'{"owner":null}', b'{"owner":"","comment":7}'])
def test_no_owner_is_a_missing_parameter_whatever_else_is_wrong(body: bytes) -> None:
    assert read_start(body, JERUSALEM) == Malformed(Rule.PARAMETER_MISSING, "owner")


@pytest.mark.parametrize(
    "owner",
    [
        b"1.0",
        b"1e3",
        b"-1",
        b"true",
        b"[]",
        b"{}",
        b'"a\\u0000"',
        b"340282366920938463463374607431768211456",
        b"9" * 4000,
    ],
)
def test_an_owner_that_is_no_id_is_invalid(owner: bytes) -> None:
    assert read_start(b'{"owner":%b}' % owner, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "owner")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"owner=1",
        b'{"owner":"\\ud800"}',
        b'{"owner":"\xff"}',
        b"[" * 9000,
        b'{"owner":%b}' % (b"9" * 5000),
    ],
)
def test_what_is_no_json_object_is_invalid(body: bytes) -> None:
    assert read_start(body, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "body")


def test_a_comment_of_4000_characters_is_kept_and_one_more_is_too_long() -> None:
    kept = read_start(json.dumps({"owner": "7", "comment": "ש" * 4000}).encode(), JERUSALEM)
    assert kept == StartTimer(owner="7", comment="ש" * 4000)
    assert read_start(json.dumps({"owner": "7", "comment": "x" * 4001}).encode(), JERUSALEM) == Malformed(
        Rule.TEXT_TOO_LONG, "comment"
    )


@pytest.mark.parametrize(
    ("spelt", "instant", "assumed"),
    [
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC), False),
        ("2026-03-01t09:00z", datetime(2026, 3, 1, 9, tzinfo=UTC), False),
        ("2026-03-01 09:00:00.1234567+02:00", datetime(2026, 3, 1, 7, 0, 0, 123456, tzinfo=UTC), False),
        ("2026-03-01T09:00:00-0330", datetime(2026, 3, 1, 12, 30, tzinfo=UTC), False),
        ("2026-03-01T09:00:00", datetime(2026, 3, 1, 7, tzinfo=UTC), True),
        ("2026-10-25T01:30:00", datetime(2026, 10, 24, 22, 30, tzinfo=UTC), True),  # twice: the first
        ("2026-03-27T02:30:00", datetime(2026, 3, 27, 0, 30, tzinfo=UTC), True),  # skipped: forward by the gap
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC), False),
    ],
)
def test_start_time_is_an_instant(spelt: str, instant: datetime, *, assumed: bool) -> None:
    body = json.dumps({"owner": "7", "start_time": spelt}).encode()
    assert read_start(body, JERUSALEM) == StartTimer(owner="7", at=AskedTime(instant, spelt, zone_assumed=assumed))


@pytest.mark.parametrize(
    "spelt",
    [
        "yesterday",
        "2026-03-01",
        "2026-02-30T09:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:59:60Z",
        "2026-03-01T09:00:00+24:00",
        "2026-03-01T09:00:00+02:60",
        "٢٠٢٦-03-01T09:00:00Z",
        "2026-03-01T09:00:00Z\n",
        "2019-12-31T23:59:59.999999Z",
        "2020-01-01T01:59:59",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59-12:00",
        "1772355600",
    ],
)
def test_a_start_time_that_is_none_or_before_2020_is_invalid(spelt: str) -> None:
    body = json.dumps({"owner": "7", "start_time": spelt}).encode()
    assert read_start(body, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "start_time")


def test_year_9999_is_a_time_like_any_other() -> None:
    read = read_start(b'{"owner":"7","start_time":"9999-12-31T23:59:59Z"}', JERUSALEM)
    assert isinstance(read, StartTimer)


async def test_a_start_is_answered_as_printed() -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START, headers={"Idempotency-Key": "k-1"})
    assert (answer.status_code, answer.content) == (201, STARTED)
    assert answer.headers["content-type"] == "application/json"
    assert (clerk.only.dialect, clerk.only.key) == ("thebase", "k-1")


@pytest.mark.parametrize("spelt", [LONG, str(SHORT)])
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b" { } \n", b"NULL Body"])
async def test_a_stop_needs_only_the_id_in_either_spelling(spelt: str, body: bytes) -> None:
    stopped = TIMER.model_copy(update={"state": State.STOPPED, "total_us": 99_000_000})
    clerk = Clerk(answer=accepted(stopped))
    async with clerk.client() as client:
        answer = await client.put(f"/v2/timer/{spelt}", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.content) == (201, '{"message":"הטיימר הופסק","total_minuets":"1.7"}'.encode())
    assert clerk.only.command == PressTimer("stop", SHORT)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"at":"now"}', b"0", b'""'])
async def test_another_body_of_a_stop_is_400(body: bytes) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.put(f"/v2/timer/{LONG}", content=body)
    assert (answer.status_code, clerk.submitted) == (400, [])


@pytest.mark.parametrize(
    "spelt", ["abc", "0x1", LONG[:-1] + "x", LONG[:-1], "9" * 39, "%D9%A1", "start", "a%2Fb", "-1", "9" * 5000]
)
async def test_a_malformed_id_and_an_unknown_one_are_the_same_bytes(spelt: str) -> None:
    async with Clerk(answer=refused(Rule.TIMER_UNKNOWN)).client() as client:
        unknown = await client.put(f"/v2/timer/{SHORT}")
        malformed = await client.put(f"/v2/timer/{spelt}")
    assert (unknown.status_code, unknown.content) == (404, NOT_FOUND)
    assert (malformed.status_code, malformed.content) == (404, NOT_FOUND)
    assert unknown.headers == malformed.headers


@pytest.mark.parametrize("rule", list(Rule))
@pytest.mark.parametrize("path", ["start", LONG])
async def test_no_rule_has_a_status_that_this_dialect_does_not_know(rule: Rule, path: str) -> None:
    async with Clerk(answer=refused(rule)).client() as client:
        send = client.post if path == "start" else client.put
        answer = await send(f"/v2/timer/{path}", content=b'{"owner":"7"}' if path == "start" else b"")
    assert answer.status_code in {400, 401, 404, 500, 503}
    assert set(answer.json()) == {"code", "title", "message", "type", "instance"}


async def test_recorded_and_not_judged_is_202_for_a_start_without_key_and_503_for_the_rest() -> None:
    async with Clerk(answer=WAITING).client() as client:
        start = await client.post("/v2/timer/start", content=SEED_START)
        keyed = await client.post("/v2/timer/start", content=SEED_START, headers={"Idempotency-Key": "k"})
        stop = await client.put(f"/v2/timer/{LONG}")
    assert (start.status_code, start.content, start.headers["retry-after"]) == (202, STARTED, "1")
    assert [(a.status_code, a.headers["retry-after"]) for a in (keyed, stop)] == [(503, "1"), (503, "1")]


async def test_not_recorded_is_503_with_the_time_to_wait() -> None:
    async with Clerk(answer=NOT_RECORDED).client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (
        503,
        "7",
        "ServiceUnavailable",
    )


async def test_a_bad_token_is_401_and_one_that_nobody_can_look_up_503() -> None:
    async with Clerk(caller=Unknown()).client() as client:
        unknown = await client.get("/v2/timer/open")
    async with Clerk(caller=Away()).client() as client:
        away = await client.get("/v2/timer/open")
    assert (unknown.status_code, unknown.headers["www-authenticate"]) == (401, "Bearer")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")


async def test_a_tenant_without_policy_hears_503() -> None:
    async with Clerk(policy=None).client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START)
    assert answer.status_code == 503


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\tb"])
async def test_a_malformed_idempotency_key_is_400(key: str) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START, headers=[(b"Idempotency-Key", key.encode())])
    assert (answer.status_code, clerk.submitted) == (400, [])


async def test_methods_and_paths_that_are_not_there_are_answered_in_this_style() -> None:
    async with Clerk().client() as client:
        method = await client.get("/v2/timer/start")
        path = await client.get("/v2/nothing")
    assert (method.status_code, method.json()["code"], method.headers["allow"]) == (405, "MethodNotAllowed", "POST")
    assert (path.status_code, path.content) == (404, NOT_FOUND)


def _open(count: int) -> list[OpenTimer]:
    at = datetime(2021, 9, 22, 16, 33, 8, 999_999, tzinfo=UTC)
    return [OpenTimer(SHORT + n, None, at, None if n else 'say "hi"') for n in range(count)]


async def test_the_list_of_open_timers_is_answered_as_printed() -> None:
    async with Clerk(open=_open(1)).client() as client:
        answer = await client.get("/v2/timer/open")
    assert answer.text == (
        f'{{"items":[{{"id":"{LONG}","account_id":null,"start_time":"2021-09-22T16:33:08Z","comment":"say \\"hi\\""}}],'
        '"hasMore":false,"limit":25,"offset":0,"count":1,"links":[{"rel":"self","href":"/v2/timer/open?limit=25&offset=0"},'
        '{"rel":"first","href":"/v2/timer/open?limit=25&offset=0"}]}'
    )


async def test_pages_are_linked_in_both_directions() -> None:
    async with Clerk(open=_open(5)).client() as client:
        page = (await client.get("/v2/timer/open?limit=2&offset=1")).json()
    assert (page["count"], page["hasMore"], len(page["items"])) == (2, True, 2)
    assert {link["rel"]: link["href"].partition("?")[2] for link in page["links"]} == {
        "self": "limit=2&offset=1",
        "first": "limit=2&offset=0",
        "next": "limit=2&offset=3",
        "prev": "limit=2&offset=0",
    }


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "offset=-1",
        "offset=1.0",
        "limit=1&limit=2",
        "offset=" + "9" * 40,
    ],
)
async def test_a_page_that_is_none_is_400(query: str) -> None:
    async with Clerk().client() as client:
        assert (await client.get(f"/v2/timer/open?{query}")).status_code == 400


async def test_a_persons_token_lists_only_that_persons_timers() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        await client.get("/v2/timer/open")
    assert clerk.asked == [("open_timers", "acme", 25, 0, "dana")]


async def test_a_read_without_postgres_or_behind_its_position_is_503() -> None:
    async with Clerk(away=True).client() as client:
        away = await client.get("/v2/timer/open")
    async with Clerk(fresh=False).client() as client:
        behind = await client.get("/v2/timer/open", headers={"X-Min-Position": "3:42"})
    assert [(a.status_code, a.headers["retry-after"]) for a in (away, behind)] == [(503, "1"), (503, "1")]


BASIC = "Basic " + base64.b64encode(b"crm:s3cr:et").decode()
GRANT = b"grant_type=client_credentials"


async def test_a_token_is_issued_for_basic_credentials() -> None:
    clerk = Clerk(issued=IssuedToken("a.b.c", 3600))
    async with clerk.client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.text) == (
        200,
        '{"access_token":"a.b.c","token_type":"bearer","expires_in":3600}',
    )
    assert answer.headers["cache-control"] == "no-store"
    assert clerk.asked == [("issue_token", "crm", "s3cr:et")]


@pytest.mark.parametrize(
    ("authorization", "body", "status", "error"),
    [
        (BASIC, GRANT, 401, "invalid_client"),  # the clerk knows nobody
        (None, GRANT, 401, "invalid_client"),
        ("Basic !!!", GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(b"nocolon").decode(), GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), GRANT, 401, "invalid_client"),
        ("Bearer x", GRANT, 401, "invalid_client"),
        (BASIC, b"", 400, "invalid_request"),
        (BASIC, b"grant_type=", 400, "invalid_request"),
        (BASIC, GRANT + b"&" + GRANT, 400, "invalid_request"),
        (BASIC, b"grant_type=%ff", 400, "invalid_request"),
        (BASIC, b"\xff", 400, "invalid_request"),
        (BASIC, b"grant_type=password", 400, "unsupported_grant_type"),
    ],
)
async def test_a_token_is_refused(authorization: str | None, body: bytes, status: int, error: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with Clerk().client() as client:
        answer = await client.post("/oauth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_no_token_without_postgres_is_503() -> None:
    async with Clerk(away=True).client() as client:
        answer = await client.post("/oauth/token", content=GRANT, headers={"Authorization": BASIC})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_trace_is_passed_on_when_it_reads_and_dropped_when_not() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    clerk = Clerk()
    async with clerk.client() as client:
        await client.put(f"/v2/timer/{LONG}", headers={"traceparent": trace})
        await client.put(f"/v2/timer/{LONG}", headers={"traceparent": "x"})
    assert [press.traceparent for press in clerk.submitted] == [trace, None]


async def test_a_person_hears_404_for_a_stop_of_somebody_elses_timer() -> None:
    async with Clerk(caller=DANA, answer=refused(Rule.NOT_THE_OWNER)).client() as client:
        assert (await client.put(f"/v2/timer/{LONG}")).content == NOT_FOUND


def test_the_moment_of_a_start_without_time_is_nobodys_claim() -> None:
    read = read_start(b'{"owner":"7","start_time":null}', JERUSALEM)
    assert isinstance(read, StartTimer)
    assert read.at is None
