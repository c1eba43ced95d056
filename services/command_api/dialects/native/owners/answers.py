"""The answers about owners: one fact as it was learned, and all that is known of an owner."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from starlette.responses import Response

from services.command_api.desk.commands import Learned
from services.command_api.desk.rows import AttendanceWindow, OwnerRow
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.native.answers import moment, problem, refused
from services.command_api.dialects.times import rfc3339
from shared.events.outcome import Fact
from shared.events.rules import Rule

OWNERS_PATH: Final = "/v1/owners"

_JSON: Final = "application/json"


def learned(answer: Learned, aliases: Sequence[str] | None = None) -> Response:
    """Answer a statement with its fact. `aliases` are those that were set with it, if any."""
    body: dict[str, object] = {"owner": answer.owner, "fact": dict(_fact(answer.fact))}
    if aliases is not None:
        body["aliases"] = list(aliases)
    return Response(written(body | {"position": str(answer.position)}), 200, media_type=_JSON)


def known(owner: str, row: OwnerRow) -> Response:
    """Answer with all that is known of an owner. null: it was never stated."""
    body = {
        "owner": owner,
        "zone": row.zone,
        "timers_disabled": row.timers_disabled,
        "active": row.active,
        "aliases": row.aliases,
        "leave": row.leave,
        "attendance": list(map(_window, row.attendance)),
        "estimates": [{"job_id": job, "seconds": seconds} for job, seconds in row.estimates],
        "position": row.position,
    }
    return Response(written(body), 200, media_type=_JSON)


def not_an_admin() -> Response:
    """Answer a caller whose role may not state facts."""
    return refused(Rule.NOT_THE_OWNER, "Only a client with the role admin may do this.")


def no_such_person() -> Response:
    """Answer aliases for an owner without a person. Nothing was recorded."""
    return problem(404, "The owner is no person of this tenant, and only persons have aliases.", None)


def _fact(fact: Fact) -> Iterable[tuple[str, object]]:
    body = fact.body
    yield "kind", fact.kind
    match fact.kind:
        case "profile":
            for name in ("zone", "timers_disabled", "active"):
                if name in body:
                    yield name, body[name]
        case "leave":
            yield "day", fact.about
            yield "granted", body["granted"]
        case "attendance":
            yield "on", body["on"]
            yield "checked_in_at", _moment(body["checked_in_at"])
            yield "checked_out_at", _moment(body["checked_out_at"])
        case "estimate":
            yield "job_id", fact.about
            yield "seconds", body["seconds"]
        case _:
            return


def _moment(spelt: str | None) -> str | None:
    return None if spelt is None else rfc3339(datetime.fromisoformat(spelt))


def _window(window: AttendanceWindow) -> dict[str, object]:
    return {
        "on": window.on,
        "checked_in_at": moment(window.checked_in_at),
        "checked_out_at": moment(window.checked_out_at),
    }
