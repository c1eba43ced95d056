"""Calls of dialect C by an admin: what is stated about an owner, and the tenant's policy."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tests.contract.calls.place import JSON, Call, Place, bearer
from tests.support.stack.raw_http import Request


def _states(
    method: str, path: str = "", said: Mapping[str, Any] | None = None
) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        target = f"/v1/owners/{place.person.owner}{path}"
        if said is None:
            return Request(method, target, place.admin)
        return Request(method, target, (*place.admin, JSON), json.dumps(said).encode())

    return prepared


async def _owner(place: Place) -> Request:
    path = f"/v1/owners/{place.person.owner}"
    stated = await place.http.put(path, json={"zone": "Europe/Berlin"}, headers=dict(place.admin))
    position = str(stated.json()["position"])
    return Request("GET", path, (*place.admin, ("X-Min-Position", position)))


async def _put_policy(place: Place) -> Request:
    # The same document for the same revision: recorded once, and answered the same each time.
    said = {"preset": "native", "zone": "Asia/Tokyo", "rules": {}, "replaces": place.ruled.revision}
    return Request("PUT", "/v1/policy", (*bearer(place.ruled.token), JSON), json.dumps(said).encode())


def _policy(path: str) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        return Request("GET", f"/v1/policy{path.format(place.ruled.revision)}", bearer(place.ruled.token))

    return prepared


_ATTENDANCE: Final = {"checked_in_at": "2026-01-05T08:00:00Z", "checked_out_at": "2026-01-05T12:00:00Z"}

CALLS: Final[Mapping[str, Call]] = {
    "C owner": Call("getOwner", _owner),
    "C profile": Call("putOwner", _states("PUT", "", {"zone": "Europe/Berlin", "active": True})),
    "C leave": Call("grantLeave", _states("PUT", "/leave/2026-04-02")),
    "C leave revoked": Call("revokeLeave", _states("DELETE", "/leave/2026-04-02")),
    "C attendance": Call("recordAttendance", _states("POST", "/attendance", _ATTENDANCE)),
    "C estimate": Call("setEstimate", _states("PUT", "/estimates/J-1", {"seconds": 7200})),
    "C texts erased": Call("eraseTexts", _states("DELETE", "/texts")),
    "C policy set": Call("putPolicy", _put_policy),
    "C policy": Call("getPolicy", _policy("")),
    "C policies": Call("getPolicyHistory", _policy("/history")),
    "C policy of a revision": Call("getPolicyRevision", _policy("/{}")),
}
