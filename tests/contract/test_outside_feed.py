"""Outside identity at a running feed: an issuer and a source on loopback, through rotation, revocation and outage."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx2 as httpx

from tests.contract.provider import Provider, quotes_nothing
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant, fresh_owner
from tests.support.stack.feed_reader import FeedReader
from tests.support.stack.until import until

ACTIVE, UNKNOWN = "opaque-active-9876543210", "opaque-unknown-9876543210"
DANAS: Final = "opaque-of-dana-9876543210"
QUICK: Final = {"FEED_KEEP_ALIVE_SECONDS": "0.2"}


class Listener:
    """An open stream. `owners`: of whom it heard; `tenants`: of which; `reading` is done when the stream has ended."""

    def __init__(self, reader: FeedReader) -> None:
        self.owners: list[str] = []
        self.tenants: set[str] = set()
        self.began = asyncio.Event()
        self.reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: FeedReader) -> None:
        async for _, data in reader.events(after="now"):
            self.began.set()
            if data is not None:
                outcome = json.loads(data)
                self.owners.append(outcome["owner"])
                self.tenants.add(outcome["tenant"])

    async def hears(self, *owners: str) -> None:
        """Return when it has heard of these owners, in this order, and of no other."""

        async def heard() -> list[str]:
            await asyncio.sleep(0)
            return self.owners

        await until(heard, list(owners))


@asynccontextmanager
async def listening(url: str, *tokens: str) -> AsyncIterator[list[Listener]]:
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        listeners = [Listener(FeedReader(http, token)) for token in tokens]
        try:
            async with asyncio.timeout(10):
                await asyncio.gather(*(one.began.wait() for one in listeners))
            yield listeners
        finally:
            for one in listeners:
                one.reading.cancel()
            await asyncio.gather(*(one.reading for one in listeners), return_exceptions=True)


async def press(api: Api) -> str:
    owner = fresh_owner()
    assert (await api.start(owner)).status_code == 201
    return owner


async def test_an_identity_provider_vouches_for_readers_through_rotation_revocation_and_outage(
    api: Api, crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, other_tenant: Tenant
) -> None:
    provider, others = Provider(), Api(api.http, other_tenant.token)
    machine, reader = provider.token("one"), provider.token("one", role="reader")
    # The provider is away, and the feed is ready all the same. Its tokens are neither good nor bad.
    feed = await crew.feed(provider.settings(tenant, "FEED") | QUICK, "tests.contract.quick_feed")
    http = client(feed.url)

    async def status(token: str) -> int:
        return (await FeedReader(http, token).ask(after="now")).status_code

    away = await FeedReader(http, machine).ask()
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")
    assert await status(tenant.token) == 200  # our own are not affected

    await provider.open()
    await until(lambda: status(machine), 200)
    assert await status(reader) == 200
    provider.active[DANAS] = {"tenant": tenant.name, "employee": "dana"}
    persons = [provider.token("one", employee="dana"), DANAS]
    assert [await status(token) for token in persons] == [403, 403]
    wrong = [provider.token("one", aud="other"), provider.token("one", role="root"), provider.token("one", exp=1)]
    assert [await status(token) for token in (*wrong, UNKNOWN, UNKNOWN)] == [401] * 5
    assert provider.asked[UNKNOWN] == 1

    rotated = provider.token("two")
    await until(lambda: status(rotated), 200)
    provider.active[ACTIVE] = {"tenant": other_tenant.name, "sub": "crm"}
    async with listening(feed.url, machine, rotated, ACTIVE) as (first, second, stranger):
        ours, theirs = await press(api), await press(others)
        await asyncio.gather(first.hears(ours), second.hears(ours), stranger.hears(theirs))

        # The issuer withdraws the key of one stream. The others go on.
        del provider.keys["one"]
        await asyncio.wait_for(first.reading, 10)
        assert await status(machine) == 401
        later = await press(api)
        await second.hears(ours, later)

        # The provider is away: what it said last is believed, and what is new is neither good nor bad.
        await provider.close()
        fresh = [provider.token("three"), "opaque-and-new-9876543210"]
        # Keys are asked for beside the requests. Until they are missed, an unknown one is nobody's.
        await until(lambda: status(fresh[0]), 503)
        await feed.says("introspection_failed")
        assert [await status(token) for token in (rotated, ACTIVE, *fresh)] == [200, 200, 503, 503]

        # It is back, and has withdrawn the opaque token.
        del provider.active[ACTIVE]
        await provider.open()
        await asyncio.wait_for(stranger.reading, 10)
        assert await status(ACTIVE) == 401
        last = await press(api)
        await second.hears(ours, later, last)
        assert not second.reading.done()
    await provider.close()
    assert (first.tenants, second.tenants, stranger.tenants) == ({tenant.name}, {tenant.name}, {other_tenant.name})
    await quotes_nothing(crew, http, [machine, reader, rotated, ACTIVE, UNKNOWN, *persons, *wrong, *fresh])


async def test_a_stream_ends_with_the_token_of_an_issuer(
    api: Api, crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant
) -> None:
    assert api.token
    provider = Provider()
    provider.token("one")  # its key is there when the feed asks for it first
    await provider.open()
    feed = await crew.feed(provider.settings(tenant, "FEED"))
    short = provider.token("one", exp=int(datetime.now(UTC).timestamp()) + 4)
    async with listening(feed.url, short) as (one,):
        await asyncio.wait_for(one.reading, 10)
    assert (await FeedReader(client(feed.url), short).ask()).status_code == 401
    await provider.close()
