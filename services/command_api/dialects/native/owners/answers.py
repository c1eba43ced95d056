"""The answers about owners: one fact as it was learned, and all that is known of an owner."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from services.command_api.desk.commands import Learned
from services.command_api.desk.rows import AttendanceWindow, OwnerRow
from services.command_api.dialects.jsontext import NULL, array, boolean, members, quoted
from services.command_api.dialects.native.answers import problem, refused
from services.command_api.dialects.times import rfc3339
from shared.events.outcome import Fact
from shared.events.rules import Rule

OWNERS_PATH: Final = "/v1/owners"

_JSON: Final = "application/json"


def learned(said: Learned, aliases: Sequence[str] | None = None) -> Response:
    """Answer a statement with its fact. `aliases` are those that were set with it, if any."""
    pairs = [("owner", quoted(said.owner)), ("fact", members(*_fact(said.fact)))]
    if aliases is not None:
        pairs.append(("aliases", _texts(aliases)))
    return Response(members(*pairs, ("position", quoted(str(said.position)))), 200, media_type=_JSON)


def known(owner: str, row: OwnerRow) -> Response:
    """Answer with all that is known of an owner. null: it was never stated."""
    body = members(
        ("owner", quoted(owner)),
        ("zone", quoted(row.zone)),
        ("timers_disabled", _yes_or_no(row.timers_disabled)),
        ("active", _yes_or_no(row.active)),
        ("aliases", NULL if row.aliases is None else _texts(row.aliases)),
        ("leave", _texts(day.isoformat() for day in row.leave)),
        ("attendance", array(map(_window, row.attendance))),
        ("estimates", array(members(("job_id", quoted(job)), ("seconds", str(s))) for job, s in row.estimates)),
        ("position", quoted(row.position)),
    )
    return Response(body, 200, media_type=_JSON)


def not_an_admin() -> Response:
    """Answer a caller whose role may not state facts."""
    return refused(Rule.NOT_THE_OWNER, "Only a client with the role admin may do this.")


def no_such_owner() -> Response:
    """Answer a person who asks for another owner: the same, whether there is one or not."""
    return refused(Rule.TIMER_UNKNOWN, "There is no such owner.")


def no_such_person() -> Response:
    """Answer aliases for an owner without a person. Nothing was recorded."""
    return problem(404, "The owner is no person of this tenant, and only persons have aliases.", None)


def _fact(fact: Fact) -> Iterable[tuple[str, str]]:
    body = fact.body
    yield "kind", quoted(fact.kind)
    match fact.kind:
        case "profile":
            if "zone" in body:
                yield "zone", quoted(body["zone"])
            for name in ("timers_disabled", "active"):
                if name in body:
                    yield name, boolean(body[name])
        case "leave":
            yield "day", quoted(fact.about)
            yield "granted", boolean(body["granted"])
        case "attendance":
            yield "on", quoted(body["on"])
            yield "checked_in_at", _moment(body["checked_in_at"])
            yield "checked_out_at", _moment(body["checked_out_at"])
        case "estimate":
            yield "job_id", quoted(fact.about)
            yield "seconds", str(body["seconds"])
        case _:
            return


def _moment(written: Any) -> str:  # noqa: ANN401 - a member of a fact's body
    return NULL if written is None else quoted(rfc3339(datetime.fromisoformat(written)))


def _window(window: AttendanceWindow) -> str:
    ended = window.checked_out_at
    return members(
        ("on", quoted(window.on.isoformat())),
        ("checked_in_at", quoted(rfc3339(window.checked_in_at))),
        ("checked_out_at", NULL if ended is None else quoted(rfc3339(ended))),
    )


def _texts(texts: Iterable[str]) -> str:
    return array(map(quoted, texts))


def _yes_or_no(value: bool | None) -> str:  # noqa: FBT001 - a value to be written, not a switch
    return NULL if value is None else boolean(value)
