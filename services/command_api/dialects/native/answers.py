"""The answers of dialect C: timers as judged, and errors as RFC 9457 problems that name the rule.

Never: free text in a command's answer (a retry must hear the same bytes after the text was erased), or anything of
our insides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from services.command_api.desk.commands import Accepted, Asked, Dialect, Position, StartTimer, StillWaiting
from services.command_api.desk.rows import IntervalRow, TimerRow
from services.command_api.desk.told import short_digest
from services.command_api.dialects.jsontext import NULL, array, boolean, members, quoted
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.reasons import READERS_PRESS_NOTHING, sentence, sentence_about
from services.command_api.dialects.times import rfc3339
from shared.events.durations import seconds_text, total_minutes
from shared.events.ids import to_long
from shared.events.outcome import TimerAfter
from shared.events.rule_table import row_of
from shared.events.rules import Rule

TIMERS_PATH: Final = "/v1/timers"
OUTCOMES_PATH: Final = "/v1/outcomes"

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"


def created(timer: TimerAfter, position: Position) -> Response:
    """Answer a start with the timer as judged."""
    location = {"Location": f"{TIMERS_PATH}/{to_long(timer.id)}"}
    return Response(members(*_timer(timer, str(position))), 201, location, _JSON)


def pressed(timer: TimerAfter, position: Position) -> Response:
    """Answer a pause, a resume or a stop with the timer as judged."""
    return Response(members(*_timer(timer, str(position))), 200, media_type=_JSON)


def read(row: TimerRow) -> Response:
    """Answer with one timer as the read model has it, with its texts and intervals."""
    body = members(*_with_texts(row), ("intervals", array(map(_interval, row.intervals))))
    return Response(body, 200, media_type=_JSON)


def listed(page: Sequence[TimerRow], next_cursor: str | None) -> Response:
    """Answer with a page of timers, each with its texts."""
    items = array(members(*_with_texts(row)) for row in page)
    return Response(members(("items", items), ("next_cursor", quoted(next_cursor))), 200, media_type=_JSON)


def recorded(waiting: StillWaiting) -> Response:
    """Answer 202: recorded but not judged yet. `Location` is where the outcome will be."""
    location = f"{OUTCOMES_PATH}/{waiting.event_id}?at={waiting.position}&digest={short_digest(waiting.digest)}"
    body = members(("event_id", quoted(str(waiting.event_id))), ("position", quoted(str(waiting.position))))
    return Response(body, 202, {"Location": location, "Retry-After": "1"}, _JSON)


def outcome(body: str) -> Response:
    """Answer with an outcome, as it was stored."""
    return Response(body, 200, media_type=_JSON)


def not_yet() -> Response:
    """Answer 202: the projector has not reached the press yet."""
    return Response(members(("status", quoted("not_judged_yet"))), 202, {"Retry-After": "1"}, _JSON)


def _with_texts(row: TimerRow) -> tuple[tuple[str, str], ...]:
    return (*_timer(row, row.position), ("comment", quoted(row.comment)), ("work_item", quoted(row.work_item)))


def _timer(timer: TimerAfter | TimerRow, position: str) -> tuple[tuple[str, str], ...]:
    return (
        ("id", quoted(to_long(timer.id))),
        ("timelog_id", quoted(str(timer.id))),
        ("owner", quoted(timer.owner)),
        ("account_id", quoted(timer.account_id)),
        ("job_id", quoted(timer.job_id)),
        ("project_id", quoted(timer.project_id)),
        ("billable", boolean(timer.billable)),
        ("work_date", NULL if timer.work_date is None else quoted(timer.work_date.isoformat())),
        ("reference", quoted(timer.reference)),
        ("state", quoted(timer.state.value)),
        ("started_at", moment(timer.started_at)),
        ("stopped_at", moment(timer.stopped_at)),
        ("total_seconds", seconds_text(timer.total_us)),
        ("total_minutes", quoted(str(total_minutes(timer.total_us)))),
        ("flags", array(map(quoted, timer.flags))),
        ("position", quoted(position)),
    )


def _interval(interval: IntervalRow) -> str:
    bounds = (("start", moment(interval.start_at)), ("end", moment(interval.end_at)))
    return members(*bounds) if interval.reason is None else members(*bounds, ("reason", quoted(interval.reason)))


def moment(at: datetime | None) -> str:
    """Return a moment as JSON, or null."""
    return NULL if at is None else quoted(rfc3339(at))


def status_of(rule: Rule) -> int:
    """Return the status that dialect C gives a refusal."""
    return row_of(rule).native


def refused(rule: Rule, detail: str | None = None) -> Response:
    """Answer a refusal by a rule, as a problem."""
    status = status_of(rule)
    headers = {"WWW-Authenticate": "Bearer"} if rule is Rule.TOKEN_UNKNOWN else {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return problem(status, detail or sentence(rule), rule, headers)


def over_quota(retry_after_seconds: int) -> Response:
    """Answer a client that has made too many requests."""
    rule = Rule.RATE_LIMITED
    return problem(status_of(rule), sentence(rule), rule, {"Retry-After": str(retry_after_seconds)})


def problem(status: int, detail: str, rule: Rule | None, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem (RFC 9457). A broken rule gives the type; without one the status says everything."""
    said = [
        ("type", quoted("about:blank" if rule is None else f"tag:stint.invalid,2026:rule/{rule.value}")),
        ("title", quoted(HTTPStatus(status).phrase if rule is None else rule.reason)),
        ("status", str(status)),
        ("detail", quoted(detail)),
        ("rule", NULL if rule is None else quoted(rule.value)),
    ]
    return Response(members(*said), status, headers, _PROBLEM)


@dataclass(frozen=True, slots=True)
class Words:
    """The answers of dialect C."""

    dialect: Dialect = "native"

    def malformed(self, problem: Malformed) -> Response:
        """Answer a malformed request."""
        return refused(problem.rule, sentence_about(problem))

    def refused(self, rule: Rule) -> Response:
        """Answer a refusal by a rule."""
        return refused(rule)

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503; a retry with the same Idempotency-Key is safe."""
        return problem(503, "Please try again.", None, {"Retry-After": str(retry_after_seconds)})

    def for_readers(self) -> Response:
        """Answer a reader that presses."""
        return refused(Rule.NOT_THE_OWNER, READERS_PRESS_NOTHING)

    def accepted(self, asked: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""
        answer = created if isinstance(asked.command, StartTimer) else pressed
        return answer(accepted.timer, accepted.position)

    def waiting(self, _: Asked, waiting: StillWaiting) -> Response:
        """Answer a press that was not judged in time."""
        return recorded(waiting)


WORDS: Final = Words()
