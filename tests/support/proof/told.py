"""What the OpenAPI document says of an answer: a status, a media type, and a closed shape of its body."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx2 as httpx
import jsonschema_rs

from services.command_api.openapi.document import document

_LINES: Final = "application/x-ndjson"
_PLACE: Final = "#/components/schemas/"


def closed(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document whose answers may have told members only.

    What is promised to callers is open, because members may be added; with that, one that nobody told would pass.
    """
    strict = copy.deepcopy(dict(said))
    schemas = strict["components"]["schemas"]
    answers = [one["responses"] for item in strict["paths"].values() for one in item.values()]
    waiting = set(_named([*answers, strict["components"]["responses"]]))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        if "properties" in schemas[name]:
            schemas[name]["additionalProperties"] = False
        waiting |= set(_named(schemas[name])) - seen
    return strict


def _named(part: object) -> Iterator[str]:
    """Return the names of all schemas that a part of a document refers to."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_PLACE):
            yield reference.removeprefix(_PLACE)
        for inner in part.values():
            yield from _named(inner)
    if isinstance(part, list):
        for inner in part:
            yield from _named(inner)


class TruthOfAnswers:
    """Compares answers with a document."""

    def __init__(self, said: Mapping[str, Any] | None = None) -> None:
        self._said = closed(document() if said is None else said)
        # A path without parameters goes before one that has some, as the routes do.
        paths = sorted(self._said["paths"], key=lambda path: path.count("{"))
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    def problem(self, request: httpx.Request, response: httpx.Response) -> str | None:
        """Return what the document does not say of an answer that was read, or None. It says nothing of other calls."""
        path = request.url.raw_path.decode().partition("?")[0]
        operation = self._operation(request.method.lower(), path)
        if operation is None:
            return None
        called = operation["operationId"]
        answer = operation["responses"].get(str(response.status_code))
        if answer is None:
            return f"{called}: {response.status_code} is not told"
        if "$ref" in answer:
            answer = self._said["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        missing = sorted(
            name
            for name, header in answer.get("headers", {}).items()
            if header.get("required") and name not in response.headers
        )
        if missing:
            return f"{called}: {response.status_code} has no {', '.join(missing)}"
        return self._problem_of_body(f"{called}: {response.status_code}", answer.get("content", {}), response)

    def called(self, method: str, target: str) -> str | None:
        """Return the `operationId` of a request, or None when the document does not tell it."""
        operation = self._operation(method.lower(), target.partition("?")[0])
        return operation and str(operation["operationId"])

    def _operation(self, method: str, path: str) -> Any:  # noqa: ANN401 - JSON
        if "%2f" in path.lower():
            return None  # no route sees it
        for pattern, told in self._paths:
            if pattern.fullmatch(path) and method in self._said["paths"][told]:
                return self._said["paths"][told][method]
        return None

    def _problem_of_body(self, where: str, contents: Mapping[str, Any], response: httpx.Response) -> str | None:
        if not contents:
            return f"{where} has a body" if response.content else None
        media = response.headers.get("content-type", "").partition(";")[0]
        if media not in contents:
            return f"{where} is {media or 'of no type'}, which is not told"
        if not media.endswith("json"):
            return None
        schema = contents[media]["schema"] | {"components": self._said["components"]}
        # Of JSON lines, the schema is that of one line.
        said = [json.loads(line) for line in response.content.splitlines()] if media == _LINES else [response.json()]
        wrong = [
            f"{error.instance_path}: {error.message}"
            for each in said
            for error in jsonschema_rs.iter_errors(schema, each)
        ]
        return f"{where}: {'; '.join(wrong)}" if wrong else None
