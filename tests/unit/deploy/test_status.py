"""What `make status` says of a folder in which nothing runs, and in which a supervisor has died."""

import os
from pathlib import Path

import pytest

from deploy.local.__main__ import status
from deploy.local.identity import Identity
from deploy.local.settings import Settings


def test_where_nothing_runs_the_last_line_says_so_and_what_starts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status(Settings(home=tmp_path))
    *parts, last = capsys.readouterr().out.splitlines()
    assert ["does not run" in line for line in parts] == [True] * 5
    assert last == "Nothing runs here: `make up` starts all of it, `make run` does so in the foreground."


def test_parts_without_a_supervisor_are_not_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(home=tmp_path)
    settings.run.mkdir()
    Identity.mine().write(settings.run / "kafka.pid")
    status(settings)
    said = capsys.readouterr().out.splitlines()
    assert f"runs, pid {os.getpid()}, port {settings.kafka_port}" in said[3]
    assert said[-1] == "Their supervisor is gone: `make down` ends them, `make up` starts anew."
