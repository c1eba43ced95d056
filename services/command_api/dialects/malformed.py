"""Malformed: errors that the request alone shows, without any history. Such a request is not recorded."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, overload

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from shared.events.rules import Rule

ShapeRule = Literal[Rule.PARAMETER_MISSING, Rule.VALUE_INVALID, Rule.TEXT_TOO_LONG]

# The order in which the rules answer (docs/contract.md, section 6).
_IN_ORDER: Final[tuple[ShapeRule, ...]] = (Rule.PARAMETER_MISSING, Rule.VALUE_INVALID, Rule.TEXT_TOO_LONG)

_MISSING: Final = {"missing"}
# Anything else may be a text or a secret, or drive a terminal.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Malformed:
    """One parameter that is missing, invalid or too long. `parameter` is its published name, never the caller's text.

    `sentence` is for the dialects that answer in sentences, where it says more than "not valid". `members` are those
    that a body may have, where it has another: `unknown`, if that is a plain name.
    """

    rule: ShapeRule
    parameter: str
    sentence: str | None = None
    members: tuple[str, ...] | None = None
    unknown: str | None = None


def wrong(rule: ShapeRule, sentence: str | None = None) -> PydanticCustomError:
    """Return the error that a validator raises; the rule survives pydantic as the error's type."""
    return PydanticCustomError(rule.value, "does not pass", {"sentence": sentence})


def fault_in(read: object) -> Malformed | None:
    """Return what is wrong with a part of a request that was read, None when nothing is."""
    return read if isinstance(read, Malformed) else None


@overload
def first_of(problem: Malformed, /, *others: Malformed | None) -> Malformed: ...
@overload
def first_of(*problems: Malformed | None) -> Malformed | None: ...
def first_of(*problems: Malformed | None) -> Malformed | None:
    """Return the problem to answer with: the first rule in order, then as given. None: there is no problem."""
    there = [one for one in problems if one is not None]
    return min(there, key=lambda one: _IN_ORDER.index(one.rule)) if there else None


def first_problem(error: ValidationError, members: Iterable[str]) -> Malformed:
    """Return the problem to answer with: the first rule in order, then the first parameter.

    `members` are those that such a body may have.
    """
    problems = error.errors(include_input=False, include_url=False)
    return first_of(*(_problem(problem, members) for problem in problems))


def plain_name(name: object) -> str | None:
    """Return a name of the caller's that an answer may repeat: a known one, misspelt, looks like it. Else None."""
    return name if isinstance(name, str) and _PLAIN_NAME.fullmatch(name) else None


def _problem(problem: ErrorDetails, members: Iterable[str]) -> Malformed:
    if problem["type"] == "extra_forbidden":
        unknown = plain_name(problem["loc"][-1])
        return Malformed(Rule.VALUE_INVALID, "body", members=tuple(members), unknown=unknown)
    return Malformed(_rule_of(problem), _place(problem), problem.get("ctx", {}).get("sentence"))


def _rule_of(problem: ErrorDetails) -> ShapeRule:
    for rule in _IN_ORDER:
        if problem["type"] == rule.value:
            return rule
    return Rule.PARAMETER_MISSING if problem["type"] in _MISSING else Rule.VALUE_INVALID


def _place(problem: ErrorDetails) -> str:
    return str(problem["loc"][0]) if problem["loc"] else "body"
