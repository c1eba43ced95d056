"""Where a call stands, and what a call is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx

from tests.support.stack.deployments import Person, Tenant
from tests.support.stack.raw_http import Headers, Request

JSON: Final = ("Content-Type", "application/json")
FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")

_BEGAN_HOURS_AGO: Final = 4


def bearer(token: str) -> Headers:
    """Return a token as dialects A and C take it."""
    return (("Authorization", f"Bearer {token}"),)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one call: a fresh person, the admin of its tenant, and an ordinary client to prepare with.

    `ruled` is another tenant, whose token is an admin's. Its policy may be changed.
    """

    http: httpx.AsyncClient
    tenant: Tenant
    person: Person
    admin_token: str
    ruled: Tenant

    def begun(self, hours_ago: float) -> str:
        """Return a moment in the past, as dialect C takes it."""
        return (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()

    async def timer(self, *presses: str, **said: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
        """Start a timer four hours ago, press it, and return the last answer."""
        said = {"owner": self.person.owner, "at": self.begun(_BEGAN_HOURS_AGO)} | said
        answer = await self.http.post("/v1/timers", json=said, headers=dict(self.bearer))
        for verb in presses:
            answer = await self.http.post(f"/v1/timers/{answer.json()['id']}/{verb}", headers=dict(self.bearer))
        assert answer.is_success, answer.text
        return {name: str(value) for name, value in answer.json().items()}

    @property
    def bearer(self) -> Headers:
        """Return the person's token as dialects A and C take it."""
        return bearer(self.person.token)

    @property
    def admin(self) -> Headers:
        """Return the admin's token."""
        return bearer(self.admin_token)

    @property
    def zoho(self) -> Headers:
        """Return the person's token as dialect B takes it."""
        return (("Authorization", f"Zoho-oauthtoken {self.person.token}"),)


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `operation` is its `operationId` in the document; `prepare` makes the request at a place."""

    operation: str
    prepare: Callable[[Place], Awaitable[Request]]
