"""Joined writes: the head of an answer and its body leave in one write of the socket, not in two.

Uvicorn writes a head as soon as the application begins to answer, and the body right after it. Each write is a system
call, and a second packet. A head alone is held until the body comes, and not longer than to the loop's next turn, so an
answer whose body takes its time (a stream) is not held back. What is whole already (`cycle`) is written at once.
"""

import asyncio
from typing import Any, Final

_BEGINS: Final = b"HTTP/1.1 "
_ENDS: Final = b"\r\n\r\n"


class JoinedWrites:
    """A transport that joins each head with what is written next. All else goes to the transport behind it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Asked after each answer, so it is not looked up through `__getattr__`.
        self.is_closing = transport.is_closing
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self._flush: asyncio.Handle | None = None

    def write(self, data: bytes) -> None:
        """Write, or hold a head until what follows it is written."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
            data, self._held = self._held + data, b""
        elif data.endswith(_ENDS) and data.startswith(_BEGINS):
            self._held = data
            self._flush = self._loop.call_soon(self._write_held)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Close after all that was written, a held head too."""
        self._write_held()
        self._transport.close()

    def _write_held(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)
