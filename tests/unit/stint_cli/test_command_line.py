"""The command `stint`: help, JSON, exit statuses. What each command does is tested on real parts."""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from unittest.mock import AsyncMock, MagicMock

import asyncpg
import pytest
import typer

from services.stint_cli.__main__ import main
from services.stint_cli.rebuild import commands as rebuild
from services.stint_cli.run import COMMANDS
from services.stint_cli.terminal.app import app
from services.stint_cli.terminal.command import Answer, Listing, command
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import commands as watch


@pytest.fixture(autouse=True)
def _no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STINT_HOME", str(tmp_path))


def commands(made: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - typer's own
    """Yield every command as it is typed."""
    inner = getattr(made, "commands", None)
    if inner is None:
        yield path
        return
    for name, one in inner.items():
        yield from commands(one, (*path, name))


# Each room, imported by now, has hung its commands into `app`.
assert COMMANDS
EVERY = list(commands(typer.main.get_command(app)))


def of_the_contract() -> set[tuple[str, ...]]:
    """Return the commands in the first column of the table in section 10."""
    page = (Path(__file__).parents[3] / "docs/contract.md").read_text(encoding="utf-8")
    found: set[tuple[str, ...]] = set()
    for line in page.splitlines():
        if line.startswith("| `stint "):
            column = re.split(r"(?<!\\)\|", line)[1]
            for said in re.findall(r"`([^`]+)`", column):
                words = said.removeprefix("stint ").split()
                named = list(takewhile(lambda word: re.fullmatch(r"[a-z|\\-]+", word), words))
                one_of = named[-1].replace("\\", "").split("|")
                found |= {(*named[:-1], one) for one in one_of}
    return found


def test_the_commands_of_the_contract_are_there_and_no_others() -> None:
    assert of_the_contract() == set(EVERY)


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_an_example_and_speaks_json(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Example: stint {' '.join(path)}" in said
    assert "--json" in said


@pytest.mark.parametrize(
    "argv", [["drop"], ["policy"], ["policy", "get"], ["topics", "--partitions", "0"], ["migrate", "now"], ["demo"]]
)
def test_a_misused_command_ends_with_2_and_prints_nothing(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.out == "" or argv == ["policy"]  # which lists its commands
    assert said.err or argv == ["policy"]


def test_a_forgotten_setting_is_named_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("stint: settings: STINT_CLI_POSTGRES_DSN: Field required. `make up` starts a local stack")


POSTGRES: Final = {"STINT_CLI_POSTGRES_DSN": "postgresql://stint:secret@127.0.0.1:1/stint"}
KAFKA: Final = {"STINT_CLI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


@pytest.mark.parametrize(
    ("setting", "argv"),
    [
        (POSTGRES, ["migrate", "--json"]),
        (POSTGRES | KAFKA, ["audit"]),
        (POSTGRES | KAFKA, ["rebuild"]),
        (KAFKA, ["policy", "get", "acme", "--json"]),
        (KAFKA, ["dead-letters", "show", "3:42"]),
    ],
)
def test_a_part_that_is_away_is_one_line_and_ends_with_1(
    setting: dict[str, str], argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert main(argv) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), said.err[:7]) == ("", 1, "stint: ")
    assert said.err.endswith(" (`make up` starts a local one.)\n")
    assert "secret" not in said.err


@pytest.mark.parametrize(("argv", "module"), [(["audit"], watch), (["rebuild"], rebuild)])
def test_kafka_that_is_away_is_told_before_a_program_is_started(
    argv: list[str], module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program says it too, and cannot know of a local stack."""
    for name, value in (POSTGRES | KAFKA).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "opened", lambda _: nullcontext())
    assert main(argv) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("stint: Kafka refuses the connection at 127.0.0.1:1: ")
    assert said.err.endswith(" (`make up` starts a local one.)\n")


@pytest.mark.parametrize("argv", [["clients", "list", "acme"], ["tenants", "list"], ["outcomes", "show", "1:2"]])
def test_a_database_without_tables_is_said_with_the_command_that_makes_them(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def connect(*_: object, **__: object) -> AsyncMock:
        conn = AsyncMock()
        conn.transaction = MagicMock()
        for method in (conn.fetch, conn.fetchval, conn.fetchrow, conn.execute):
            method.side_effect = asyncpg.UndefinedTableError('relation "client" does not exist')
        return conn

    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://stint@127.0.0.1:1/stint")
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(asyncpg, "connect", connect)
    assert main(argv) == 1
    said = "stint: the database has no tables, or those of an older release: run `stint migrate`.\n"
    assert capsys.readouterr() == ("", said)


def test_the_shell_completes_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_STINT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "stint policy h")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert main([]) == 0
    assert capsys.readouterr().out.split() == ["history", "holidays"]


def test_an_answer_is_printed_for_people_or_as_json_and_may_say_that_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = typer.Typer()

    @command(own, "list", example="stint list")
    async def _list(name: str, *, wrong: bool = False) -> Answer:
        if name == "none":
            raise Trouble("There is none.")
        long = name * 100
        return Answer([{"name": long}], Listing(["name", "zone"], [[long, "[Asia/Jerusalem]"]]), status=int(wrong))

    @own.callback()
    def _group() -> None:
        """Keep the command's name: a group of one command would be that command."""

    def run(*argv: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            own(args=argv)
        return int(end.value.code or 0), capsys.readouterr().out

    status, out = run("list", "acme", "--wrong", "--json")
    assert (status, json.loads(out)) == (1, [{"name": "acme" * 100}])
    status, out = run("list", "acme")
    assert (status, [line.split() for line in out.splitlines()]) == (
        0,
        [["name", "zone"], ["acme" * 100, "[Asia/Jerusalem]"]],
    )
    with pytest.raises(Trouble):
        own(args=["list", "none"])
