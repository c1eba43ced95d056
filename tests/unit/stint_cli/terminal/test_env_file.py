"""The file of credentials: a shell reads the same values that were written."""

import os
import subprocess
from pathlib import Path

import pytest

from services.stint_cli.terminal.env_file import read_env, write_env

ODD = ["", "plain", "it's", 'a "b" $HOME `id` \\', "#no comment", " leading", "שלום"]


@pytest.mark.parametrize("value", ODD)
def test_a_written_file_reads_back_here_and_in_a_shell(tmp_path: Path, value: str) -> None:
    file = tmp_path / "demo.env"
    write_env(file, {"STINT_ODD": value, "STINT_NEXT": "x"}, "for tests")
    assert read_env(file) == {"STINT_ODD": value, "STINT_NEXT": "x"}
    shown = subprocess.run(
        ["sh", "-euc", f'. {file}; printf "%s|%s" "$STINT_ODD" "$STINT_NEXT"'], capture_output=True, check=True
    )
    assert shown.stdout.decode() == f"{value}|x"


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.touch(mode=0o644)
    write_env(file, {"STINT_TOKEN": "t"}, "for tests")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_another_user_made_before_gets_no_credential(tmp_path: Path) -> None:
    """In a folder where all may write, another user can make any name: one that is readable, or a link."""
    theirs = tmp_path / "theirs"
    theirs.touch()
    (tmp_path / f"demo.env.{os.getpid()}").symlink_to(theirs)
    write_env(tmp_path / "demo.env", {"STINT_TOKEN": "t"}, "for tests")
    assert theirs.read_text() == ""
    assert not (tmp_path / "demo.env").is_symlink()
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600


def test_a_missing_or_malformed_file_has_no_values(tmp_path: Path) -> None:
    assert read_env(tmp_path / "none") == {}
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert read_env(tmp_path / "bytes") == {}


def test_lines_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("# a comment\n\nSTINT_A='1'\nno assignment\nSTINT_B='2\n")
    assert read_env(file) == {"STINT_A": "1"}


def test_no_temporary_file_is_left_behind(tmp_path: Path) -> None:
    write_env(tmp_path / "demo.env", {"STINT_A": "1"}, "for tests")
    assert [path.name for path in tmp_path.iterdir()] == ["demo.env"]
