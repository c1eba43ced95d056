"""What a newcomer reads when all is up says how it ends: Ctrl-C only where there is a terminal that it reaches."""

import pytest

from deploy.local import welcome
from deploy.local.settings import Settings

CTRL_C, DOWN = "Ctrl-C ends everything", "`make down` ends everything"


def test_a_stack_is_ended_by_what_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `make up` cannot know whether the first one has a terminal; `make down` ends either."""
    monkeypatch.delenv("STINT_DETACHED", raising=False)
    assert CTRL_C in welcome.text(Settings())
    assert DOWN in welcome.text(Settings(), detached=True)
    monkeypatch.setenv("STINT_DETACHED", "1")
    assert DOWN in welcome.text(Settings())
