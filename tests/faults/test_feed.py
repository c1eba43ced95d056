"""The feed is killed and begins anew, beside a reader that never reads: the other one hears everything once."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Final

import httpx2 as httpx
import pytest

from deploy.local.settings import HOST
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Tenant, fresh_owner
from tests.support.stack.feed_reader import FeedReader
from tests.support.stack.until import eventually

pytestmark = pytest.mark.fault

PRESSES: Final = 150
# An answer without an outcome comes after ten.
PROMPTLY_SECONDS: Final = 8.0


async def press(api: Api, count: int) -> list[str]:
    """Start timers side by side, one for each owner; return their owners."""
    owners = [fresh_owner() for _ in range(count)]
    for at in range(0, count, 10):
        answers = await asyncio.gather(*(api.start(owner) for owner in owners[at : at + 10]))
        assert {answer.status_code for answer in answers} == {201}
    return owners


class Persistent:
    """A reader that asks again whenever its answer breaks off, from the last position that it kept."""

    def __init__(self, reader: FeedReader, position: str) -> None:
        self.heard: list[str] = []
        self.answers = 0
        self._reader = reader
        self._position = position

    async def read_on(self, count: int) -> None:
        """Read until `count` outcomes have come. A feed that has just begun answers 503 for a moment."""
        while len(self.heard) < count:
            self.answers += 1
            try:
                await self._read(count)
            except (httpx.TransportError, httpx.HTTPStatusError):
                await asyncio.sleep(0.05)

    async def has(self, count: int) -> bool:
        """Return whether so many have come."""
        return len(self.heard) >= count

    async def _read(self, count: int) -> None:
        async for position, data in self._reader.events(self._position):
            self._position = position
            if data is not None:
                self.heard.append(json.loads(data)["owner"])
            if len(self.heard) == count:
                return


async def test_a_feed_that_is_killed_goes_on_for_its_readers(
    api: Api, crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant
) -> None:
    """No gap and nothing twice, over two deaths of the feed while presses come."""
    feed = await crew.feed()
    reader = FeedReader(client(feed.url), tenant.token)
    persistent = Persistent(reader, (await reader.page(after="now")).position)
    pressing = asyncio.create_task(press(api, PRESSES))
    reading = asyncio.create_task(persistent.read_on(PRESSES))
    for count in (PRESSES // 4, PRESSES // 2):
        await eventually(lambda count=count: persistent.has(count), f"{count} outcomes")  # type: ignore[misc] # bound
        feed.kill()
        await feed.start()
    owners = await pressing
    async with asyncio.timeout(30):
        await reading
    assert sorted(persistent.heard) == sorted(owners)
    assert persistent.answers > 2
    # The control: what it heard before a death, it would hear again without its position.
    told = (await reader.page(limit=10_000)).outcomes
    assert set(persistent.heard[:10]) <= {json.loads(body)["owner"] for body in told}


def never_reads(feed: Service, token: str) -> socket.socket:
    """Ask for a stream of events, and take nothing of it."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    door.connect((HOST, feed.port))
    said = ("GET /v1/feed HTTP/1.1", "Host: here", "Accept: text/event-stream", f"Authorization: Bearer {token}")
    door.sendall("\r\n".join([*said, "", ""]).encode())
    return door


async def test_a_reader_that_never_reads_slows_no_other(
    api: Api, crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant
) -> None:
    """How one is cut off, and that it holds nothing: `tests/unit/feed/calls/test_sockets.py`."""
    feed = await crew.standing_feed()
    reader = FeedReader(client(feed.url), tenant.token)
    position = (await reader.page(after="now")).position
    with never_reads(feed, tenant.token), never_reads(feed, tenant.token):
        loop = asyncio.get_running_loop()
        for _ in range(20):
            [owner] = await press(api, 1)
            asked = loop.time()
            page = await reader.page(after=position, wait=10)
            assert [json.loads(body)["owner"] for body in page.outcomes] == [owner]
            assert loop.time() - asked < PROMPTLY_SECONDS
            position = page.position
