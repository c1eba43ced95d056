"""Bugs: what a caller is answered, and what is logged, when a call raises something unexpected."""

from collections.abc import Callable

import structlog
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Guarded(Starlette):
    """An application with a `BugGuard` among its layers, without Starlette's own layer for bugs around them.

    That layer stands in the way of each message of each answer, and behind a guard it has nothing to do.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Return our layers around Starlette's exception layer and its routes."""
        app: ASGIApp = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        for layer in reversed(self.user_middleware):
            app = layer.cls(app, *layer.args, **layer.kwargs)
        return app


class BugGuard:
    """Answers 500 for an unexpected exception, and is the only place that logs it.

    Starlette alone would raise it again after the answer, and the server would then log what the caller had written.
    """

    def __init__(self, app: ASGIApp, *, internal: Callable[[Request], Response]) -> None:
        self._app = app
        self._internal = internal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            _log_bug(scope, error)
            try:
                await self._internal(Request(scope))(scope, receive, send)
            except RuntimeError:  # the answer had begun: the server closes the connection
                return


def _log_bug(scope: Scope, error: Exception) -> None:
    log = structlog.get_logger().bind(endpoint=getattr(scope.get("endpoint"), "__qualname__", None))
    if isinstance(error, ValidationError):
        # Its message quotes the value, and its locations may be names that the caller chose.
        kinds = sorted({problem["type"] for problem in error.errors(include_input=False, include_url=False)})
        log.error("request_failed", model=error.title, kinds=kinds)
    else:
        log.error("request_failed", exc_info=error)
