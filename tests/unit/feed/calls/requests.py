"""Requests to a feed whose window a test fills, through the ASGI application as a server would call it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx
from starlette.applications import Starlette

from services.feed.callers.callers import Callers
from services.feed.callers.tokens import TokensAwayError
from services.feed.calls.feed import FeedCall, routes
from services.feed.calls.room import Room
from services.feed.window.position import START
from services.feed.window.record import StreamRecord
from services.feed.window.window import FeedWindow
from shared.identity import TokenClaims, sign_token

KEY: Final = b"k" * 32
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def token(tenant: str = "acme", lasts: timedelta = timedelta(hours=1)) -> str:
    return sign_token(TokenClaims(tenant, "desk", "machine", NOW, NOW + lasts), KEY)


class FakeTokens:
    """No opaque token can be looked up. `revoked`: clients whose tokens have ended."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    async def token_end(self, sha256: str) -> datetime | None:
        del sha256
        raise TokensAwayError

    async def is_revoked(self, client: str) -> bool:
        return client in self.revoked


@dataclass
class Wired:
    """The call with a window of two partitions. `log_ends`: what Kafka says; None: it is away."""

    outcomes_max: int = 1000
    readers_max: int = 10
    of_tenant_max: int = 10
    log_ends: Sequence[int] | None = None
    window: FeedWindow | None = None
    now: datetime = NOW
    tokens: FakeTokens = field(default_factory=FakeTokens)
    call: FeedCall = field(init=False)

    def __post_init__(self) -> None:
        self.window = FeedWindow([START, START], bytes_max=1 << 30, outcomes_max=self.outcomes_max)
        self.room = Room(self.readers_max, self.of_tenant_max)
        self.call = FeedCall(
            callers=Callers(KEY, self.tokens, lambda: self.now, fresh_seconds=0.02),
            window=lambda: self.window,
            ends=self._ends,
            room=self.room,
            now=lambda: self.now,
            keep_alive_seconds=0.05,
            send_within_seconds=0.2,
        )

    async def _ends(self) -> Sequence[int]:
        if self.log_ends is None:
            raise ConnectionError
        return self.log_ends

    def put(self, *records: StreamRecord) -> None:
        """Fill the window further."""
        assert self.window is not None
        for record in records:
            self.window.add(record)
        self.window.wake_readers()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a client, whose answers are whole: for JSON lines and problems."""
        transport = httpx.ASGITransport(Starlette(routes=routes(self.call)))
        headers = {"Authorization": f"Bearer {token()}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://feed", headers=headers) as http:
            yield http

    async def get(self, query: str = "", **headers: str) -> httpx.Response:
        """Ask once."""
        async with self.client() as http:
            return await http.get(f"/v1/feed{query}", headers=headers)


def scope_of(query: str = "", **headers: str) -> dict[str, Any]:
    """Return the scope of a request, for a test that speaks ASGI itself."""
    said = {"authorization": f"Bearer {token()}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return {
        "type": "http",
        "method": "GET",
        "path": "/v1/feed",
        "query_string": query.encode(),
        "headers": [(name.encode(), text.encode()) for name, text in said.items()],
    }
