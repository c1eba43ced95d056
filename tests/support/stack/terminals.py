"""A terminal: operators' commands, run as a shell would run them, against the deployment of the tests."""

import asyncio
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.stint_cli.__main__ import main
from tests.support.stack.deployments import TOKEN_KEY, Deployment


@dataclass
class Terminal:
    """Runs commands, and keeps what they say. `folder` is empty at first."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def stand_at(self, deployment: Deployment) -> None:
        """Let the commands find this deployment."""
        said = {
            "KAFKA_BOOTSTRAP_SERVERS": deployment.stack.kafka.address,
            "POSTGRES_DSN": deployment.dsn,
            "TOKEN_KEY": TOKEN_KEY,
            "HTTP_URL": "http://127.0.0.1:1",
        }
        for name, value in said.items():
            self.monkeypatch.setenv(f"STINT_CLI_{name}", value)
        self.monkeypatch.setenv("LOGNAME", "avi")

    async def run(self, *argv: str, stdin: object = None) -> tuple[int, str, str]:
        """Return the exit status, stdout and stderr of `stint …`."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(stdin)))
        self.capsys.readouterr()
        # In a thread, because a command runs a loop of its own.
        status = await asyncio.to_thread(main, argv)
        said = self.capsys.readouterr()
        return status, said.out, said.err

    async def json(self, *argv: str, stdin: object = None, status: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Return what a command prints with `--json`, after it ended with `status`."""
        ended, out, err = await self.run(*argv, "--json", stdin=stdin)
        assert (ended, err) == (status, "")
        return json.loads(out)
