"""docs/openapi.json agrees with the code: `make pages` writes it anew."""

import pytest

from deploy.pages.openapi import PAGE
from services.command_api.openapi.document import document_text
from services.command_api.openapi.operations import common


def test_the_file_is_as_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == document_text()


def test_another_sentence_changes_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one sentence more, the test above would fail."""
    monkeypatch.setitem(common.HEADERS, "ETag", ("Another sentence.", {"type": "string"}))
    document_text.cache_clear()
    try:
        assert PAGE.read_text(encoding="utf-8") != document_text()
    finally:
        monkeypatch.undo()
        document_text.cache_clear()
