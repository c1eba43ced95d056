"""The answers of dialect C: timers as judged, and errors as RFC 9457 problems that name the rule.

Never: free text in a command's answer (a retry must get the same bytes after the text was erased), or anything of
our insides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from services.command_api.desk.commands import (
    Accepted,
    Asked,
    Dialect,
    Position,
    PressTimer,
    Refused,
    StartTimer,
    StillWaiting,
)
from services.command_api.desk.follow_up import short_digest
from services.command_api.desk.rows import IntervalRow, TimerRow
from services.command_api.dialects.jsontext import seconds, written
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.reading import Verb
from services.command_api.dialects.native.sentences import detail
from services.command_api.dialects.reasons import READERS_PRESS_NOTHING, sentence
from services.command_api.dialects.times import rfc3339
from shared.events.durations import total_minutes
from shared.events.ids import to_long
from shared.events.outcome import State, TimerAfter
from shared.events.rule_table import row_of
from shared.events.rules import Rule
from shared.process.http.problem import PROBLEM, problem_of

TIMERS_PATH: Final = "/v1/timers"
OUTCOMES_PATH: Final = "/v1/outcomes"

_JSON: Final = "application/json"
_PRESSED: Final[Mapping[Verb, str]] = {"pause": "paused", "resume": "resumed", "stop": "stopped"}


def created(timer: TimerAfter, position: Position) -> Response:
    """Answer a start with the timer as judged."""
    body = _timer(timer, str(position))
    return Response(written(body), 201, {"Location": f"{TIMERS_PATH}/{body['id']}"}, _JSON)


def pressed(timer: TimerAfter, position: Position) -> Response:
    """Answer a pause, a resume or a stop with the timer as judged."""
    return Response(written(_timer(timer, str(position))), 200, media_type=_JSON)


def read(row: TimerRow) -> Response:
    """Answer with one timer as the read model has it, with its texts and intervals."""
    body = _with_texts(row) | {"intervals": list(map(_interval, row.intervals))}
    return Response(written(body), 200, media_type=_JSON)


def listed(page: Sequence[TimerRow], next_cursor: str | None) -> Response:
    """Answer with a page of timers, each with its texts."""
    body = {"items": list(map(_with_texts, page)), "next_cursor": next_cursor}
    return Response(written(body), 200, media_type=_JSON)


def recorded(waiting: StillWaiting) -> Response:
    """Answer 202: recorded but not judged yet. `Location` is where the outcome will be."""
    location = f"{OUTCOMES_PATH}/{waiting.event_id}?at={waiting.position}&digest={short_digest(waiting.digest)}"
    body = {"event_id": str(waiting.event_id), "position": str(waiting.position)}
    return Response(written(body), 202, {"Location": location, "Retry-After": "1"}, _JSON)


def outcome(body: str) -> Response:
    """Answer with an outcome, as it was stored."""
    return Response(body, 200, media_type=_JSON)


def not_yet() -> Response:
    """Answer 202: the projector has not reached the press yet."""
    return Response(written({"status": "not_judged_yet"}), 202, {"Retry-After": "1"}, _JSON)


def _with_texts(row: TimerRow) -> dict[str, object]:
    return _timer(row, row.position) | {"comment": row.comment, "work_item": row.work_item}


def _timer(timer: TimerAfter | TimerRow, position: str) -> dict[str, object]:
    return {
        "id": to_long(timer.id),
        "timelog_id": str(timer.id),
        "owner": timer.owner,
        "account_id": timer.account_id,
        "job_id": timer.job_id,
        "project_id": timer.project_id,
        "billable": timer.billable,
        "work_date": timer.work_date,
        "reference": timer.reference,
        "state": timer.state,
        "started_at": moment(timer.started_at),
        "stopped_at": moment(timer.stopped_at),
        "total_seconds": seconds(timer.total_us),
        "total_minutes": str(total_minutes(timer.total_us)),
        "flags": timer.flags,
        "position": position,
    }


def _interval(interval: IntervalRow) -> dict[str, object]:
    bounds: dict[str, object] = {"start": moment(interval.start_at), "end": moment(interval.end_at)}
    return bounds if interval.reason is None else bounds | {"reason": interval.reason}


def moment(at: datetime | None) -> str | None:
    """Return a moment as answers write it, or None."""
    return None if at is None else rfc3339(at)


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


def cannot_be(verb: Verb, state: State) -> str:
    """Say which press a timer's state does not allow (R07)."""
    return f"A {state} timer cannot be {_PRESSED[verb]}."


def problem(status: int, detail: str, rule: Rule | None, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem (RFC 9457)."""
    return Response(written(problem_of(status, detail, rule)), status, headers, PROBLEM)


@dataclass(frozen=True, slots=True)
class Words:
    """The answers of dialect C."""

    dialect: Dialect = "native"

    def malformed(self, problem: Malformed) -> Response:
        """Answer a malformed request."""
        return refused(problem.rule, detail(problem))

    def refused(self, rule: Rule) -> Response:
        """Answer a refusal by a rule."""
        return refused(rule)

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503; a retry with the same Idempotency-Key is safe."""
        return problem(503, "Please try again.", None, {"Retry-After": str(retry_after_seconds)})

    def over_quota(self, retry_after_seconds: int) -> Response:
        """Answer a client that has made too many requests."""
        rule = Rule.RATE_LIMITED
        return problem(status_of(rule), sentence(rule), rule, {"Retry-After": str(retry_after_seconds)})

    def for_readers(self) -> Response:
        """Answer a reader that presses."""
        return refused(Rule.NOT_THE_OWNER, READERS_PRESS_NOTHING)

    def accepted(self, asked: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""
        answer = created if isinstance(asked.command, StartTimer) else pressed
        return answer(accepted.timer, accepted.position)

    def refused_press(self, asked: Asked, judged: Refused) -> Response:
        """Answer a press that was judged and refused. Where the timer's state is the reason, it is named."""
        if judged.rule is Rule.NOT_LEGAL_NOW and judged.state is not None and isinstance(asked.command, PressTimer):
            return refused(judged.rule, cannot_be(asked.command.verb, judged.state))
        return refused(judged.rule)

    def waiting(self, _: Asked, waiting: StillWaiting) -> Response:
        """Answer a press that was not judged in time."""
        return recorded(waiting)


WORDS: Final = Words()
