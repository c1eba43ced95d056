"""Bodies: how large a body may be and how long it may take, before any dialect reads it.

Uvicorn keeps a slow body open for ever, and reads one without end. Starlette's `max_body_size` counts bytes alone, and
answers in words of its own instead of a dialect's. This is pure ASGI, without a timer for each request: a sweep looks
at the few bodies that are being waited for.
"""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.process.http.asking import waits_to_be_asked

_CLOSE: Final = (b"connection", b"close")
# A connection that is closed with bytes unread is reset, and the answer on it is lost. So the rest of a refused body is
# read up to here and thrown away, and its sender gets the answer.
DRAIN_BYTES_MAX: Final = 1024 * 1024


class BodyLimits:
    """Raises HTTPException 413 or 408 where a dialect reads the body, so that it is answered in the dialect's words."""

    def __init__(self, app: ASGIApp, *, bytes_max: int, within_seconds: float) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._within_seconds = within_seconds
        self._waiting: dict[_Body, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a guard around its body if it has one."""
        if scope["type"] == "http" and (declared := _declared_bytes(scope)) != 0:
            deadline = asyncio.get_running_loop().time() + self._within_seconds
            body = _Body(receive, send, self._waiting, self._bytes_max, deadline)
            body.declare(declared)
            if waits_to_be_asked(scope):
                body.wait_to_be_read()
            await self._app(scope, body.receive, body.send)
        else:
            await self._app(scope, receive, send)

    def sweep(self, now: float) -> None:
        """Give up each body that is overdue."""
        for body in [body for body in self._waiting if body.deadline <= now]:
            body.give_up()


class _Body:
    """The body of one request, on its way in."""

    def __init__(
        self, receive: Receive, send: Send, waiting: "dict[_Body, None]", bytes_left: int, deadline: float
    ) -> None:
        self.deadline = deadline
        self._receive = receive
        self._send = send
        self._waiting = waiting
        self._bytes_left = bytes_left
        self._drain_bytes = DRAIN_BYTES_MAX
        self._whole = False
        self._unasked = False
        self._given_up = False
        self._task: asyncio.Task[object] | None = None

    def declare(self, size: int | None) -> None:
        """Take the size by Content-Length; None: the body is chunked, and is counted while it comes."""
        if size is not None and size > self._bytes_left:
            self._bytes_left = -1
            if size > DRAIN_BYTES_MAX:
                self._drain_bytes = 0

    def wait_to_be_read(self) -> None:
        """Do not ask for the body until the application reads it: the sender waits for our 100 Continue."""
        self._unasked = True

    def give_up(self) -> None:
        """Wake the task that waits in `receive`."""
        self._given_up = True
        del self._waiting[self]
        if self._task is not None:
            self._task.cancel()

    async def receive(self) -> Message:
        """Return the next part, or raise HTTPException."""
        if self._whole:
            return await self._receive()
        if self._bytes_left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._unasked = False
        message = await self._next()
        if message["type"] != "http.request":
            self._whole = True
            return message
        self._bytes_left -= len(message.get("body", b""))
        if self._bytes_left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on. Close the connection if the rest of a body still arrives on it.

        Close it also after a body that was never asked for, because the sender may send it all the same.
        """
        if message["type"] == "http.response.start" and not self._whole:
            await self._drain()
            if not self._whole:
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
        await self._send(message)

    async def _drain(self) -> None:
        # The server's `receive` asks for the body (100 Continue), so what the application never wanted stays away.
        while not (self._unasked or self._whole or self._given_up) and self._drain_bytes > 0:
            try:
                message = await self._next()
            except HTTPException:  # the time is up
                return
            self._drain_bytes -= len(message.get("body", b""))
            self._whole = not message.get("more_body", False)

    async def _next(self) -> Message:
        # The body is in `self._waiting` only while its task is suspended here, so a sweep cancels no other wait.
        task = self._task = asyncio.current_task()
        self._waiting[self] = None
        try:
            return await self._receive()
        except asyncio.CancelledError:
            if self._given_up and task is not None and task.uncancel() == 0:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
            raise
        finally:
            self._waiting.pop(self, None)
            self._task = None


def _declared_bytes(scope: Scope) -> int | None:
    """Return the Content-Length: 0 when there is no body, None when the body is chunked."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # the server has refused any other text
        if name == b"transfer-encoding":
            return None
    return 0
