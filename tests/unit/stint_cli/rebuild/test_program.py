"""The projector's program beside `stint rebuild`: what is believed of it, and what is said when it ends too early."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.stint_cli.rebuild.program import rebuilt
from services.stint_cli.settings import DeploymentSettings
from services.stint_cli.trouble import Trouble

STAGE = json.dumps({"stage": "fill", "done": 1, "total": 2})
STAYS = "What is filled stays: `stint rebuild --resume` goes on there."
LOGGED = json.dumps({"pid": 7, "event": "helper_started", "level": "info"})


Line = Mapping[str, Any]


async def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, hear: Callable[[Line], None] = lambda _: None
) -> dict[str, Any]:
    """Return the result of a program of these lines of shell, which stands in Python's place."""
    script = folder / "python"
    script.write_text("\n".join(["#!/bin/sh", *lines]))
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    settings = DeploymentSettings(
        kafka_bootstrap_servers="kafka:9092", postgres_dsn=SecretStr("postgresql://stint@postgres/stint")
    )
    return await rebuilt(settings, ["--keep-old"], hear)


def said(line: str) -> str:
    return f"echo '{line}'"


def complained(line: str) -> str:
    return f"echo '{line}' >&2"


async def test_progress_is_heard_and_the_result_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = [f'echo "$*" > {tmp_path}/asked', said(STAGE), complained(LOGGED), said('{"result": {"switched": true}}')]
    heard: list[Line] = []
    assert await run(tmp_path, monkeypatch, *program, hear=heard.append) == {"switched": True}
    assert heard == [json.loads(STAGE)]
    assert (tmp_path / "asked").read_text() == "-m services.projector rebuild --keep-old\n"


async def test_what_the_program_fails_on_is_told_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Trouble) as end:
        await run(tmp_path, monkeypatch, said(STAGE), complained("a trace"), said('{"failed": "Do this."}'), "exit 1")
    assert str(end.value) == "Do this."


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ([complained(LOGGED), "kill -9 $$"], "signal 9 ended it (Killed)"),
        ([complained(LOGGED), 'printf \'{"result": {"switc\'', "kill -9 $$"], "signal 9 ended it (Killed)"),
        ([complained("Traceback"), complained("MemoryError"), complained(LOGGED), "exit 1"], "MemoryError"),
        ([complained("A sentence."), "exit 1"], "A sentence"),
        ([complained(LOGGED), "exit 3"], "it said nothing, status 3"),
        ([], "it said nothing, status 0"),
    ],
    ids=["killed", "killed in a line", "a bug", "a sentence", "a log alone", "nothing"],
)
async def test_a_rebuild_that_ended_before_its_end_says_why_and_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: list[str], why: str
) -> None:
    """A line of its log is no reason. Before the first stage there is nothing that could be gone on with."""
    with pytest.raises(Trouble) as end:
        await run(tmp_path, monkeypatch, *program)
    assert str(end.value) == f"The rebuild ended before its end: {why}."
    with pytest.raises(Trouble) as end:
        await run(tmp_path, monkeypatch, said(STAGE), *program)
    assert str(end.value) == f"The rebuild ended before its end: {why}. {STAYS}"


@pytest.mark.parametrize("lines", [[], [said(STAGE)]], ids=["before its first stage", "in a stage"])
async def test_an_interrupted_rebuild_has_something_to_resume_from_its_first_stage_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    real, process = asyncio.create_subprocess_exec, list[asyncio.subprocess.Process]()

    async def started(*asked: str, **options: Any) -> asyncio.subprocess.Process:  # noqa: ANN401 - asyncio's own
        process.append(await real(*asked, **options))
        if not lines:
            _interrupt()
        return process[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    with pytest.raises(Trouble) as end:
        await run(tmp_path, monkeypatch, *lines, "exec sleep 60", hear=_interrupt)
    assert str(end.value) == f"Interrupted. {STAYS if lines else ''}".rstrip()
    assert process[0].returncode == -signal.SIGTERM


def _interrupt(*_: object) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
