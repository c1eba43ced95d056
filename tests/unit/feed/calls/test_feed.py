"""`GET /v1/feed`: what is answered to whom, word for word."""

import asyncio
import json
from datetime import timedelta

import httpx2 as httpx
import pytest

from services.feed.window.position import FeedPlace, MovingPosition
from tests.support.story.judged import judged, outcome_bytes
from tests.unit.feed.calls.requests import Wired, token


def position_of(*offsets: int) -> str:
    return MovingPosition([FeedPlace(offset, offset) for offset in offsets]).text


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["rule"]


async def test_json_lines_are_the_outcomes_and_where_to_go_on() -> None:
    it = Wired()
    it.put(judged(0), judged(1, "other"), judged(2))
    answer = await it.get()
    assert answer.content == b"".join(
        [
            b'{"position":"%s","outcome":%s}\n' % (position_of(1, 0).encode(), outcome_bytes(0)),
            b'{"position":"%s","outcome":%s}\n' % (position_of(3, 0).encode(), outcome_bytes(2)),
            b'{"position":"%s"}\n' % position_of(3, 0).encode(),
        ]
    )
    assert {name: answer.headers[name] for name in ("content-type", "cache-control", "x-accel-buffering")} == {
        "content-type": "application/x-ndjson",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
    }


async def test_an_answer_ends_at_its_limit_and_the_next_goes_on() -> None:
    it = Wired()
    it.put(*[judged(n) for n in range(250)])
    first = (await it.get("?limit=230")).content.splitlines()
    assert len(first) == 231
    rest = (await it.get(f"?after={json.loads(first[-1])['position']}")).content.splitlines()
    assert [json.loads(line)["outcome"]["source_offset"] for line in rest[:-1]] == list(range(230, 250))


async def test_a_quiet_reader_is_answered_as_soon_as_something_comes() -> None:
    it = Wired()
    waiting = asyncio.create_task(it.get("?after=now&wait=30"))
    await asyncio.sleep(0.02)
    it.put(judged(0, "other"))  # wakes nobody of this tenant
    await asyncio.sleep(0.02)
    assert not waiting.done()
    it.put(judged(1))
    assert len((await waiting).content.splitlines()) == 2
    assert it.room.readers == 0


async def test_what_the_window_does_not_hold_is_410_with_where_to_begin() -> None:
    it = Wired(outcomes_max=3)
    it.put(*[judged(n) for n in range(10)])
    answer = await it.get(f"?after={position_of(4, 0)}")
    assert problem(answer) == (410, None)
    said = answer.json()
    assert said["title"] == "Gone"
    again = (await it.get(f"?after={said['after']}")).content.splitlines()
    assert [json.loads(line)["outcome"]["source_offset"] for line in again[:-1]] == [7, 8, 9]
    assert again == (await it.get()).content.splitlines()


async def test_a_position_beyond_the_end_of_the_log_is_410() -> None:
    """The log went back, and what it has now is not what the reader has read."""
    it = Wired(log_ends=[1, 0])
    it.put(judged(0))
    assert problem(await it.get(f"?after={position_of(5, 0)}")) == (410, None)


async def test_a_position_of_a_process_that_has_read_further_is_good() -> None:
    """The control of the test before: the log has it, only this process does not yet."""
    it = Wired(log_ends=[9, 0])
    it.put(judged(0))
    reading = asyncio.create_task(it.get(f"?after={position_of(5, 0)}&wait=10"))
    await asyncio.sleep(0.02)
    it.put(*[judged(n) for n in range(1, 7)])
    lines = (await reading).content.splitlines()
    assert [json.loads(line)["outcome"]["source_offset"] for line in lines[:-1]] == [5, 6]


async def test_a_position_that_cannot_be_checked_is_503() -> None:
    it = Wired(log_ends=None)
    assert problem(await it.get(f"?after={position_of(5, 0)}")) == (503, None)


async def test_before_there_is_a_window_callers_hear_503() -> None:
    it = Wired()
    assert it.window is not None
    it.window.close()
    assert problem(await it.get()) == (503, None)
    it.window = None
    answer = await it.get()
    assert (problem(answer), answer.headers["retry-after"]) == ((503, None), "1")


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_get_is_answered(method: str) -> None:
    async with Wired().client() as http:
        answer = await http.request(method, "/v1/feed")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "query",
    [
        "?after=nonsense",
        "?after=0:7",
        f"?after={position_of(1)}",
        "?wait=31",
        "?wait=-1",
        "?wait=1.5",
        "?limit=0",
        "?limit=10001",
        "?since=0",
        "?after=now&after=now",
    ],
)
async def test_what_does_not_read_is_400_and_says_what_may_stand_there(query: str) -> None:
    answer = await Wired().get(query)
    assert problem(answer) == (400, "R03")
    assert answer.json()["detail"].partition(" ")[0] in {"The", "after", "wait", "limit"}


@pytest.mark.parametrize("query", ["?wait=1", "?limit=1"])
async def test_a_stream_of_events_takes_neither_wait_nor_limit(query: str) -> None:
    assert problem(await Wired().get(query, accept="text/event-stream")) == (400, "R03")


async def test_without_a_token_the_caller_hears_401_and_nothing_else() -> None:
    answer = await Wired().get("?since=0", authorization="Bearer eyJ.no.token")
    assert problem(answer) == (401, "R01")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert problem(await Wired().get(authorization=f"Bearer {token(lasts=timedelta(0))}")) == (401, "R01")


async def test_two_authorization_headers_are_none() -> None:
    """A gateway in front may believe the other one."""
    async with Wired().client() as http:
        twice = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token('other')}")]
        del http.headers["Authorization"]
        assert problem(await http.get("/v1/feed", headers=twice)) == (401, "R01")


async def test_an_opaque_token_is_503_while_nobody_can_look_it_up() -> None:
    assert problem(await Wired().get(authorization="Bearer opaque")) == (503, None)


async def test_readers_beyond_the_bounds_are_turned_away_until_one_leaves() -> None:
    for it, status in ((Wired(readers_max=2), 503), (Wired(of_tenant_max=2), 429)):
        waiting = [asyncio.create_task(it.get("?after=now&wait=30")) for _ in range(2)]
        await asyncio.sleep(0.02)
        answer = await it.get()
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "1")
        # Another tenant has room, unless there is none for anybody.
        other = await it.get(authorization=f"Bearer {token('other')}")
        assert other.status_code == (503 if status == 503 else 200)
        it.put(judged(0))
        await asyncio.gather(*waiting)
        assert (await it.get()).status_code == 200


async def test_each_answer_is_counted_by_its_kind() -> None:
    it = Wired()
    await it.get()
    await it.get("?since=0")
    await it.get(authorization="nothing")
    assert {word: count for word, count in it.call.answered.items() if count} == {"lines": 1, "400": 1, "401": 1}
