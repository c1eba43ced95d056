"""Health: whether this projector should be restarted (`/livez`), and whether it folds all that it was given (`/readyz`)."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.projector.consume import Projector
from services.projector.partition import Status

# A loop that has not polled for so long is stuck. Liveness follows progress: consumers get stuck silently.
STUCK_AFTER_SECONDS = 60.0


def routes(projector: Projector, joined: Callable[[], bool], alive: Callable[[], bool]) -> list[BaseRoute]:
    """Return the routes of both questions. Each is answered from memory."""

    async def livez(_: Request) -> Response:
        is_alive = alive()
        return JSONResponse({"alive": is_alive}, 200 if is_alive else 500)

    async def readyz(_: Request) -> Response:
        partitions = {kpart: partition.status for kpart, partition in sorted(projector.ours.items())}
        waiting = {
            str(kpart): f"{status}: {projector.ours[kpart].reason}"
            for kpart, status in partitions.items()
            if status is not Status.LIVE
        }
        is_ready = joined() and not waiting
        said = {"ready": is_ready, "joined": joined(), "partitions": len(partitions), "waiting": waiting}
        return JSONResponse(said, 200 if is_ready else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]
