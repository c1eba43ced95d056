"""Policy documents as people write them: read strictly, and all mistakes told by path and by what may stand there.

Readers of the topic are lenient (`book`); a document that is about to be set is not. What a field may be comes
from the schema of `Policy`, so a new field needs no line here.

Safe to change: the sentences. With care: what is refused. Never: a document that says something else than its text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.events.base import is_writable
from shared.events.policy import Policy

REPLACES: Final = "replaces"

_Path = tuple[str | int, ...]

_POLICY: Final = TypeAdapter(Policy)
_SCHEMA: Final[Mapping[str, Any]] = _POLICY.json_schema()
# What an answer of ours adds to a document. A caller that sends it back has to name the revision that it replaces.
_ADDED: Final = frozenset({"revision", "set_by", "set_at"})
_PATH_LENGTH_MAX: Final = 100
_SENTENCES_MAX: Final = 20
# The kinds of problem whose own message says it better than the schema, because a validator of ours wrote it.
_OURS: Final = frozenset({"value_error", "zone_unknown"})
_PATTERNED: Final = {"zone": "a zone such as Asia/Jerusalem"}


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a document cannot be set: each sentence begins with a field's path. `is_missing`: the first is not there."""

    sentence: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document to be set, and the revision that it replaces, as far as it says so (None: it is to be the first)."""

    document: Policy
    replaces: int | None
    says_replaces: bool


def read_proposal(value: object) -> Proposal | Unfit:
    """Return what a JSON value proposes: a document, perhaps with `replaces`; or all that is wrong."""
    if not isinstance(value, dict):
        return Unfit("The policy may be an object.")
    mistakes = [
        Unfit(f"{name}: is added by GET. Leave it out, and say in {REPLACES} which revision you replace.")
        for name in sorted(_ADDED & value.keys())
    ]
    replaces = value.get(REPLACES)
    if replaces is not None and (type(replaces) is not int or replaces < 0):
        mistakes.append(Unfit(f"{REPLACES}: may be a revision, or null for a tenant's first policy."))
    document = _read({name: member for name, member in value.items() if name not in {REPLACES, *_ADDED}})
    if isinstance(document, list):
        return _together([*mistakes, *document])
    return _together(mistakes) if mistakes else Proposal(document, replaces, REPLACES in value)


def _read(value: Mapping[str, object]) -> Policy | list[Unfit]:
    """Return the document that may be set, or each mistake in it."""
    mistakes: dict[_Path, Unfit] = {}
    document: Policy | None = None
    try:
        document = _POLICY.validate_python(value)
    except ValidationError as error:
        for problem in [*_problems_of(error), *_strict_problems(value)]:
            mistakes.setdefault(problem["loc"], _sentence_of(problem))
    else:
        # Pydantic reads "28800", 1 and 28800.0 as numbers or booleans, and other readers of the same text do not.
        mistakes |= {
            path: Unfit(f"{_path_text(path)}: {_may_be(path)}.") for path in _differences(value, as_written(document))
        }
    for path in _unstorable(value):
        unstorable = Unfit(f"{_path_text(path)}: may be a text without U+0000 and without half of a surrogate pair.")
        mistakes.setdefault(path, unstorable)
    if document is None or mistakes:
        return list(mistakes.values())
    return [Unfit(f"{why}.") for why in document.unfit] or document


def _together(mistakes: Sequence[Unfit]) -> Unfit:
    """Return all mistakes as one answer: what is missing first, and of a great many the first ones."""
    ordered = sorted(mistakes, key=lambda mistake: not mistake.is_missing)
    sentences = [mistake.sentence for mistake in ordered[:_SENTENCES_MAX]]
    if len(ordered) > _SENTENCES_MAX:
        sentences.append(f"And {len(ordered) - _SENTENCES_MAX} more.")
    return Unfit(" ".join(sentences), ordered[0].is_missing)


def as_written(document: Policy) -> dict[str, Any]:
    """Return a document as its author wrote it, in JSON: what was left out is the preset's."""
    written: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return written


def _sentence_of(problem: ErrorDetails) -> Unfit:
    path = problem["loc"]
    if problem["type"] == "missing":
        return Unfit(f"{_path_text(path)}: is mandatory; {_may_be(path)}.", is_missing=True)
    if problem["type"] == "extra_forbidden":
        return Unfit(f"{_path_text(path)}: is not known; {_path_text(path[:-1])} {_may_be(path[:-1])}.")
    if problem["type"] in _OURS:
        return Unfit(f"{_path_text(path)}: {problem['msg'].removeprefix('Value error, ')}.")
    return Unfit(f"{_path_text(path)}: {_may_be(path)}.")


def _path_text(path: Sequence[str | int]) -> str:
    # The name of an unknown field is the caller's own text, so it may be long.
    return ".".join(map(str, path))[:_PATH_LENGTH_MAX] or "a policy"


def _differences(given: object, read: object, path: _Path = ()) -> Iterator[_Path]:
    """Yield each path at which a document reads as another value than the one that was given."""
    if isinstance(given, dict) and isinstance(read, dict):
        for name, member in given.items():
            yield from _differences(member, read.get(name), (*path, name))
    elif isinstance(given, list) and isinstance(read, list):
        for at, (one, other) in enumerate(zip(given, read, strict=True)):
            yield from _differences(one, other, (*path, at))
    elif type(given) is not type(read) or given != read:
        yield path


def _unstorable(value: object, path: _Path = ()) -> Iterator[_Path]:
    """Yield the path of each text that Postgres cannot store."""
    if isinstance(value, str) and not is_writable(value):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _unstorable(member, (*path, name))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _unstorable(one, (*path, at))


def _problems_of(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_input=False, include_context=False, include_url=False)


def _strict_problems(value: Mapping[str, object]) -> list[ErrorDetails]:
    """Return what a reader that reads no text as a number would find, beside what every reader does."""
    try:
        _POLICY.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        # Without a path: the whole text is no JSON, because of half of a surrogate pair. And JSON has days as texts,
        # which a strict reader takes for no dates once a validator of ours has looked at them.
        return [problem for problem in _problems_of(error) if problem["loc"] and problem["type"] != "date_type"]
    return []


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
