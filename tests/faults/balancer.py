"""A balancer like a gateway's: requests go to the ready replicas in turn, and are never repeated."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import httpx2 as httpx

from tests.support.stack.crew import Service

# As slow as real balancers: a request is what finds a replica that is gone in the meantime.
_LOOK_EVERY_SECONDS: Final = 0.5
_LOOK_WITHIN_SECONDS: Final = 2.0


class Balancer(httpx.AsyncBaseTransport):
    """A transport that asks its replicas whether they are ready. The host in a request's URL is ignored."""

    def __init__(self) -> None:
        self.ready: list[Service] = []
        self._looked = asyncio.Event()
        self._replicas: list[Service] = []
        self._turns = itertools.count()
        self._way = httpx.AsyncHTTPTransport()

    def serve_from(self, replicas: Sequence[Service]) -> None:
        """Set the replicas, as a deployment changes them."""
        self._replicas = list(replicas)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the next ready replica."""
        to = self.ready[next(self._turns) % len(self.ready)]
        request.url = request.url.copy_with(host="127.0.0.1", port=to.port)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._way.aclose()

    async def look(self) -> None:
        """Ask every replica whether it is ready, again and again."""
        async with httpx.AsyncClient(timeout=_LOOK_WITHIN_SECONDS) as http:
            while True:
                replicas = list(self._replicas)
                said = await asyncio.gather(*(_is_ready(http, one) for one in replicas))
                self.ready = [one for one, is_ready in zip(replicas, said, strict=True) if is_ready]
                self._looked.set()
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def has_just_looked(self) -> None:
        """Return right after the next look. What becomes of a replica now is noticed at the look after it."""
        self._looked.clear()
        await self._looked.wait()


async def _is_ready(http: httpx.AsyncClient, replica: Service) -> bool:
    with suppress(httpx.TransportError):
        return (await http.get(f"{replica.url}/readyz")).is_success
    return False


@asynccontextmanager
async def balanced(replicas: Sequence[Service]) -> AsyncIterator[Balancer]:
    """Give a balancer over replicas that are already ready."""
    balancer = Balancer()
    balancer.serve_from(replicas)
    balancer.ready = list(replicas)
    looking = asyncio.create_task(balancer.look())
    try:
        yield balancer
    finally:
        looking.cancel()
