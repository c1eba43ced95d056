"""Owner facts: what an event states about its owner. A fact counts for the records that come after it on the log."""

from datetime import timedelta
from typing import Final, assert_never

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

# A local date and the date in UTC differ by at most one.
_A_DAY: Final = timedelta(days=1)


def fact_of(event: OwnerFact) -> Fact | str:
    """Return the fact that an event states, or a code that says why it states none.

    `unknown_zone`: the pinned tzdata does not have it. `wrong_day`: no zone has that day of attendance at its check-in.
    """
    match event:
        case OwnerProfileSet(zone=zone) if zone is not None and not is_zone(zone):
            return "unknown_zone"
        case OwnerAttendanceRecorded(on=on, checked_in_at=at) if abs(at.date() - on) > _A_DAY:
            return "wrong_day"
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
