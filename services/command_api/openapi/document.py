"""The document: all operations as OpenAPI 3.1. docs/openapi.json is what `make pages` makes of it.

A new call needs one `OperationDoc` in `operations`; nothing is listed here but the rooms that it may stand in.
"""

import json
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode

from services.command_api.openapi.operations import feed, lists, owners, policy, reports, timers
from services.command_api.openapi.operations.common import HEADERS
from services.command_api.openapi.operations.published import thebase, zoho
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc, Schema
from services.command_api.openapi.schemas import Schemas

OPERATIONS: Final[tuple[OperationDoc, ...]] = (
    *timers.OPERATIONS,
    *lists.OPERATIONS,
    *reports.OPERATIONS,
    *owners.OPERATIONS,
    *policy.OPERATIONS,
    *feed.OPERATIONS,
    *thebase.OPERATIONS,
    *zoho.OPERATIONS,
)

# The version of the product, as pyproject.toml has it.
VERSION: Final = "0.1.0"

_SAYS: Final = """\
People and machines press *start*, *pause*, *resume* and *stop*; Stint says how long they worked, on which local day,
and which rules they broke. Two published timer APIs are answered word for word, beside a `/v1` of our own.

A press is answered with its verdict. Send an `Idempotency-Key` with each: a retry with the same key and the same body
is always safe, for 30 days, and hears the first answer again.

Readers ignore members that they do not know, because a release may add some. An empty parameter of a query counts as
not given.
"""
# Each tag with its heading on the page. Generated clients have a module of the tag's name.
_TAGS: Final = {
    "timers": ("C: timers", "Dialect C, `/v1`: presses, and reading what became of them."),
    "reports": ("C: reports", "Worked seconds per local day, and findings."),
    "owners": ("C: owners", "What admins state about an owner, and what is known of one."),
    "policy": ("C: policy", "The tenant's rules, as numbered revisions."),
    "feed": ("C: the change feed", "The tenant's outcomes as they come, for programs that have no Kafka."),
    "thebase": ("A: TheBase CRM", "Dialect A, `/v2/timer`, as TheBase's CRM publishes it."),
    "zoho": (
        "B: Zoho People",
        "Dialect B, `/people/api/timetracker`, as Zoho People publishes it. `timer=stop` is a pause.",
    ),
}
_SECURITY: Final[dict[str, Schema]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A machine's token from `POST /oauth/token`, or a person's own.",
    },
    "zohoToken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Zoho-oauthtoken {token}`: the same tokens, as dialect B's clients send them.",
    },
    "client": {"type": "http", "scheme": "basic", "description": "A client's id and secret."},
}


@cache
def document_text() -> str:
    """Return the document as JSON, one member a line: the same bytes in each process of a release."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def document(operations: tuple[OperationDoc, ...] = OPERATIONS) -> dict[str, Any]:
    """Return the document of these operations."""
    schemas = Schemas()
    answers: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas, answers)
    components = {
        "schemas": dict(sorted(schemas.by_name.items())),
        "responses": dict(sorted(answers.items())),
        "securitySchemes": _SECURITY,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stint", "version": VERSION, "description": _SAYS},
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "x-displayName": heading, "description": description}
            for name, (heading, description) in _TAGS.items()
        ],
        "paths": paths,
        "components": components,
    }


def _operation(operation: OperationDoc, schemas: Schemas, answers: dict[str, Schema]) -> dict[str, Any]:
    members: dict[str, Any] = {"operationId": operation.id, "tags": [operation.tag], "summary": operation.summary}
    if operation.description:
        members["description"] = operation.description
    if operation.parameters:
        members["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.bodies:
        contents = _contents(operation.bodies, schemas, "validation")
        members["requestBody"] = {"required": operation.body_required, "content": contents}
    members["responses"] = {str(answer.status): _referred(answer, schemas, answers) for answer in operation.answers}
    members["security"] = [{name: []} for name in operation.security]
    return members


def _parameter(parameter: ParameterDoc) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if parameter.required:
        members["required"] = True
    return members if parameter.example is None else members | {"example": parameter.example}


def _referred(answer_doc: AnswerDoc, schemas: Schemas, answers: dict[str, Schema]) -> dict[str, Any]:
    answer = _answer(answer_doc, schemas)
    if answer_doc.name is None:
        return answer
    if answers.setdefault(answer_doc.name, answer) != answer:
        raise ValueError(f"two answers are called {answer_doc.name}: give one of them another name")
    return {"$ref": f"#/components/responses/{answer_doc.name}"}


def _answer(answer_doc: AnswerDoc, schemas: Schemas) -> dict[str, Any]:
    members: dict[str, Any] = {"description": answer_doc.description or HTTPStatus(answer_doc.status).phrase}
    if answer_doc.headers or answer_doc.may_have:
        always = {name: _header(name) | {"required": True} for name in answer_doc.headers}
        members["headers"] = always | {name: _header(name) for name in answer_doc.may_have}
    if answer_doc.contents:
        members["content"] = _contents(answer_doc.contents, schemas, "serialization")
    return members


def _header(name: str) -> dict[str, Any]:
    description, schema = HEADERS[name]
    return {"description": description, "schema": schema}


def _contents(docs: tuple[ContentDoc, ...], schemas: Schemas, mode: JsonSchemaMode) -> dict[str, Any]:
    by_media: dict[str, Any] = {}
    for media in dict.fromkeys(content.media for content in docs):
        of_media = [content for content in docs if content.media == media]
        found = [schemas.of(content, mode) for content in of_media]
        by_media[media] = {"schema": found[0] if len(found) == 1 else {"anyOf": found}}
        examples = {content.name: {"value": content.example} for content in of_media if content.example is not None}
        if examples:
            by_media[media]["examples"] = examples
    return by_media
