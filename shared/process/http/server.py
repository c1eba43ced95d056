"""Serving HTTP from a process of ours: how it starts, how it names a wrong setting, and how it ends on a signal."""

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from shared.process.http.protocol import HttpProtocol

# Longer than a proxy keeps an idle connection: the proxy, which sends, should be the one to close.
_KEEP_ALIVE_SECONDS: Final = 75
# How often uvicorn calls `on_tick`.
_TICKS_PER_SECOND: Final = 10
_SPEAK_WITHIN_SECONDS: Final = 1.0
_LOOK_AGAIN_SECONDS: Final = 0.02
_CLOSE: Final = (b"connection", b"close")


class Server(uvicorn.Server):
    """Uvicorn's server, which answers every request that came in before it ends, and ends with status 0.

    At the signal it calls `on_leaving` and closes each connection after its answer. It accepts connections for
    `drain_seconds` more, because load balancers need that time to notice. Then it closes its port.
    """

    def __init__(
        self, config: uvicorn.Config, drain_seconds: float = 0.0, on_leaving: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._on_leaving = on_leaving
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; a second Ctrl-C leaves at once."""
        if self._leaves_at is None:
            self._leaves_at = asyncio.get_running_loop().time() + self._drain_seconds
            self._on_leaving()
            # Tells clients with idle connections to open the next one elsewhere, before we close theirs.
            self.config.encoded_headers.append(_CLOSE)
            self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Close connections that are idle for too long, once a second. Return whether it is time to close the port."""
        asked = await super().on_tick(counter)
        if counter % _TICKS_PER_SECOND == 0:
            self._close_idle()
        return asked and (self.force_exit or asyncio.get_running_loop().time() >= (self._leaves_at or 0.0))

    def _close_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, HttpProtocol):
                connection.close_if_idle(now)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections in the queue, close the port, answer every request, and end."""
        for late in list(self._close()):
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, late)
        await self._requests_have_begun()
        await super().shutdown(sockets)

    def _close(self) -> Iterator[socket.socket]:
        for server in self.servers:
            # Closing the last handle of a listening socket resets connections that wait in its accept queue. So keep a
            # duplicate handle, close the loop's, accept what is queued, and close ours.
            handles = [socket.socket(fileno=os.dup(listening.fileno())) for listening in server.sockets]
            server.close()
            for handle in handles:
                with handle, suppress(BlockingIOError):
                    while True:
                        yield handle.accept()[0]

    async def _requests_have_begun(self) -> None:
        # Uvicorn closes a connection that has sent no request yet, although one may be on its way.
        with suppress(TimeoutError):
            async with asyncio.timeout(_SPEAK_WITHIN_SECONDS):
                while True:
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                    silent = (getattr(each, "cycle", each) is None for each in self.server_state.connections)
                    if not any(silent):
                        return

    def _protocol(self) -> asyncio.BaseProtocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.BaseProtocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals. Uvicorn's own handler raises them again after a graceful end, which kills the process."""
        loop = asyncio.get_running_loop()
        asked = (signal.SIGTERM, signal.SIGINT)
        for number in asked:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in asked:
                loop.remove_signal_handler(number)


def http_config(app: ASGIApp, host: str, port: int, grace_seconds: int) -> uvicorn.Config:
    """Return how each of our processes speaks HTTP."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace_seconds,
    )


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    grace_seconds: int,
    *,
    drain_seconds: float = 0.0,
    on_leaving: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT says to end, and `drain_seconds` longer.

    `on_leaving` is called at the signal. Requests in flight when the port closes have `grace_seconds`.
    """
    _allow_many_files()
    await Server(http_config(app, host, port, grace_seconds), drain_seconds, on_leaving).serve()


def _allow_many_files() -> None:
    """Let this process have as many open files as the machine allows: each connection is one.

    Engines and service managers begin a program with 1,024, for those that call `select`, which nothing here does.
    Beyond that number new connections are reset, also those of a probe, which would then end a process that is busy.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):  # macOS says that there is no limit, and does not allow so many
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
