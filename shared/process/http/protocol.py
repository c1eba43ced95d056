"""HTTP/1.1 on one connection: uvicorn's httptools protocol, and strict where a second request could hide.

httptools ends a message at its headers when the message offers an upgrade. Uvicorn then hands over a request without
its body, and parses the body as the next request. A server may ignore an offer (RFC 9110, 7.8), and we do: the request
is parsed a second time without it, so its body stays its body. Requests that offer nothing are parsed once.

    head read ---- no offer ----> the application has it, the body follows
        |
        +-- offer: the application has nothing yet ----> a fresh parser, fed the head without the offer, then the rest

Safe to change: nothing. What this file refuses is refused because a proxy in front may read it in another way.
Never: WebSockets; a connection here never changes its protocol.
"""

import asyncio
from collections.abc import Iterator
from typing import Final, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.process.http.cycle import Cycle
from shared.process.http.joined_writes import JoinedWrites

# The extension of ASGI's scope with which an application ends a connection without waiting for its caller.
HANG_UP: Final = "stint.hang_up"

# What came of a head, or of trailers, beside the first and the last piece. A gateway's own limit is lower.
HEAD_BYTES_MAX: Final = 64 * 1024
# A longer read is parsed in pieces of this size, so that a head's length counts however its bytes come.
_PIECE_BYTES: Final = 16 * 1024

_OFFER: Final = frozenset({b"upgrade", b"http2-settings"})


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which keeps the body of a request that offers an upgrade, and answers in order."""

    _head = b""  # of a request that offers an upgrade: how it reads without the offer
    _running: RequestResponseCycle | None = None  # the request that the application works on; the others wait for it
    _idle_since: float | None = None  # in loop time: when we connected or answered, and no whole head has come since
    # Of a head, or of trailers, that have begun and are not whole, behind their first piece; None: neither.
    _head_bytes: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Take a connection, on which an answer leaves in one write."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport)))
        self._extensions: dict[str, dict[object, object]] = {HANG_UP: {"now": self.transport.abort}}
        self._idle_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Parse what came; an offer is declined, and parsing goes on behind the head that made it."""
        try:
            for piece in (data,) if len(data) <= _PIECE_BYTES else _pieces(data):
                if self._head_bytes is not None:
                    self._lengthen_head(len(piece))
                rest = self._parse(piece)
                while rest is not None:
                    rest = self._parse_again(rest)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")

    def _lengthen_head(self, count: int) -> None:
        # Before the piece is parsed, which would keep it: a head that is too long stays so, whatever else comes.
        self._head_bytes = (self._head_bytes or 0) + count
        if self._head_bytes > HEAD_BYTES_MAX:
            raise httptools.HttpParserError("the head, or what follows the body, is too long")

    def _parse(self, data: bytes | memoryview) -> memoryview | None:
        """Return None when all is parsed, or what lies behind a head that offers an upgrade."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            return memoryview(data)[offer.args[0] :]
        return None

    def _parse_again(self, rest: memoryview) -> memoryview | None:
        # The old parser takes the message for ended. Nothing in it is needed, because a message starts from nothing.
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn sets it: what comes behind `Connection: close` is read, and is never answered.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(self._head)
        return self._parse(rest)

    def on_message_begin(self) -> None:
        """Begin a request, and let the application hang up on its caller: `close` waits for one that reads nothing."""
        super().on_message_begin()
        self._head_bytes = 0
        self.scope["extensions"] = self._extensions

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header. Blanks behind a value are not part of it (RFC 9112, 5); httptools leaves them there."""
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect":
            self.expect_100_continue |= value.lower() == b"100-continue"
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            # `gzip, chunked` is framed as chunked, and the application would read the gzip.
            raise ValueError("a transfer coding that is not chunked")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Hand the request to the application, unless it offers an upgrade: then it is parsed again first."""
        if self.parser.should_upgrade():
            self._head = self._head_without_offer()
            return
        self._begin(self._scope_of_head())
        # What follows the body (trailers) must not join the headers (RFC 9110, 6.5.1): so they get a list of their own.
        self.headers = []

    def on_chunk_header(self) -> None:
        """Count what follows: trailers if the chunk is the last, which is seen by the body that it has not."""
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Give a part of the body to the application. As uvicorn does, but for its question about WebSockets."""
        self._head_bytes = None
        if self.cycle.response_complete:
            return
        self.cycle.body += body
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_chunk_complete(self) -> None:
        """End the count: the trailers are whole."""
        self._head_bytes = None

    def on_message_complete(self) -> None:
        """End the request, unless it is the one that offers an upgrade: its body is still to come."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _head_without_offer(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise ValueError("CONNECT asks for a tunnel, and we are no proxy")
        lines = [b"%s %s HTTP/%s" % (method, self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name not in _OFFER:
                lines.append(b"%s: %s" % (name, _without_offer(value) if name == b"connection" else value))
        return b"\r\n".join([*lines, b"", b""])

    def _scope_of_head(self) -> HTTPScope:
        parsed, version = httptools.parse_url(self.url), self.parser.get_http_version()
        path = parsed.path.decode("ascii")
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = parsed.path
        scope["query_string"] = parsed.query or b""
        scope["http_version"] = version
        return scope

    def _begin(self, scope: HTTPScope) -> None:
        """Begin a request, or let it wait for the one before: uvicorn's step, with a cycle of ours."""
        self._head_bytes = self._idle_since = None
        before: RequestResponseCycle | None = self.cycle
        self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Begin the next request, if it has come already. As uvicorn does, but for the timer that it sets here."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle_since = self.loop.time()

    def close_if_idle(self, now: float) -> None:
        """Close the connection if no whole head came for too long. One look at all replaces a timer for each."""
        if self._idle_since is not None and now - self._idle_since >= self.timeout_keep_alive:
            self.timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer 400 and close, in the place of the request that cannot be read: the whole ones before it come first.

        Uvicorn writes it at once. A caller would take it for the answer to a press that is being carried out.
        """
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()  # the newest: it has no end, and was not begun
        last = self.pipeline[0][0] if self.pipeline else self._running
        if last is None or last.more_body or last.response_complete:
            super().send_400_response(msg)
        else:
            self.cycle = last
            last.keep_alive = False  # its answer closes the connection, and says so


def _pieces(data: bytes) -> Iterator[memoryview]:
    whole = memoryview(data)
    return (whole[begin : begin + _PIECE_BYTES] for begin in range(0, len(data), _PIECE_BYTES))


def _without_offer(connection: bytes) -> bytes:
    return b", ".join(token for token in map(bytes.strip, connection.split(b",")) if token.lower() not in _OFFER)
