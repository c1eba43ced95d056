"""Dialect A: the words of each answer."""

import pytest

from services.command_api.desk.commands import PressTimer
from services.command_api.desk.desk import Away, Unknown
from shared.events.outcome import State
from shared.events.rules import Rule
from shared.events.value import replace
from tests.support.fakes.desks import DANA, LONG, NOT_RECORDED, SHORT, TIMER, WAITING, Clerk, accepted, refused

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


async def test_a_start_is_answered_as_printed() -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START, headers={"Idempotency-Key": "k-1"})
    assert (answer.status_code, answer.content) == (201, STARTED)
    assert answer.headers["content-type"] == "application/json"
    assert (clerk.only.dialect, clerk.only.key) == ("thebase", "k-1")


@pytest.mark.parametrize("spelt", [LONG, str(SHORT)])
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b" { } \n", b"NULL Body", b"[]", b" [ ] "])
async def test_a_stop_needs_only_the_id_in_either_spelling(spelt: str, body: bytes) -> None:
    stopped = replace(TIMER, state=State.STOPPED, total_us=99_000_000)
    clerk = Clerk(answer=accepted(stopped))
    async with clerk.client() as client:
        answer = await client.put(f"/v2/timer/{spelt}", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.content) == (201, '{"message":"הטיימר הופסק","total_minuets":"1.7"}'.encode())
    assert clerk.only.command == PressTimer("stop", SHORT)


@pytest.mark.parametrize("body", [b"[0]", b"[[]]", b"{", b'{"at":"now"}', b"0", b'""', b" " * 60_000 + b"x"])
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


async def test_a_press_not_judged_in_time_is_202_or_503() -> None:
    """A start without a key is 202, because its id is certain. A start with one, and a stop, are 503."""
    async with Clerk(answer=WAITING).client() as client:
        start = await client.post("/v2/timer/start", content=SEED_START)
        keyed = await client.post("/v2/timer/start", content=SEED_START, headers={"Idempotency-Key": "k"})
        stop = await client.put(f"/v2/timer/{LONG}")
    assert (start.status_code, start.content, start.headers["retry-after"]) == (202, STARTED, "1")
    assert [(a.status_code, a.headers["retry-after"]) for a in (keyed, stop)] == [(503, "1"), (503, "1")]


async def test_a_press_not_recorded_is_503_with_the_time_to_wait() -> None:
    async with Clerk(answer=NOT_RECORDED).client() as client:
        answer = await client.post("/v2/timer/start", content=SEED_START)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (
        503,
        "7",
        "ServiceUnavailable",
    )


async def test_an_unknown_token_is_401_and_an_unreachable_directory_503() -> None:
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


async def test_unknown_methods_and_paths_are_answered_in_this_dialect() -> None:
    async with Clerk().client() as client:
        method = await client.get("/v2/timer/start")
        path = await client.get("/v2/timer/open/")
    assert (method.status_code, method.json()["code"], method.headers["allow"]) == (405, "MethodNotAllowed", "POST")
    assert (path.status_code, path.content) == (404, NOT_FOUND)


async def test_a_trace_is_passed_on_when_it_reads_and_dropped_when_not() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    clerk = Clerk()
    async with clerk.client() as client:
        await client.put(f"/v2/timer/{LONG}", headers={"traceparent": trace})
        await client.put(f"/v2/timer/{LONG}", headers={"traceparent": "x"})
    assert [press.traceparent for press in clerk.submitted] == [trace, None]


async def test_a_person_hears_404_for_a_stop_of_another_persons_timer() -> None:
    async with Clerk(caller=DANA, answer=refused(Rule.NOT_THE_OWNER)).client() as client:
        assert (await client.put(f"/v2/timer/{LONG}")).content == NOT_FOUND
