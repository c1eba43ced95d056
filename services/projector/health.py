"""Health: whether this projector should be restarted (`/livez`), and whether it folds what it was given (`/readyz`)."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.projector.loop.partition import POLICY_AWAITED, Partition, Status
from services.projector.loop.projector import Projector


def routes(
    projector: Callable[[], Projector | None], joined: Callable[[], bool], alive: Callable[[], bool]
) -> list[BaseRoute]:
    """Return the routes of both questions. Each is answered from memory."""

    async def livez(_: Request) -> Response:
        is_alive = alive()
        return JSONResponse({"alive": is_alive}, 200 if is_alive else 500)

    async def readyz(_: Request) -> Response:
        running = projector()
        ours = {} if running is None else running.ours
        waiting = {str(p.kpart): f"{p.status}: {p.reason}" for p in ours.values() if _waits(p)}
        is_ready = joined() and not waiting
        said = {"ready": is_ready, "joined": joined(), "partitions": len(ours), "waiting": waiting}
        return JSONResponse(said, 200 if is_ready else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _waits(partition: Partition) -> bool:
    return partition.status is not Status.LIVE and partition.reason != POLICY_AWAITED
