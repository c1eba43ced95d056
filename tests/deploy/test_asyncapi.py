"""docs/asyncapi.json is AsyncAPI 3.0.0 as its authors define it: their own JSON Schema is in tests/deploy/asyncapi."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest

from deploy.pages import asyncapi

Document = dict[str, Any]

_SCHEMA: Final = Path(__file__).with_name("asyncapi") / "3.0.0.json.gz"


@pytest.fixture(scope="module")
def theirs() -> Any:  # noqa: ANN401 - jsonschema ships no types
    schema = json.loads(gzip.decompress(_SCHEMA.read_bytes()))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.fixture
def ours() -> Document:
    document: Document = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
    return document


def test_the_document_satisfies_asyncapis_own_schema(theirs: Any, ours: Document) -> None:  # noqa: ANN401
    assert [error.message[:200] for error in theirs.iter_errors(ours)] == []


def _binding(ours: Document) -> Document:
    found: Document = ours["channels"]["timer.events.v1"]["bindings"]["kafka"]
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda ours: ours.pop("info"), id="no info"),
        pytest.param(lambda ours: ours.update(asyncapi="3.1.0"), id="another version"),
        pytest.param(lambda ours: ours["operations"]["takeCommands"].update(action="get"), id="no such action"),
        pytest.param(
            lambda ours: ours["operations"]["takeCommands"]["reply"]["address"].update(location="reply_to"),
            id="no place of a message",
        ),
        pytest.param(lambda ours: ours["channels"]["timer.events.v1"].update(adress=""), id="a misspelt member"),
        pytest.param(lambda ours: _binding(ours).update(partitions=0), id="no partition"),
        pytest.param(lambda ours: _binding(ours).update(topicConfiuration={}), id="a misspelt binding"),
        pytest.param(
            lambda ours: ours["components"]["messages"]["timer.started.v1"]["payload"].update(type="objekt"),
            id="a payload of no type",
        ),
    ],
)
def test_a_document_that_is_none_is_noticed(
    theirs: Any,  # noqa: ANN401 - jsonschema ships no types
    ours: Document,
    spoil: Callable[[Document], object],
) -> None:
    """The control."""
    spoil(ours)
    assert not theirs.is_valid(ours)
