"""Facts: what a command about an owner amounts to on the log. Pure, as `press` is.

With care: digests, for the reason that `press` gives. What we found for the caller is no part of one: a day that was
found with the owner's zone of that moment would make a retry another request.
"""

from typing import Any, assert_never

from services.command_api.desk.commands import (
    Dialect,
    EraseTexts,
    FactCommand,
    RecordAttendance,
    SetEstimate,
    SetLeave,
    SetProfile,
)
from shared.events.idempotency import digest_of
from shared.events.models import (
    Actor,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerFact,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)


def fact_digest(command: FactCommand) -> str:
    """Return a digest that differs for two commands under one key (R24)."""
    match command:
        case SetProfile(owner=owner, zone=zone, timers_disabled=timers_disabled, active=active):
            return digest_of("profile", owner, {"zone": zone, "timers_disabled": timers_disabled, "active": active})
        case SetLeave(owner=owner, on=on, granted=granted):
            return digest_of("leave", owner, {"on": on.isoformat(), "granted": granted})
        case RecordAttendance(owner=owner, on=on, checked_in=checked_in, checked_out=checked_out, on_given=on_given):
            given = {
                "on": on.isoformat() if on_given else None,
                "checked_in_at": checked_in.spelt,
                "checked_out_at": None if checked_out is None else checked_out.spelt,
            }
            return digest_of("attendance", owner, given)
        case SetEstimate(owner=owner, job_id=job_id, seconds=seconds):
            return digest_of("estimate", owner, {"job_id": job_id, "seconds": str(seconds)})
        case EraseTexts(owner=owner):
            return digest_of("erase_texts", owner, {})
        case _:
            assert_never(command)


def fact_event(command: FactCommand, tenant: str, actor: Actor, dialect: Dialect) -> OwnerFact:
    """Return the event that records a command about an owner."""
    common: dict[str, Any] = {
        "tenant": tenant,
        "actor": actor,
        "dialect": dialect,
        "digest": fact_digest(command),
        "owner": command.owner,
    }
    match command:
        case SetProfile(zone=zone, timers_disabled=timers_disabled, active=active):
            return OwnerProfileSet(**common, zone=zone, timers_disabled=timers_disabled, active=active)
        case SetLeave(on=on, granted=granted):
            return OwnerLeaveGranted(**common, on=on) if granted else OwnerLeaveRevoked(**common, on=on)
        case RecordAttendance(on=on, checked_in=checked_in, checked_out=checked_out):
            ended_at = None if checked_out is None else checked_out.instant
            return OwnerAttendanceRecorded(**common, on=on, checked_in_at=checked_in.instant, checked_out_at=ended_at)
        case SetEstimate(job_id=job_id, seconds=seconds):
            return OwnerEstimateSet(**common, job_id=job_id, seconds=seconds)
        case EraseTexts():
            return OwnerTextsErased(**common)
        case _:
            assert_never(command)
