"""Links: the way between two parts as a proxy, which a test blocks in one direction or in both.

As on a broken route, both ends keep their connections and hear nothing. What was sent meanwhile arrives when the way is
open again, however late, because TCP sends it once more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 65_536


class Link:
    """One link to one address. Both directions are open at first."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._ways = {"requests": asyncio.Event(), "answers": asyncio.Event()}
        self._blocked_from: tuple[bytes, str] | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._near: list[asyncio.StreamWriter] = []
        self.open()

    def open(self) -> None:
        """Let bytes pass in both directions."""
        for way in self._ways.values():
            way.set()

    def block(self, direction: str, words: bytes) -> None:
        """From the next request with these words on, let no `requests`, that one included, or no `answers` pass."""
        self._blocked_from = words, direction

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self._near.append(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.close()  # nobody listens there now, and the near end hears so
            return
        for pump in (self._pump(reader, far_writer, "requests"), self._pump(far_reader, writer, "answers")):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def end(self) -> None:
        """End all connections."""
        pumps = list(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in self._near:
            writer.close()  # also where a pump was ended before it began

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        with suppress(ConnectionError):
            try:
                while piece := await reader.read(_PIECE_BYTES):
                    if direction == "requests":
                        self._look_for_words(piece)
                    await self._ways[direction].wait()
                    writer.write(piece)
                    await writer.drain()
            finally:
                writer.close()

    def _look_for_words(self, piece: bytes) -> None:
        if self._blocked_from is not None and self._blocked_from[0] in piece:
            self._ways[self._blocked_from[1]].clear()
            self._blocked_from = None


@asynccontextmanager
async def link_to(host: str, port: int) -> AsyncIterator[tuple[Link, int]]:
    """Open a link to an address. Yield it, and the port at which it is used."""
    link = Link(host, port)
    server = await asyncio.start_server(link.carry, "127.0.0.1")
    try:
        yield link, server.sockets[0].getsockname()[1]
    finally:
        # A server that is closed leaves behind what it has just accepted (Python 3.11), so it accepts nothing before.
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening)
        await asyncio.sleep(0.01)
        server.close()
        await link.end()
