"""A patient client: it waits longer for a verdict than a screen would, because a test has just killed a projector."""

from dataclasses import dataclass
from typing import Final

import httpx2 as httpx

from tests.support.proof.minutes import BEGAN, ENDED
from tests.support.stack.api import Api

LONG_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Patient(Api):
    """A client of the API that asks the API to wait, and whose timers run for half an hour."""

    wait_seconds: int = LONG_SECONDS

    def headers(self, key: str | None = None, **more: str) -> dict[str, str]:
        """Return the headers of a request by this client."""
        return Api.headers(self, key, Prefer=f"wait={self.wait_seconds}", **more)

    async def begin(self, owner: str, key: str | None = None) -> httpx.Response:
        """Start a timer an hour ago."""
        return await self.start(owner, key=key, at=BEGAN.isoformat())

    async def end(self, timer: str, key: str | None = None) -> httpx.Response:
        """Stop a timer half an hour after that."""
        return await self.press("stop", timer, key=key, at=ENDED.isoformat())
