"""Probes: a process gets requests while every check holds, and is restarted because of none of them."""

import httpx2 as httpx
from starlette.applications import Starlette

from shared.process.http.probes import probes


async def test_readiness_needs_every_check_and_liveness_none() -> None:
    checks = {"replies": True, "producer": True}
    app = Starlette(routes=probes(lambda: True, {name: lambda n=name: checks[n] for name in checks}))  # type: ignore[misc]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        checks["producer"] = False
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"ready": False, "checks": {"replies": True, "producer": False}}
        assert (await http.get("/livez")).status_code == 200
