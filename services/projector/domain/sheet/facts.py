"""Owner facts: what an event states about its owner. A fact counts for the records that come after it on the log."""

from typing import assert_never

from shared.events.envelope import timestamp
from shared.events.models import (
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerFact,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)
from shared.events.outcome import Fact
from shared.events.zones import is_zone


def fact_of(event: OwnerFact) -> Fact | None:
    """Return the fact that an event states, or None when it names a zone that the pinned tzdata does not have."""
    match event:
        case OwnerProfileSet(zone=zone) if zone is not None and not is_zone(zone):
            return None
        case OwnerProfileSet():
            profile = event.model_dump(mode="json", include={"zone", "timers_disabled", "active"}, exclude_none=True)
            return Fact(kind="profile", body=profile)
        case OwnerLeaveGranted(on=on):
            return Fact(kind="leave", about=on.isoformat(), body={"granted": True})
        case OwnerLeaveRevoked(on=on):
            return Fact(kind="leave", about=on.isoformat(), body={"granted": False})
        case OwnerAttendanceRecorded(checked_in_at=checked_in_at):
            # A day may have several windows. The check-in tells them apart, so the same one again replaces its window.
            window = event.model_dump(mode="json", include={"on", "checked_in_at", "checked_out_at"})
            return Fact(kind="attendance", about=timestamp(checked_in_at), body=window)
        case OwnerEstimateSet(job_id=job_id, seconds=seconds):
            return Fact(kind="estimate", about=job_id, body={"seconds": seconds})
        case OwnerTextsErased():
            return Fact(kind="texts_erased", body={})
        case _:
            assert_never(event)
