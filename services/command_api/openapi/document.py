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
    for told in operations:
        paths.setdefault(told.path, {})[told.method.lower()] = _operation(told, schemas, answers)
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
            {"name": name, "x-displayName": heading, "description": says} for name, (heading, says) in _TAGS.items()
        ],
        "paths": paths,
        "components": components,
    }


def _operation(told: OperationDoc, schemas: Schemas, answers: dict[str, Schema]) -> dict[str, Any]:
    said: dict[str, Any] = {"operationId": told.id, "tags": [told.tag], "summary": told.summary}
    if told.says:
        said["description"] = told.says
    if told.parameters:
        said["parameters"] = [_parameter(parameter) for parameter in told.parameters]
    if told.bodies:
        contents = _contents(told.bodies, schemas, "validation")
        said["requestBody"] = {"required": told.body_required, "content": contents}
    said["responses"] = {str(answer.status): _referred(answer, schemas, answers) for answer in told.answers}
    said["security"] = [{name: []} for name in told.security]
    return said


def _parameter(told: ParameterDoc) -> dict[str, Any]:
    said: dict[str, Any] = {"name": told.name, "in": told.place, "description": told.says, "schema": told.schema}
    if told.required:
        said["required"] = True
    return said if told.example is None else said | {"example": told.example}


def _referred(told: AnswerDoc, schemas: Schemas, answers: dict[str, Schema]) -> dict[str, Any]:
    answer = _answer(told, schemas)
    if told.name is None:
        return answer
    if answers.setdefault(told.name, answer) != answer:
        raise ValueError(f"two answers are called {told.name}: give one of them another name")
    return {"$ref": f"#/components/responses/{told.name}"}


def _answer(told: AnswerDoc, schemas: Schemas) -> dict[str, Any]:
    said: dict[str, Any] = {"description": told.says or HTTPStatus(told.status).phrase}
    if told.headers or told.may_have:
        always = {name: _header(name) | {"required": True} for name in told.headers}
        said["headers"] = always | {name: _header(name) for name in told.may_have}
    if told.contents:
        said["content"] = _contents(told.contents, schemas, "serialization")
    return said


def _header(name: str) -> dict[str, Any]:
    says, schema = HEADERS[name]
    return {"description": says, "schema": schema}


def _contents(told: tuple[ContentDoc, ...], schemas: Schemas, mode: JsonSchemaMode) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for media in dict.fromkeys(content.media for content in told):
        of_media = [content for content in told if content.media == media]
        found = [schemas.of(content, mode) for content in of_media]
        said[media] = {"schema": found[0] if len(found) == 1 else {"anyOf": found}}
        examples = {content.name: {"value": content.example} for content in of_media if content.example is not None}
        if examples:
            said[media]["examples"] = examples
    return said
