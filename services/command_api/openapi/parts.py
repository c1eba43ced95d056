"""The parts of an operation. Plain data: `document` turns it into OpenAPI.

A class here has the fields of the OpenAPI object that it becomes, and no others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ContentDoc:
    """A body of a request or an answer.

    `name` is what generated clients call its type. A schema in place of a model stands as it is, without a name.
    """

    name: str
    model: type[Any] | Schema
    example: Any = None
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class ParameterDoc:
    """A parameter of a path, a query or a header."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: Schema
    example: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class AnswerDoc:
    """One status that a call may answer with. `headers` are always there; `may_have` are those that may be missing.

    Both are names from `HEADERS` in `operations.common`.

    An answer with a `name` stands in the document once, and the calls refer to it.
    """

    status: int
    description: str
    contents: tuple[ContentDoc, ...] = ()
    headers: tuple[str, ...] = ()
    name: str | None = None
    may_have: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDoc:
    """One call: a method on a path. `path` is spelt as its route is."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    id: str
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[ParameterDoc, ...] = ()
    bodies: tuple[ContentDoc, ...] = ()
    # Whether a request without a body is malformed.
    body_required: bool = True
    answers: tuple[AnswerDoc, ...]
    # Names of security schemes, of which a request needs one. Empty: the call is open to all.
    security: tuple[str, ...]


HeaderDocs = Mapping[str, tuple[str, Schema]]
