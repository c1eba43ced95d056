"""Presses that did not come through the API: written straight onto the log, as a bug or another program might."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.events.codec import write_body
from shared.events.envelope import Envelope, encode_headers
from shared.events.idempotency import digest_of
from shared.events.ids import TimerIds, fresh_event_id, slot_of
from shared.events.models import Actor, TimerStarted
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.logs import put

_EXPIRES_AFTER: Final = timedelta(seconds=30)


def _now() -> datetime:
    return datetime.now(UTC)


ids: Final = TimerIds(_now)


def start_of(tenant: Tenant, owner: str, client: str | None = None) -> tuple[dict[str, bytes | None], bytes]:
    """Return the headers and the body of a good start, pressed just now."""
    now = _now()
    event = TimerStarted(
        tenant=tenant.name,
        actor=Actor(client=client or tenant.client, role="machine"),
        dialect="native",
        digest=digest_of("start", owner, {}),
        owner=owner,
    )
    envelope = Envelope(
        event_id=fresh_event_id(now),
        type=event.type,
        recorded_at=now,
        policy_rev=tenant.revision,
        subject=ids.draw(slot_of(tenant.name, owner)),
        expires_at=now + _EXPIRES_AFTER,
    )
    return dict(encode_headers(envelope)), write_body(event)


async def put_start(
    deployment: Deployment,
    tenant: Tenant,
    owner: str,
    other: Mapping[str, bytes | None] | None = None,
    kpart: int | None = None,
) -> int:
    """Write a start on its owner's partition, or on another one, and return its offset.

    `other` replaces headers, and the `body` if it names one.
    """
    named, body = start_of(tenant, owner)
    written = {"body": body} | named | dict(other or {})
    value = written.pop("body")
    return await put(
        deployment,
        deployment.partition_of(tenant, owner) if kpart is None else kpart,
        value,
        written,
        key=owner.encode(),
    )
