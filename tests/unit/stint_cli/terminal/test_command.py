"""What a command prints of a caller's text does not drive the operator's terminal."""

import json
from typing import Final

import pytest
import typer

from services.stint_cli.__main__ import main
from services.stint_cli.terminal.command import Answer, Listing, command
from services.stint_cli.trouble import Trouble

# The window's title, the screen wiped, a colour in one character of C1, a line overwritten.
WICKED: Final = "\x1b]0;mine\x07\x1b[2J\u009b31m\x7f\rdana"
SPELT: Final = r"\u001b]0;mine\u0007\u001b[2J\u009b31m\u007f\u000ddana"
# Marks that names are written with, and no control characters.
FAIR: Final = "דנה\u200f [bold] é"


@pytest.fixture
def stint(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """Return an app of a test's own, in the place of `stint`'s."""
    made = typer.Typer()
    made.callback()(lambda: None)
    monkeypatch.setattr("services.stint_cli.run.app", made)
    return made


def said(stint: typer.Typer, answer: Answer, *more: str) -> int:
    @command(stint, "look", example="stint look")
    async def _look() -> Answer:
        """Answer."""
        return answer

    return main(["look", *more])


def test_a_list_spells_what_a_terminal_would_obey(stint: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[WICKED, FAIR], ["two\nlines", "a\ttab"]]
    assert said(stint, Answer([], Listing(["owner", "aliases"], rows))) == 0
    _, wicked, lines = (line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert wicked.startswith(SPELT)
    assert wicked.endswith(FAIR)
    assert lines.split("  ")[0] == r"two\u000alines"
    assert lines.endswith(r"a\u0009tab")


def test_a_text_and_a_note_keep_their_lines_and_nothing_else(
    stint: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(stint, Answer([], f"1\t{FAIR}\n2\t{WICKED}", note=WICKED)) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (f"1\t{FAIR}\n2\t{SPELT}\n", f"stint: {SPELT}\n")


def test_json_is_spelt_and_reads_as_it_was(stint: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"aliases": [WICKED, FAIR]}
    assert said(stint, Answer(told, ""), "--json") == 0
    shown = capsys.readouterr().out
    assert FAIR in shown
    assert not {"\x1b", "\x9b", "\x7f"} & set(shown)
    assert json.loads(shown) == told


def test_a_failure_that_quotes_a_caller_is_spelt_too(stint: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    @command(stint, "look", example="stint look")
    async def _look() -> Answer:
        """Fail."""
        raise Trouble(WICKED)

    assert main(["look"]) == 1
    assert capsys.readouterr().err == f"stint: {SPELT}\n"
