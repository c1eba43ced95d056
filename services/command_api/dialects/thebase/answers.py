"""The answers of dialect A: its Hebrew texts, totals and list, and errors as Oracle REST Data Services words them.

Never: another status than 200, 201, 202, 400, 401, 404, 405, 500 and 503. Its clients know no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

from starlette.responses import Response

from services.command_api.desk.commands import Accepted, Asked, Dialect, Refused, StillWaiting
from services.command_api.desk.rows import OpenTimer
from services.command_api.dialects.jsontext import written
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.reasons import READERS_PRESS_NOTHING, sentence, sentence_about
from services.command_api.dialects.times import rfc3339_seconds
from shared.events.durations import total_minutes
from shared.events.ids import to_long
from shared.events.rule_table import row_of
from shared.events.rules import Rule

# The published texts, by code point (docs/contract.md, section 2), so that no editor can reverse their direction.
STARTED: Final = "\u05d4\u05d8\u05d9\u05d9\u05de\u05e8 \u05d4\u05d5\u05e4\u05e2\u05dc"
STOPPED: Final = "\u05d4\u05d8\u05d9\u05d9\u05de\u05e8 \u05d4\u05d5\u05e4\u05e1\u05e7"

OPEN_PATH: Final = "/v2/timer/open"

_JSON: Final = "application/json"

Verb = Literal["start", "stop"]
ErrorStatus = Literal[400, 401, 404, 405, 500, 503]
_NOT_FOUND: Final = 404
_HEADERS: Final[Mapping[ErrorStatus, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "1"},
}
_CODES: Final[Mapping[ErrorStatus, str]] = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    405: "MethodNotAllowed",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
# The same for all: an instance for each request could show whether a timer is unknown or another tenant's.
_INSTANCE: Final = "tag:stint.invalid,2026:timer"


def started(timer_id: int, *, judged: bool = True) -> Response:
    """Answer a start: 201, or 202 while the verdict is outstanding."""
    body = written({"id": to_long(timer_id), "message": STARTED})
    return Response(body, 201, media_type=_JSON) if judged else Response(body, 202, {"Retry-After": "1"}, _JSON)


def stopped(total_us: int) -> Response:
    """Answer a stop, with the minutes worked."""
    body = written({"message": STOPPED, "total_minuets": str(total_minutes(total_us))})
    return Response(body, 201, media_type=_JSON)


def open_timers(found: Sequence[OpenTimer], limit: int, offset: int) -> Response:
    """Answer with one page of open timers. `found` holds one timer too many when there are more pages."""
    page = found[:limit]
    more = len(found) > limit
    links = [("self", offset), ("first", 0)]
    links += [("next", offset + limit)] if more else []
    links += [("prev", max(offset - limit, 0))] if offset else []
    body = {
        "items": list(map(_item, page)),
        "hasMore": more,
        "limit": limit,
        "offset": offset,
        "count": len(page),
        "links": [_link(rel, limit, at) for rel, at in links],
    }
    return Response(written(body), 200, media_type=_JSON)


def _item(timer: OpenTimer) -> dict[str, object]:
    return {
        "id": to_long(timer.id),
        "account_id": timer.account_id,
        "start_time": rfc3339_seconds(timer.started_at),
        "comment": timer.comment,
    }


def _link(rel: str, limit: int, offset: int) -> dict[str, str]:
    # A path without host, because the Host header is the caller's own text and is not repeated.
    return {"rel": rel, "href": f"{OPEN_PATH}?limit={limit}&offset={offset}"}


def status_of(rule: Rule, verb: Verb) -> ErrorStatus:
    """Return the status that dialect A gives a refusal."""
    return row_of(rule).thebase[verb]


def refused(rule: Rule, verb: Verb) -> Response:
    """Answer a press that a rule refused."""
    status = status_of(rule, verb)
    # Unknown, foreign and malformed ids get the same bytes, so a 404 has no sentence of its own.
    return error(status, None if status == _NOT_FOUND else sentence(rule), _HEADERS.get(status))


def error(
    status: ErrorStatus, message: str | None = None, headers: Mapping[str, str] | None = None, oauth: str | None = None
) -> Response:
    """Answer with an error. `oauth` is the code that clients of RFC 6749 expect, in a member of its own."""
    code, title = _CODES[status], HTTPStatus(status).phrase
    members = {
        "code": code,
        "title": title,
        "message": message if message is not None else title,
        "type": f"tag:oracle.com,2020:error/{code}",
        "instance": _INSTANCE,
    }
    if oauth is not None:
        members["error"] = oauth
    return Response(written(members), status, headers, _JSON)


def unavailable(retry_after_seconds: int = 1) -> Response:
    """Answer 503: no change is known to have been made, and the same request may be sent again."""
    return error(503, "Please try again.", {"Retry-After": str(retry_after_seconds)})


@dataclass(frozen=True, slots=True)
class Words:
    """Dialect A's answers to a start or a stop. A list is worded as a start is."""

    verb: Verb
    dialect: Dialect = "thebase"

    def malformed(self, problem: Malformed) -> Response:
        """Answer a malformed request."""
        return error(400, sentence_about(problem))

    def refused(self, rule: Rule) -> Response:
        """Answer a refusal by a rule."""
        return refused(rule, self.verb)

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503."""
        return unavailable(retry_after_seconds)

    def over_quota(self, retry_after_seconds: int) -> Response:
        """Answer a client that has made too many requests: 400, because this dialect has no 429."""
        rule = Rule.RATE_LIMITED
        return error(status_of(rule, self.verb), sentence(rule), {"Retry-After": str(retry_after_seconds)})

    def for_readers(self) -> Response:
        """Answer a reader that presses. Not 404, because it can see every timer of its tenant."""
        return error(400, READERS_PRESS_NOTHING)

    def accepted(self, _: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""
        return started(accepted.timer.id) if self.verb == "start" else stopped(accepted.timer.total_us)

    def refused_press(self, _: Asked, judged: Refused) -> Response:
        """Answer a press that was judged and refused."""
        return self.refused(judged.rule)

    def waiting(self, asked: Asked, waiting: StillWaiting) -> Response:
        """Answer a press that was not judged in time."""
        if self.verb == "start" and asked.key is None and waiting.timer_id is not None:
            return started(waiting.timer_id, judged=False)
        # Ask again: a stop has no minutes yet, and under a key another start's id may be the one that counts.
        return unavailable()


START: Final = Words("start")
STOP: Final = Words("stop")
LIST: Final = START
