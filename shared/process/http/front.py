"""The front: the calls that bear the load, found by method and path, without the layers of the framework.

    a request ---- one of those calls, and nothing odd about it ----> the call
        |
        +--------- anything else ----> Starlette: its exception layer, its routes in their order, its 404 and 405

Both ways end in the same function with the same `Request`, so the answers are the same. A path with an escape in it, or
behind a root path, is odd: Starlette reads those. Stand it as the innermost layer, behind all guards.
With care: what `_Request.body` raises, and when. Never: an answer made here, except in the words of `in_words`.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

Call = Callable[[Request], Awaitable[Response]]
InWords = Callable[[Request, HTTPException], Response]

_ESCAPE: Final = b"%"


class DirectRoute(Route):
    """A route that the front takes by itself for the methods `direct`; Starlette has it like any other.

    Parameters in its path are text: the front converts none.
    """

    def __init__(self, path: str, call: Call, *, methods: Collection[str], direct: Collection[str]) -> None:
        super().__init__(path, call, methods=methods)
        self.direct = frozenset(direct)


class Front:
    """Takes the requests of direct routes, and passes the rest on. `in_words` answers an HTTPException of a call."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], in_words: InWords) -> None:
        self._app = app
        self._in_words = in_words
        self._fixed: dict[tuple[str, str], DirectRoute] = {}
        self._patterns: dict[str, list[DirectRoute]] = {}
        for route in routes:
            if isinstance(route, DirectRoute):
                self._learn(route)

    def _learn(self, route: DirectRoute) -> None:
        for method in route.direct:
            if route.param_convertors:
                self._patterns.setdefault(method, []).append(route)
            else:
                self._fixed[method, route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a direct route, or pass it on."""
        route = self.route_of(scope) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        request = _Request(scope, receive, send)
        try:
            response = await route.endpoint(request)
        except HTTPException as error:
            response = self._in_words(request, error)
        await response(scope, receive, send)

    def route_of(self, scope: Scope) -> DirectRoute | None:
        """Return the direct route of a request, and set what Starlette would set in its scope. None: not direct."""
        if scope.get("root_path") or _ESCAPE in scope["raw_path"]:
            return None
        method, path = scope["method"], scope["path"]
        route = self._fixed.get((method, path))
        if route is not None:
            scope["path_params"] = {}
        else:
            for pattern in self._patterns.get(method, ()):
                if found := pattern.path_regex.match(path):
                    scope["path_params"] = found.groupdict()
                    route = pattern
                    break
            else:
                return None
        scope["endpoint"] = route.endpoint  # a bug is logged with its name
        return route


class _Request(Request):
    """A request whose body is read in a loop, without the generator that Starlette makes for each."""

    _body: bytes

    async def body(self) -> bytes:
        """Return the whole body. Raises ClientDisconnect when the caller has gone."""
        if hasattr(self, "_body"):
            return self._body
        parts = []
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        self._body = b"".join(parts)
        return self._body
