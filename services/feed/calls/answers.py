"""Answers: problems (RFC 9457), in the words of dialect C."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from shared.events.rule_table import row_of
from shared.events.rules import Rule
from shared.process.http.problem import PROBLEM, problem_of

RETRY: Final = {"Retry-After": "1"}


def problem(
    status: int, detail: str, *, rule: Rule | None = None, headers: Mapping[str, str] | None = None, **more: str
) -> Response:
    """Answer with a problem, and with `more` members of it."""
    body = json.dumps(problem_of(status, detail, rule) | more, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, PROBLEM)


def unknown_caller() -> Response:
    """Answer a request without a valid token."""
    row = row_of(Rule.TOKEN_UNKNOWN)
    return problem(row.native, row.sentence, rule=row.rule, headers={"WWW-Authenticate": "Bearer"})


def not_for_persons() -> Response:
    """Answer a person, who may read what is their own, and not a tenant's feed."""
    detail = "The feed tells of all owners: a client of the tenant reads it (role machine, reader or admin)."
    return problem(HTTPStatus.FORBIDDEN, detail, rule=Rule.NOT_THE_OWNER)


def malformed(detail: str) -> Response:
    """Answer a request that shows by itself what is wrong with it."""
    return problem(HTTPStatus.BAD_REQUEST, detail, rule=Rule.VALUE_INVALID)


def unavailable(detail: str = "Please try again.") -> Response:
    """Answer 503. Nothing is missed by it: the same position goes on."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=RETRY)


def too_many_of_tenant(readers_max: int) -> Response:
    """Answer a tenant that has as many readers as it may have."""
    detail = f"Your tenant has {readers_max} readers, which is the most at one time: end one of them."
    return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=RETRY)


def gone(begin: str) -> Response:
    """Answer a position that the window does not hold (any more), with the position where to begin anew."""
    detail = (
        "The feed does not reach back to this position. `after` of this answer is where it begins now; what lies "
        "between is on timer.outcomes.v1."
    )
    return problem(HTTPStatus.GONE, detail, after=begin)


def failed(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no call answered (404, 405, 500)."""
    return problem(status, HTTPStatus(status).phrase, headers=headers)
