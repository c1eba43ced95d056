"""Holders: which projector has which partition, so that a test can choose the projector that folds its presses."""

import asyncio
import json
from collections.abc import Collection, Iterator
from typing import Any, Final

import httpx2 as httpx

from tests.support.stack.crew import Service
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner

_SETTLED_WITHIN_SECONDS: Final = 20.0


async def holders(group: Collection[Service], partitions: int) -> dict[int, Service]:
    """Return the projector of each partition, once the group holds and folds all of them."""
    async with asyncio.timeout(_SETTLED_WITHIN_SECONDS), httpx.AsyncClient() as http:
        while not await _settled(http, group, partitions):  # noqa: ASYNC110 - they are other processes
            await asyncio.sleep(0.05)
    latest: dict[int, tuple[str, Service]] = {}
    for service in group:
        for said in _events(service.said(), "partition_changed"):
            if said["status"] == "live":
                kpart, at = said["partition"], said["timestamp"]
                latest[kpart] = max(latest.get(kpart, ("", service)), (at, service), key=lambda one: one[0])
    return {kpart: service for kpart, (_, service) in latest.items()}


async def owner_with(
    holder: Service, group: Collection[Service], deployment: Deployment, tenant: Tenant, word: str = "owner"
) -> str:
    """Return a fresh owner whose name begins with `word`, and whose presses `holder` folds."""
    held = await holders(group, deployment.partitions)
    return owner_on([kpart for kpart, service in held.items() if service is holder], deployment, tenant, word)


def owner_on(kparts: Collection[int], deployment: Deployment, tenant: Tenant, word: str = "owner") -> str:
    """Return a fresh owner on one of these partitions, whose name begins with `word`."""
    if not kparts:
        raise ValueError("no partitions to choose an owner for")
    while True:
        owner = f"{word}-{fresh_owner()}"
        if deployment.partition_of(tenant, owner) in kparts:
            return owner


def said_by(service: Service, event: str) -> list[dict[str, Any]]:
    """Return the log entries of one event that a service wrote since the test began."""
    return list(_events(service.said_since_mark(), event))


async def _settled(http: httpx.AsyncClient, group: Collection[Service], partitions: int) -> bool:
    try:
        said = [(await http.get(f"{service.url}/readyz")).json() for service in group]
    except httpx.TransportError:
        return False
    # A projector that has just joined has no partition yet, and the others do not know that they will lose some.
    return (
        all(one["ready"] and one["partitions"] for one in said) and sum(one["partitions"] for one in said) == partitions
    )


def _events(text: str, event: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if f'"{event}"' in line and line.startswith("{"):
            said: dict[str, Any] = json.loads(line)
            if said["event"] == event:
                yield said
