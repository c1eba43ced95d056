"""A caller that writes its own bytes: transports that no HTTP client of ours would choose."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

WITHIN_SECONDS: Final = 10.0
# Long enough for the server to have read one segment before the next one comes.
_GAP_SECONDS: Final = 0.03

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `head` adds its Content-Length, unless the headers frame the body in another way."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None

    def having(self, *more: tuple[str, str]) -> "Request":
        """Return it with some headers more."""
        return replace(self, headers=(*self.headers, *more))

    @property
    def head(self) -> bytes:
        """The request line and the headers, with the empty line."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: api.test"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None and not any(name.lower() == "transfer-encoding" for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode()

    @property
    def wire(self) -> bytes:
        """Head and body."""
        return self.head + (self.body or b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with the interim answers (100) before it."""

    status: int
    headers: dict[str, str]
    body: bytes
    interim: list[int] = field(default_factory=list)


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, segments: Iterable[bytes], gap_seconds: float = _GAP_SECONDS) -> None:
        """Send the segments one by one, with a gap between them."""
        for number, segment in enumerate(segments):
            if number:
                await asyncio.sleep(gap_seconds)
            self._writer.write(segment)
            await self._writer.drain()

    async def hear(self) -> Answer:
        """Return the next final answer. Raises IncompleteReadError when the connection ends before it."""
        async with asyncio.timeout(WITHIN_SECONDS):
            interim = []
            while (await self._status_and_headers())[0] == 100:
                interim.append(100)
            status, headers = self._last
            body = await self._body(headers)
            return Answer(status, headers, body, interim)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += await self._reader.readexactly(size)
            await self._reader.readuntil(b"\r\n")
        await self._reader.readuntil(b"\r\n")
        return body

    async def interim(self) -> int:
        """Return the status of the next interim answer."""
        async with asyncio.timeout(WITHIN_SECONDS):
            return (await self._status_and_headers())[0]

    async def rest(self) -> bytes:
        """Return what comes until the connection ends."""
        async with asyncio.timeout(WITHIN_SECONDS):
            return await self._reader.read()

    async def _status_and_headers(self) -> tuple[int, dict[str, str]]:
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self._last = int(status.split()[1]), headers
        return self._last


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Line]:
    """Open a connection to a process, and close it."""
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
