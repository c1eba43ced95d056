"""One request and its answer: uvicorn's cycle, in which an ordinary answer is made once and written at once.

    an ordinary head ---- the whole body ----> one write, and the request is over
        |
        +-- a part of the body, or the last answer of the connection ----> uvicorn
    no length, HEAD, a header that has a meaning for the connection -----> uvicorn

Both ways write the same bytes. Uvicorn looks at each header with two patterns, and keeps account of what is left of
a length; the short way looks at all values at once, and has the whole body in hand.
With care: an upgrade of uvicorn. Compare `send`, `receive`, and in its protocol what `protocol` has of its own
(docs/adr/0040-an-ordinary-answer-is-made-once.md).
Never: a header with a control character in its value. Uvicorn refuses it, so uvicorn gets it.
"""

from typing import Final

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

# Headers that say nothing about how an answer is written.
_ORDINARY: Final = frozenset({b"content-type", b"date", b"location", b"retry-after", b"www-authenticate"})
# An answer with one of these has no body, whatever its length says.
_BODILESS: Final = frozenset({204, 304})


class Cycle(RequestResponseCycle):
    """Uvicorn's cycle, with a short way for ordinary answers."""

    # An ordinary head that waits for its body, its bytes, and the length that it says.
    _start: HTTPResponseStartEvent | None = None
    _head = b""
    _length = 0

    async def send(self, message: ASGISendEvent) -> None:
        """Take the head of an answer, or a part of its body."""
        if self._start is not None:
            start, self._start = self._start, None
            if self._write_whole(message):
                return
            self.response_started = False
            await super().send(start)
        elif message["type"] == "http.response.start" and not self.response_started and self._is_ordinary(message):
            self._start = message
            self.response_started = True
            self.waiting_for_100_continue = False
            return
        await super().send(message)

    async def receive(self) -> ASGIReceiveEvent:
        """Return what has come of the body, or wait for it."""
        came = self.message_event.is_set() and not (self.disconnected or self.response_complete)
        if not came or self.waiting_for_100_continue:
            return await super().receive()
        # Most bodies have come with their heads.
        self.flow.resume_reading()
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _is_ordinary(self, start: HTTPResponseStartEvent) -> bool:
        if start["status"] in _BODILESS or self.scope["method"] == "HEAD":
            return False
        lines, values, lengths = [STATUS_LINE[start["status"]]], [], []
        for name, value in (*self.default_headers, *start.get("headers", ())):
            if name == b"content-length":
                lengths.append(value)
            elif name not in _ORDINARY:
                return False
            lines += (name, b": ", value, b"\r\n")
            values.append(value)
        if len(lengths) != 1 or HEADER_VALUE_RE.search(b" ".join(values)):
            return False
        self._head = b"".join((*lines, b"\r\n"))
        self._length = int(lengths[0])
        return True

    def _write_whole(self, message: ASGISendEvent) -> bool:
        """Write head and body and end the request. False: the body is not whole, or the connection ends with it."""
        if message["type"] != "http.response.body" or message.get("more_body", False):
            return False
        body = message.get("body", b"")
        if len(body) != self._length or not self.keep_alive or self.flow.write_paused or self.disconnected:
            return False
        self.transport.write(self._head + body)
        self.response_complete = True
        self.message_event.set()
        self.on_response()
        return True
