"""A client of the change feed: a page of JSON lines, or server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import httpx2 as httpx

PATH: Final = "/v1/feed"


@dataclass(slots=True)
class Page:
    """One answer of JSON lines: its outcomes as bytes with their positions, and where to go on."""

    outcomes: list[bytes] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    position: str = ""


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A client of one feed, with one token."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, **params: str | int) -> httpx.Response:
        """Ask for JSON lines."""
        return await self.http.get(PATH, params=params, headers={"Authorization": f"Bearer {self.token}"})

    async def page(self, **params: str | int) -> Page:
        """Return one answer of JSON lines."""
        answer = await self.ask(**params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-ndjson"
        *lines, last = answer.content.splitlines()
        page = Page(position=json.loads(last)["position"])
        for line in lines:
            position, _, rest = line.removeprefix(b'{"position":"').partition(b'","outcome":')
            page.positions.append(position.decode())
            page.outcomes.append(rest.removesuffix(b"}"))
        return page

    async def events(self, last_event_id: str | None = None, **params: str) -> AsyncGenerator[tuple[str, str | None]]:
        """Yield each block: its id, and its data or None. Raises HTTPStatusError."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        async with self.http.stream("GET", PATH, params=params, headers=headers) as answer:
            answer.raise_for_status()
            said: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    said[name] = value
                elif said:
                    yield said["id"], said.get("data")
                    said = {}

    async def heard(self, count: int, last_event_id: str | None = None, **params: str) -> list[tuple[str, str]]:
        """Return the next events that have data."""
        found: list[tuple[str, str]] = []
        async with asyncio.timeout(20), aclosing(self.events(last_event_id, **params)) as events:
            async for position, data in events:
                if data is not None:
                    found.append((position, data))
                if len(found) == count:
                    break
        return found
