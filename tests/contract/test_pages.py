"""The lines that README and docs/http.md ask a newcomer to paste, run as they stand, against running services."""

import asyncio
import os
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.settings import ROOT
from services.stint_cli.tenants import issue_bearer_token
from services.stint_cli.terminal.env_file import read_env, write_env
from tests.support.stack.api import Api
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Tenant

# Times, ids and sums differ from run to run.
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# An answer that a page shows: JSON or XML, and no request above it.
_SHOWN = re.compile(r"```(?:text|json|xml)\n([{<].*?)```", re.DOTALL)
_ANSWER = re.compile(r"#  ?([^\n:]+)(?::[^\n]*)?$", re.MULTILINE)


def lines_of(page: str) -> str:
    """Return what a page asks to paste, but for the first clone, what runs until Ctrl-C, and the operator's commands.

    Those are tried in tests/integration/test_operator_commands.py.
    """
    blocks = _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    elsewhere = ("git clone", "asyncio.run", ".venv/bin/stint")
    return "\n".join(block for block in blocks if not any(words in block for words in elsewhere))


@pytest.fixture
async def reader(api: Api, deployment: Deployment) -> Tenant:
    """Give each test a tenant of its own, because one page sets rules, and shows all that was flagged."""
    made = await deployment.tenant()
    await api.knows(made)
    return made


@pytest.fixture
async def folder(api: Api, deployment: Deployment, reader: Tenant, tmp_path: Path) -> Path:
    """Give a folder with the credentials that a local stack writes into its own."""
    person = await deployment.person(reader, "dana")
    now = datetime.now(UTC)
    admin = issue_bearer_token(TOKEN_KEY, reader.name, "office", now, timedelta(hours=1), "admin")
    deployment.handed_out.add(admin)
    values = {
        "STINT_URL": str(api.http.base_url).rstrip("/"),
        "STINT_CLIENT_ID": reader.client,
        "STINT_CLIENT_SECRET": reader.secret,
        "STINT_TOKEN": reader.token,
        "STINT_ADMIN_TOKEN": admin,
        "STINT_OWNER": person.owner,
        "STINT_ZOHO_TOKEN": person.token,
        "STINT_KAFKA": deployment.kafka.bootstrap_servers,
    }
    write_env(tmp_path / ".stint" / "demo.env", values, "credentials")
    return tmp_path


async def pasted(lines: str, folder: Path, *, goes_on: bool = False) -> list[str]:
    """Return what a shell prints. It ends at the first error, unless it `goes_on` as a person's own shell does."""
    if shutil.which("curl") is None:
        pytest.skip("the lines are for curl, and this machine has none")
    shell = await asyncio.create_subprocess_exec(
        "bash",
        *(() if goes_on else ("-eu",)),
        "-c",
        lines,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await shell.communicate()
    assert goes_on or shell.returncode == 0, said.decode()
    return said.decode().splitlines()


async def test_the_session_on_the_first_screen_answers_as_it_says(folder: Path) -> None:
    lines = lines_of("README.md")
    answers = [answer.strip() for answer in _ANSWER.findall(lines)]
    assert len(answers) > 4
    said = await pasted(lines, folder)
    assert said[: len(answers)] == answers
    (pieces,) = _pieces_shown("README.md")
    assert _in_order(pieces, re.sub(_NUMBER, "#", said[len(answers)]))


@pytest.mark.parametrize("page", ["README.md", "docs/http.md"])
async def test_a_token_that_is_not_good_is_said_in_the_words_of_the_api(page: str, folder: Path) -> None:
    """Pasted into a shell that goes on after an error. The first press says it, and nobody reads Python's words."""
    file = folder / ".stint" / "demo.env"
    write_env(file, read_env(file) | {"STINT_TOKEN": "old"}, "credentials")
    (said,) = await pasted(_until_the_first_id(page), folder, goes_on=True)
    # Dialect A, with which the second page begins, has its sentence in a member of another name: all is shown.
    assert "The access token is missing, unknown or expired." in said


@pytest.mark.parametrize("page", ["README.md", "docs/http.md"])
async def test_a_stack_that_is_down_is_said_in_the_words_of_curl(page: str, folder: Path) -> None:
    file = folder / ".stint" / "demo.env"
    write_env(file, read_env(file) | {"STINT_URL": "http://127.0.0.1:1"}, "credentials")
    said = await pasted(_until_the_first_id(page), folder, goes_on=True)
    assert said[-1] == "no answer"
    assert "Traceback" not in "\n".join(said)
    assert re.match(r"curl: \(7\) Failed to connect to 127\.0\.0\.1 port 1 ", said[-2])


def _until_the_first_id(page: str) -> str:
    """Return a page's lines up to the first that starts a timer, without what asks for a token by a secret."""
    lines = lines_of(page).splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith("| field id)"))
    return "\n".join(line for line in lines[: at + 1] if "/oauth/token" not in line)


def test_an_answer_of_another_shape_is_noticed() -> None:
    """The control: a member that is shown and not answered, and two in another order."""
    (pieces,) = _pieces_shown("README.md")
    assert _in_order(pieces, "".join(pieces))
    assert not _in_order(pieces, "".join(pieces).replace('"state"', '"mood"'))
    assert not _in_order(pieces, "".join(reversed(pieces)))


def _pieces_shown(page: str) -> list[list[str]]:
    """Return each answer that a page shows, without its numbers, cut where it leaves something out."""
    shown = _SHOWN.findall((ROOT / page).read_text(encoding="utf-8"))
    return [re.sub(_NUMBER, "#", one.replace("…", " ")).split() for one in shown]


def _in_order(pieces: list[str], text: str) -> bool:
    for piece in pieces:
        _, found, text = text.partition(piece)
        if not found:
            return False
    return True


async def test_the_program_that_presses_through_kafka_prints_a_verdict(folder: Path, reader: Tenant) -> None:
    (program,) = [
        block for block in _BLOCK.findall((ROOT / "docs/http.md").read_text(encoding="utf-8")) if "ce_type" in block
    ]
    here = program.replace(".venv/bin/python", sys.executable).replace('"demo"', f'"{reader.name}"')
    (said,) = await pasted(here, folder)
    assert re.fullmatch(r"accepted RUNNING [0-9]{18,19}", said)


async def test_the_lines_of_each_dialect_work_as_they_stand(folder: Path) -> None:
    said = "\n".join(await pasted(lines_of("docs/http.md"), folder))
    for answer in ("access_token", "total_minuets", "Timer Paused successfully", "ridge tiles", "STOPPED"):
        assert answer in said
    # The demo's first policy is set by the command that makes the demo.
    heard = re.sub(_NUMBER, "#", said.replace('"set_by":"tests"', '"set_by":"stint demo"'))
    shown = _pieces_shown("docs/http.md")
    assert len(shown) == 4
    assert [pieces for pieces in shown if not _in_order(pieces, heard)] == []
    assert "error" not in said.lower()
    assert "problem" not in said
