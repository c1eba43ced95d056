"""The lines that README and docs/http.md ask a newcomer to paste, run as they stand, against running services."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from deploy.local.settings import ROOT
from services.stint_cli.env_file import write_env
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Tenant

# Times, ids and sums differ from run to run.
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_SHOWN = re.compile(r"```text\n(\{.*?)```", re.DOTALL)
_ANSWER = re.compile(r"#  ?([^\n:]+)(?::[^\n]*)?$", re.MULTILINE)


def lines_of(page: str) -> str:
    """Return what a page asks to paste, but for the first clone, what runs until Ctrl-C, and the operator's commands.

    Those are tried in tests/integration/test_operator_commands.py.
    """
    blocks = _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    elsewhere = ("git clone", "asyncio.run", ".venv/bin/stint")
    return "\n".join(block for block in blocks if not any(words in block for words in elsewhere))


@pytest.fixture
async def folder(api: Api, deployment: Deployment, tenant: Tenant, tmp_path: Path) -> Path:
    """Give a folder with the credentials that a local stack writes into its own."""
    person = await deployment.person(tenant, "dana")
    values = {
        "STINT_URL": str(api.http.base_url).rstrip("/"),
        "STINT_CLIENT_ID": tenant.client,
        "STINT_CLIENT_SECRET": tenant.secret,
        "STINT_TOKEN": tenant.token,
        "STINT_OWNER": person.owner,
        "STINT_ZOHO_TOKEN": person.token,
        "STINT_KAFKA": deployment.kafka.bootstrap_servers,
    }
    write_env(tmp_path / ".stint" / "demo.env", values, "credentials")
    return tmp_path


async def pasted(lines: str, folder: Path) -> list[str]:
    """Return what a shell prints."""
    if shutil.which("curl") is None:
        pytest.skip("the lines are for curl, and this machine has none")
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-eu",
        "-c",
        lines,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await shell.communicate()
    assert shell.returncode == 0, said.decode()
    return said.decode().splitlines()


async def test_the_session_on_the_first_screen_answers_as_it_says(folder: Path) -> None:
    lines = lines_of("README.md")
    answers = [answer.strip() for answer in _ANSWER.findall(lines)]
    assert len(answers) > 4
    said = await pasted(lines, folder)
    assert said[: len(answers)] == answers
    assert _in_order(_pieces_of_the_shown_answer(), re.sub(_NUMBER, "#", said[len(answers)]))


def test_an_answer_of_another_shape_is_noticed() -> None:
    """The control: a member that is shown and not answered, and two in another order."""
    pieces = _pieces_of_the_shown_answer()
    assert _in_order(pieces, "".join(pieces))
    assert not _in_order(pieces, "".join(pieces).replace('"state"', '"mood"'))
    assert not _in_order(pieces, "".join(reversed(pieces)))


def _pieces_of_the_shown_answer() -> list[str]:
    """Return what the page shows of the last answer, without its numbers, cut where it leaves something out."""
    (shown,) = _SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return re.sub(_NUMBER, "#", shown.replace("…", " ")).split()


def _in_order(pieces: list[str], text: str) -> bool:
    for piece in pieces:
        _, found, text = text.partition(piece)
        if not found:
            return False
    return True


async def test_the_program_that_presses_through_kafka_prints_a_verdict(folder: Path, tenant: Tenant) -> None:
    (program,) = [
        block for block in _BLOCK.findall((ROOT / "docs/http.md").read_text(encoding="utf-8")) if "ce_type" in block
    ]
    here = program.replace(".venv/bin/python", sys.executable).replace('"demo"', f'"{tenant.name}"')
    (said,) = await pasted(here, folder)
    assert re.fullmatch(r"accepted RUNNING [0-9]{18,19}", said)


async def test_the_lines_of_each_dialect_work_as_they_stand(folder: Path) -> None:
    said = "\n".join(await pasted(lines_of("docs/http.md"), folder))
    for answer in ("access_token", "total_minuets", "Timer Paused successfully", "ridge tiles", "STOPPED"):
        assert answer in said
    assert "error" not in said.lower()
    assert "problem" not in said
