"""Owners: the facts of one owner, from their rows to one value."""

import json
from datetime import date, datetime
from typing import Any

import asyncpg

from services.command_api.desk.rows import AttendanceWindow, OwnerRow


def owner_of(row: asyncpg.Record | None) -> OwnerRow:
    """Return what the rows of an owner say. Kinds and members that a later release wrote are passed over."""
    if row is None:
        return OwnerRow()
    facts: dict[str, dict[str, dict[str, Any]]] = {}
    for fact in json.loads(row["facts"] or "[]"):
        facts.setdefault(fact["kind"], {})[fact["about"]] = fact["body"]
    profile = facts.get("profile", {}).get("", {})
    windows = [_window(about, body) for about, body in facts.get("attendance", {}).items()]
    return OwnerRow(
        zone=profile.get("zone"),
        timers_disabled=profile.get("timers_disabled"),
        active=profile.get("active"),
        aliases=None if row["aliases"] is None else tuple(row["aliases"]),
        leave=tuple(sorted(date.fromisoformat(on) for on, body in facts.get("leave", {}).items() if body["granted"])),
        attendance=tuple(sorted(windows, key=lambda window: window.checked_in_at)),
        estimates=tuple(sorted((job, body["seconds"]) for job, body in facts.get("estimate", {}).items())),
        position=row["position"],
    )


def _window(about: str, body: dict[str, Any]) -> AttendanceWindow:
    ended = body.get("checked_out_at")
    return AttendanceWindow(
        # Facts of the first release had the day in `about`.
        on=date.fromisoformat(body.get("on") or about),
        checked_in_at=datetime.fromisoformat(body["checked_in_at"]),
        checked_out_at=None if ended is None else datetime.fromisoformat(ended),
    )
