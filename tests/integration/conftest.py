"""What several of these files need: a patient client, a terminal, and a database with a million timers."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.million import filled
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment
from tests.support.stack.patient import Patient
from tests.support.stack.terminals import Terminal


@pytest.fixture
def api(api: Api) -> Patient:
    """Give the same client, which waits longer for a verdict: a test reads it in the answer."""
    return Patient(api.http, api.token)


@pytest.fixture
def terminal(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Terminal:
    """Give a terminal at which commands find the shared stack."""
    terminal = Terminal(capsys, monkeypatch, tmp_path)
    terminal.stand_at(deployment)
    return terminal


@pytest.fixture(scope="session")
async def million(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a database with a million timers."""
    conn = await filled(deployment)
    yield conn
    await conn.close()
