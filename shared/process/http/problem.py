"""Problems: errors as RFC 9457 has them. All processes that answer under `/v1` word them alike."""

from http import HTTPStatus
from typing import Final

from shared.events.rules import Rule

PROBLEM: Final = "application/problem+json"


def problem_of(status: int, detail: str, rule: Rule | None = None) -> dict[str, object]:
    """Return the members of a problem, in their order. Its type is the broken rule; without one the status says all."""
    return {
        "type": "about:blank" if rule is None else f"tag:stint.invalid,2026:rule/{rule.value}",
        "title": HTTPStatus(status).phrase if rule is None else rule.reason,
        "status": int(status),
        "detail": detail,
        "rule": None if rule is None else rule.value,
    }
