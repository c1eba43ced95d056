"""A tick: one `deadline.reached` as a record of the log. Pure: the moment is an argument."""

from datetime import datetime, timedelta
from typing import Final

from services.projector.ports import Tick
from shared.events.codec import write_body
from shared.events.envelope import Envelope, encode_headers
from shared.events.idempotency import digest_of
from shared.events.ids import fresh_event_id
from shared.events.models import Actor, DeadlineReached

_SOURCE: Final = "/stint/projector"
_CLOCK: Final = Actor(client="stint", role="system")
_EXPIRES_AFTER: Final = timedelta(seconds=30)


def tick_for(tenant: str, owner: str, now: datetime, policy_rev: int) -> Tick:
    """Return a tick with an event id of its own. `policy_rev`: how far the policies were read."""
    event = DeadlineReached(
        tenant=tenant, actor=_CLOCK, dialect="stint", digest=digest_of("deadline", owner, {}), owner=owner
    )
    event_id, expires_at = fresh_event_id(now), now + _EXPIRES_AFTER
    envelope = Envelope(
        event_id=event_id,
        type=event.type,
        recorded_at=now,
        policy_rev=policy_rev,
        expires_at=expires_at,
        source=_SOURCE,
    )
    return Tick(f"{tenant}/{owner}".encode(), encode_headers(envelope), write_body(event), expires_at)
