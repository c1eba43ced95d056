"""What several of these files need: a terminal."""

from pathlib import Path

import pytest

from tests.support.stack.deployments import Deployment
from tests.support.stack.terminals import Terminal


@pytest.fixture
def terminal(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Terminal:
    """Give a terminal at which commands find the shared stack."""
    terminal = Terminal(capsys, monkeypatch, tmp_path)
    terminal.stand_at(deployment)
    return terminal
