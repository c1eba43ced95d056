"""Stream: an answer that is sent piece by piece, to a caller that may stop reading or leave at any time.

The next piece is made when the one before it was taken, so a slow caller holds one piece and the connection's buffer.
A caller that takes nothing for `within_seconds` is cut off; one that leaves ends its stream at once, also while nothing
is to be sent.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress

from starlette.types import Message, Receive, Scope, Send

from shared.process.http.protocol import HANG_UP

_LEAVE_WITHIN_SECONDS = 1.0


class Stream:
    """An ASGI application: 200, with these pieces as its body."""

    def __init__(
        self, form: str, pieces: AsyncIterator[bytes], headers: Mapping[str, str], within_seconds: float
    ) -> None:
        self.form = form
        self._pieces = pieces
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._within_seconds = within_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all pieces, or as many as the caller takes."""
        left = asyncio.create_task(_has_left(receive))
        sent = asyncio.create_task(self._send_all(send))
        try:
            await asyncio.wait({left, sent}, return_when=asyncio.FIRST_COMPLETED)
            if sent.done() and not await sent:
                _hang_up(scope)
                await asyncio.wait({left}, timeout=_LEAVE_WITHIN_SECONDS)
        finally:
            for task in (left, sent):
                task.cancel()
            await asyncio.wait({left, sent})
            if not sent.cancelled():
                sent.exception()  # raised above; looked at, so that asyncio does not complain of it again

    async def _send_all(self, send: Send) -> bool:
        """Return whether the caller took all in time."""
        try:
            await self._sent(send, {"type": "http.response.start", "status": 200, "headers": self._headers})
            async with aclosing(self._pieces) as pieces:  # type: ignore[type-var] # each of ours is a generator
                async for piece in pieces:
                    await self._sent(send, {"type": "http.response.body", "body": piece, "more_body": True})
            await self._sent(send, {"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return False
        return True

    async def _sent(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._within_seconds):
            await send(message)


async def _has_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _hang_up(scope: Scope) -> None:
    # Closing would wait until the caller has taken what is buffered for it, and it takes nothing.
    with suppress(KeyError):
        scope["extensions"][HANG_UP]["now"]()
