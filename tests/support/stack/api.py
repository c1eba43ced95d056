"""A client of the API in dialect C, whose answers say most."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx2 as httpx

from tests.support.stack.deployments import Tenant, fresh_owner

_KNOWN_WITHIN_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Api:
    """One client of one API process, with one token. Calls that are not here are made on `http`."""

    http: httpx.AsyncClient
    token: str

    def headers(self, key: str | None = None, **more: str) -> dict[str, str]:
        """Return the headers of a request by this client."""
        said = {"Authorization": f"Bearer {self.token}"} | more
        return said if key is None else said | {"Idempotency-Key": key}

    async def start(self, owner: str, *, key: str | None = None, **said: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """Start a timer."""
        return await self.http.post("/v1/timers", json={"owner": owner} | said, headers=self.headers(key))

    async def press(self, verb: str, timer: str, *, key: str | None = None, **said: Any) -> httpx.Response:  # noqa: ANN401
        """Pause, resume or stop a timer."""
        return await self.http.post(f"/v1/timers/{timer}/{verb}", json=said, headers=self.headers(key))

    async def timer(self, timer: str, position: str | None = None) -> httpx.Response:
        """Ask for one timer, as it is when the read models have passed `position`."""
        more = {} if position is None else {"X-Min-Position": position}
        return await self.http.get(f"/v1/timers/{timer}", headers=self.headers(None, **more))

    async def outcome(self, event_id: str, at: str | None = None) -> httpx.Response:
        """Ask what became of a press."""
        params = {} if at is None else {"at": at}
        return await self.http.get(f"/v1/outcomes/{event_id}", params=params, headers=self.headers())

    async def knows(self, tenant: Tenant) -> None:
        """Return when this API has read a tenant's policy. Until then the tenant's presses are answered with 503."""
        headers = {"Authorization": f"Bearer {tenant.token}"}
        async with asyncio.timeout(_KNOWN_WITHIN_SECONDS):
            while True:
                asked = await self.http.post("/v1/timers", json={"owner": fresh_owner()}, headers=headers)
                if asked.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return
                await asyncio.sleep(0.05)
