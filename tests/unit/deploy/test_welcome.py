"""What a newcomer reads when all is up says how it ends: Ctrl-C only where there is a terminal that it reaches."""

import re

import pytest

from deploy.local import welcome
from deploy.local.settings import ROOT, Settings

CTRL_C, DOWN = "Ctrl-C ends everything", "`make down` ends everything"


def test_a_stack_is_ended_by_what_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `make up` cannot know whether the first one has a terminal; `make down` ends either."""
    monkeypatch.delenv("STINT_DETACHED", raising=False)
    assert CTRL_C in welcome.text(Settings())
    assert DOWN in welcome.text(Settings(), detached=True)
    monkeypatch.setenv("STINT_DETACHED", "1")
    assert DOWN in welcome.text(Settings())


def test_the_function_of_the_lines_is_that_of_the_pages() -> None:
    """It says what is wrong with a token, or that nothing answers. tests/contract/test_pages.py runs it."""
    said = " ".join(welcome.text(Settings()).split())
    for page in ("README.md", "docs/http.md"):
        [function] = re.findall(r"(?ms)^field\(\) \{.*?; \}$", (ROOT / page).read_text(encoding="utf-8"))
        assert " ".join(function.split()) in said
