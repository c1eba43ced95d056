"""Probes: whether a process should be restarted (`/livez`), and whether it should get requests (`/readyz`)."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

Check = Callable[[], bool]


def probes(alive: Check, ready: Mapping[str, Check]) -> list[BaseRoute]:
    """Return the routes of both probes. The checks run at each request, and none of them waits."""

    async def livez(_: Request) -> Response:
        is_alive = alive()
        return JSONResponse({"alive": is_alive}, 200 if is_alive else 500)

    async def readyz(_: Request) -> Response:
        checks = {name: check() for name, check in ready.items()}
        is_ready = all(checks.values())
        headers = None if is_ready else {"Retry-After": "1"}
        return JSONResponse({"ready": is_ready, "checks": checks}, 200 if is_ready else 503, headers)

    return [Route("/livez", livez), Route("/readyz", readyz)]
