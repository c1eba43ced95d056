"""Presses to test with: an ordinary one, of which each test changes one thing, and records as a broker has them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.events.codec import write_body
from shared.events.envelope import Envelope, ReplyAddress, encode_headers
from shared.events.idempotency import digest_of
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import Actor, TimerStarted

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT_ID: Final = UUID("019ca9d4-5e00-7000-8000-000000000001")
SHORT: Final = make_short((NOON - ID_EPOCH) // timedelta(milliseconds=1), slot_of("acme", "dana"), 5)
STARTED: Final = TimerStarted(
    tenant="acme",
    actor=Actor(client="desk", role="machine"),
    dialect="native",
    digest=digest_of("start", "dana", {}),
    owner="dana",
)
ENVELOPE: Final = Envelope(
    event_id=EVENT_ID,
    type="timer.started.v1",
    recorded_at=NOON,
    policy_rev=3,
    subject=SHORT,
    expires_at=NOON + timedelta(seconds=30),
    correlation_id="c-1",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    reply=ReplyAddress("timer.replies.v1", 17, "r-1"),
)

Headers = list[tuple[str, bytes | None]]


def headers(**changed: bytes | str | None) -> Headers:
    """Return the headers of an ordinary start, some of them changed. A header that is None is left out."""
    named: dict[str, bytes | None] = dict(encode_headers(ENVELOPE))
    for name, value in changed.items():
        key = name.replace("_type", "-type") if name == "content_type" else name
        named[key] = value.encode() if isinstance(value, str) else value
    return [(name, value) for name, value in named.items() if name not in changed or value is not None]


def body(**changed: Any) -> bytes:  # noqa: ANN401 - what is wrong with a field is what a test is about
    """Return the body of an ordinary start, some of its fields changed."""
    return json.dumps(json.loads(write_body(STARTED)) | changed).encode()


@dataclass(frozen=True)
class Record:
    """A record as a broker hands it out."""

    offset: int
    timestamp: int
    headers: Headers
    value: bytes | None
