"""Streams: server-sent events, readers that leave, and readers that take nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from starlette.types import Message

from services.feed.window.position import FeedPlace, MovingPosition
from shared.process.http.protocol import HANG_UP
from tests.support.story.judged import judged, outcome_bytes
from tests.unit.feed.calls.requests import NOW, Wired, scope_of


def position_of(*offsets: int) -> str:
    return MovingPosition([FeedPlace(offset, offset) for offset in offsets]).text


class Connection:
    """The server's side of one request. `stuck`: the caller takes nothing more."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.status = 0
        self.ended = False
        self.stuck = False
        self.came = asyncio.Event()
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent.append(message["body"])
            self.ended = not message.get("more_body", False)
        self.came.set()

    async def blocks(self, count: int) -> list[str]:
        """Return the first blocks of the stream, when they have come."""
        async with asyncio.timeout(5):
            while len(found := b"".join(self.sent).decode().split("\n\n")) <= count:
                self.came.clear()
                await self.came.wait()
        return found[:count]


@asynccontextmanager
async def reading(
    it: Wired, query: str = "", connection: Connection | None = None, **headers: str
) -> AsyncIterator[tuple[Connection, Any]]:
    connection = connection or Connection()
    scope = scope_of(query, **({"accept": "text/event-stream"} | headers))
    scope["extensions"] = {HANG_UP: {"now": connection.left.set}}
    task = asyncio.create_task(it.call(scope, connection.receive, connection.send))
    try:
        yield connection, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_events_have_their_position_as_id_and_the_outcome_as_data() -> None:
    it = Wired()
    it.put(judged(0), judged(1, "other"))
    async with reading(it) as (connection, _):
        assert await connection.blocks(2) == [
            f"retry: 1000\nid: {position_of(0, 0)}",
            f"id: {position_of(1, 0)}\ndata: {outcome_bytes(0).decode()}",
        ]
        # While it is quiet the position moves all the same.
        assert (await connection.blocks(3))[2] == f": quiet\nid: {position_of(2, 0)}"
        it.put(judged(2))
        while not connection.sent[-1].endswith(outcome_bytes(2) + b"\n\n"):
            connection.came.clear()
            await connection.came.wait()
    assert it.room.readers == 0


async def test_the_last_event_id_goes_before_the_query() -> None:
    """A browser repeats its first request, and adds how far it came."""
    it = Wired()
    it.put(judged(0), judged(1), judged(2))
    async with reading(it, f"after={position_of(1, 0)}", last_event_id=position_of(2, 0)) as (connection, _):
        assert (await connection.blocks(2))[1].endswith(outcome_bytes(2).decode())
    async with reading(it, f"after={position_of(1, 0)}", last_event_id="") as (connection, _):
        assert (await connection.blocks(2))[1].endswith(outcome_bytes(1).decode())


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        ("text/event-stream", True),
        ("application/json, Text/Event-Stream;q=0.9", True),
        ("*/*", False),
        ("application/x-ndjson", False),
        ("application/x-ndjson, text/event-stream;q=0", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=0.5, application/x-ndjson", False),
        ("text/event-stream, application/x-ndjson;q=0.5", True),
    ],
)
async def test_events_are_sent_to_those_that_ask_for_them(accept: str, events: bool) -> None:  # noqa: FBT001 - a case
    it = Wired()
    assert it.window is not None
    asking = asyncio.create_task(it.get(accept=accept))
    await asyncio.sleep(0.02)
    it.window.close()
    expected = "text/event-stream; charset=utf-8" if events else "application/x-ndjson"
    assert (await asking).headers["content-type"] == expected


async def test_a_stream_ends_when_its_token_expires() -> None:
    it = Wired(now=NOW + timedelta(minutes=59, seconds=59.9))
    async with reading(it) as (connection, task):
        await asyncio.wait_for(task, 5)
    assert (connection.status, connection.ended) == (200, True)


async def test_a_stream_ends_when_its_client_is_revoked() -> None:
    it = Wired()
    async with reading(it) as (connection, task):
        await connection.blocks(2)
        it.tokens.revoked.add("desk")
        await asyncio.wait_for(task, 5)
    assert connection.ended
    assert (await it.get()).status_code == 401


