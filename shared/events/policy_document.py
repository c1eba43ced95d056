"""Policy documents as people write them: read strictly, and each mistake told by its path and by what may stand there.

Readers of the topic are lenient (`policy_book`); a document that is about to be set is not. What a field may be comes
from the schema of `Policy`, so a new field needs no line here.

Safe to change: the sentences. With care: what is refused. Never: a document that says something else than its text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from .policy import Policy

REPLACES: Final = "replaces"

_POLICY: Final = TypeAdapter(Policy)
_SCHEMA: Final[Mapping[str, Any]] = _POLICY.json_schema()
# What an answer of ours adds to a document. Somebody who sends it back has to say which revision they replace.
_ADDED: Final = frozenset({"revision", "set_by", "set_at"})
_SPOKEN_PATH_MAX: Final = 100
# The kinds of problem whose own message says it better than the schema, because a validator of ours wrote it.
_OURS: Final = frozenset({"value_error", "zone_unknown"})
_PATTERNED: Final = {"zone": "a zone such as Asia/Jerusalem"}


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a document cannot be set: `sentence` begins with the field's path. `is_missing`: the field is not there."""

    sentence: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document to be set, and the revision that it replaces, as far as it says so (None: it is to be the first)."""

    document: Policy
    replaces: int | None
    says_replaces: bool


def read_proposal(said: object) -> Proposal | Unfit:
    """Return what a JSON value proposes: a document, perhaps with `replaces`; or the first thing that is wrong."""
    if not isinstance(said, dict):
        return Unfit("The policy may be an object.")
    for name in sorted(_ADDED & said.keys()):
        return Unfit(f"{name}: is added by GET. Leave it out, and say in {REPLACES} which revision you replace.")
    replaces = said.get(REPLACES)
    if replaces is not None and (type(replaces) is not int or replaces < 0):
        return Unfit(f"{REPLACES}: may be a revision, or null for a tenant's first policy.")
    document = read_document({name: value for name, value in said.items() if name != REPLACES})
    return document if isinstance(document, Unfit) else Proposal(document, replaces, REPLACES in said)


def read_document(said: Mapping[str, object]) -> Policy | Unfit:
    """Return the document that may be set, or the first thing that is wrong with it."""
    try:
        document = _POLICY.validate_python(said)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_context=False, include_url=False)
        return _told(min(problems, key=lambda problem: problem["type"] != "missing"))
    # Pydantic reads "28800", 1 and 28800.0 as numbers or booleans, and other readers of the same text do not.
    if (path := _difference(said, as_said(document), ())) is not None:
        return Unfit(f"{_spoken(path)}: {_may_be(path)}.")
    if (path := _unstorable(said, ())) is not None:
        return Unfit(f"{_spoken(path)}: may be a text without U+0000 and without half of a surrogate pair.")
    return document if document.unfit is None else Unfit(f"{document.unfit}.")


def as_said(document: Policy) -> dict[str, Any]:
    """Return a document as JSON has it, as far as its author said it: what was left out is the preset's."""
    said: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return said


def _told(problem: ErrorDetails) -> Unfit:
    path = problem["loc"]
    if problem["type"] == "missing":
        return Unfit(f"{_spoken(path)}: is mandatory; {_may_be(path)}.", is_missing=True)
    if problem["type"] == "extra_forbidden":
        return Unfit(f"{_spoken(path)}: is not known; {_spoken(path[:-1])} {_may_be(path[:-1])}.")
    if problem["type"] in _OURS:
        return Unfit(f"{_spoken(path)}: {problem['msg'].removeprefix('Value error, ')}.")
    return Unfit(f"{_spoken(path)}: {_may_be(path)}.")


def _spoken(path: Sequence[str | int]) -> str:
    # The name of an unknown field is the caller's own text, so it may be long.
    return ".".join(map(str, path))[:_SPOKEN_PATH_MAX] or "a policy"


def _difference(said: object, read: object, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Return the path at which a document reads as something else than what was said, or None."""
    if isinstance(said, dict) and isinstance(read, dict):
        inner = [(name, said[name], read.get(name)) for name in said]
    elif isinstance(said, list) and isinstance(read, list):
        inner = list(zip(range(len(said)), said, read, strict=True))
    else:
        return None if type(said) is type(read) and said == read else path
    return next(
        (found for at, one, other in inner if (found := _difference(one, other, (*path, at))) is not None), None
    )


def _unstorable(said: object, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Return the path of a text that Postgres cannot store, or None."""
    if isinstance(said, str):
        return path if re.search("[\x00\ud800-\udfff]", said) else None
    inner = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    return next((found for at, one in inner if (found := _unstorable(one, (*path, at))) is not None), None)


def _may_be(path: Sequence[str | int]) -> str:
    """Say in words what may stand at `path`."""
    schema = _SCHEMA
    for part in path:
        schema = _plain(schema)
        schema = schema["items"] if isinstance(part, int) else schema["properties"][part]
    return f"may {_in_words(_plain(schema), str(path[-1]) if path else '')}"


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference, or the one choice beside null, stands for."""
    if "anyOf" in schema:
        return _plain(next(choice for choice in schema["anyOf"] if choice.get("type") != "null"))
    if "$ref" in schema:
        return _plain(_SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    return schema


def _in_words(schema: Mapping[str, Any], name: str) -> str:
    match schema:
        case {"enum": words}:
            return f"be {', '.join(words)}"
        case {"type": "object", "properties": members}:
            return f"be an object with {', '.join(members)}"
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"be a whole number from {least} to {most}"
        case {"type": "string", "format": "date"}:
            return "be a day such as 2026-04-02"
        case {"type": kind}:
            kinds = {"array": "a list", "boolean": "true or false", "integer": "a whole number", "string": "a text"}
            return f"be {_PATTERNED.get(name) or kinds.get(kind, 'another value')}"
        case _:
            return "be another value"
