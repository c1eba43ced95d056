"""The naive fold's facts: what is known of an owner beside the timers."""

from datetime import UTC, datetime

from shared.events.zones import is_zone
from tests.support.proof.naive.outcome import Row, failed, shown
from tests.support.proof.naive.reading import Said


def learn(
    facts: dict[tuple[str, str, str, str], Row],
    known_at: dict[tuple[str, str, str, str], datetime],
    press: Said,
    said: Row,
) -> Row:
    """Learn what a record says of its owner. Return the outcome."""
    kind, about, body = _fact(press)
    if kind == "profile" and body.get("zone") is not None and not is_zone(body["zone"]):
        return said | {"verdict": "refused", "rule": "R03", "reason": "unknown_zone"}
    if kind == "attendance" and abs((press["checked_in_at"].astimezone(UTC).date() - press["on"]).days) > 1:
        return said | {"verdict": "refused", "rule": "R03", "reason": "wrong_day"}
    if "\0" in f"{press['owner']}{about}":
        return failed(press)
    key = (press["tenant"], press["owner"], kind, about)
    # A profile is told in parts, and each erasure is one of its own. Any other fact is told whole, and told again it
    # counts from when it was known.
    if kind in {"profile", "texts_erased"} or facts.get(key) != body:
        known_at[key] = press["log_time"]
    facts[key] = {**facts.get(key, {}), **body} if kind == "profile" else body
    return said | {"verdict": "accepted", "fact": {"kind": kind, "about": about, "body": body}}


def _fact(press: Said) -> tuple[str, str, Row]:
    def given(*names: str) -> Row:
        return {name: shown(press[name]) for name in names if press[name] is not None}

    match press["kind"]:
        case "owner.profile_set.v1":
            return "profile", "", given("zone", "timers_disabled", "active")
        case "owner.leave_granted.v1":
            return "leave", str(press["on"]), {"granted": True}
        case "owner.leave_revoked.v1":
            return "leave", str(press["on"]), {"granted": False}
        case "owner.attendance_recorded.v1":
            names = ("on", "checked_in_at", "checked_out_at")
            window = {name: None if press[name] is None else shown(press[name]) for name in names}
            began = press["checked_in_at"].astimezone(UTC).replace(tzinfo=None)
            return "attendance", began.isoformat(timespec="microseconds") + "Z", window
        case "owner.estimate_set.v1":
            return "estimate", press["job_id"], given("seconds")
        case _:
            return "texts_erased", "", {}