def revoke(it: Wired) -> None:
    """Revoke the client, and return when the feed looks again before it believes its token."""
    it.tokens.revoked.add("desk")
    time.sleep(0.05)


class Slow(Connection):
    """A reader of lines. Something happens while it takes its first piece."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    async def send(self, message: Message) -> None:
        await super().send(message)
        if len(self.sent) == 1:
            self._happens()

    @property
    def lines(self) -> list[bytes]:
        return b"".join(self.sent).splitlines()


async def lines_of(it: Wired, happens: Callable[[], None]) -> list[bytes]:
    """Return the lines that a slow reader is sent of 250 outcomes, which are three pieces."""
    it.put(*[judged(n) for n in range(250)])
    slow = Slow(happens)
    async with reading(it, connection=slow, accept="application/x-ndjson") as (_, task):
        await asyncio.wait_for(task, 5)
    assert (slow.status, slow.ended) == (200, True)
    return slow.lines


async def test_lines_end_when_their_client_is_revoked_and_say_where_to_go_on() -> None:
    """A reader that takes its time could hear what came long after."""
    it = Wired()
    lines = await lines_of(it, partial(revoke, it))
    assert (len(lines), lines[-1]) == (101, b'{"position":"%s"}' % position_of(100, 0).encode())
    control = await lines_of(Wired(), lambda: None)
    assert len(control) == 251


async def test_a_reader_that_waits_hears_nothing_after_its_client_was_revoked() -> None:
    it = Wired()
    async with reading(it, "after=now&wait=30", accept="application/x-ndjson") as (connection, task):
        await asyncio.sleep(0.05)
        revoke(it)
        it.put(judged(0))
        await asyncio.wait_for(task, 5)
    assert connection.sent == [b'{"position":"%s"}\n' % position_of(0, 0).encode(), b""]


async def test_a_reader_that_waits_for_nothing_is_answered_when_its_token_ends() -> None:
    soon = Wired(now=NOW + timedelta(minutes=59, seconds=59.9))
    revoked = Wired()
    for it in (soon, revoked):
        async with reading(it, "after=now&wait=30", accept="application/x-ndjson") as (_, task):
            await asyncio.sleep(0.05)
            revoked.tokens.revoked.add("desk")
            await asyncio.wait_for(task, 5)


async def test_lines_end_when_their_token_expires() -> None:
    it = Wired(now=NOW + timedelta(minutes=59, seconds=59.9))
    assert len(await lines_of(it, lambda: time.sleep(0.15))) == 101


async def test_a_stream_ends_when_the_process_leaves() -> None:
    it = Wired()
    assert it.window is not None
    async with reading(it) as (connection, task):
        await connection.blocks(1)
        it.window.close()
        await asyncio.wait_for(task, 5)
    assert connection.ended


async def test_a_reader_that_leaves_ends_its_stream_at_once() -> None:
    it = Wired()
    async with reading(it) as (connection, task):
        await connection.blocks(1)
        connection.left.set()
        await asyncio.wait_for(task, 5)
    assert it.room.readers == 0


async def test_a_reader_that_takes_nothing_is_cut_off_and_slows_no_other() -> None:
    it = Wired()
    async with reading(it) as (stuck, cut_off), reading(it) as (quick, _):
        await asyncio.gather(stuck.blocks(1), quick.blocks(1))
        stuck.stuck = True
        it.put(*[judged(n) for n in range(50)])
        assert len(await quick.blocks(51)) == 51
        assert it.room.readers == 2
        await asyncio.wait_for(cut_off, 5)
        assert stuck.left.is_set()
        assert not stuck.ended
        assert it.room.readers == 1


async def test_a_reader_that_falls_out_is_told_so_when_it_comes_back() -> None:
    it = Wired(outcomes_max=5)
    it.put(judged(0))
    async with reading(it) as (connection, task):
        await connection.blocks(2)
        it.put(*[judged(n) for n in range(1, 20)])
        await asyncio.wait_for(task, 5)
    assert connection.ended
    answer = await it.get("", **{"accept": "text/event-stream", "last-event-id": position_of(1, 0)})
    assert answer.status_code == 410
