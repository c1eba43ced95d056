"""An example outcome, to be varied."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.events.models import ToldActor
from shared.events.outcome import Outcome, State, TimerAfter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMER = TimerAfter(
    id=1 << 40,
    owner="dana",
    account_id=None,
    job_id=None,
    project_id=None,
    billable=True,
    work_date=None,
    state=State.RUNNING,
    started_at=NOW,
    stopped_at=None,
    total_us=0,
    last_at=NOW,
    flags=(),
)
EVENT_ID = UUID("01900000-0000-7000-8000-000000000001")


def outcome(**said: Any) -> Outcome:  # noqa: ANN401
    example: dict[str, Any] = {
        "source_offset": 7,
        "event_id": EVENT_ID,
        "event_type": "timer.started.v1",
        "subject": 1 << 40,
        "tenant": "acme",
        "owner": "dana",
        "actor": ToldActor(client="desk", role="machine"),
        "dialect": "native",
        "digest": "d",
        "recorded_at": NOW,
        "log_time": NOW,
        "asked_at": None,
        "at": NOW,
        "policy_rev": 0,
        "policy_revision": 0,
        "verdict": "accepted",
        "timer": TIMER,
    }
    return TypeAdapter(Outcome).validate_python(example | said)
