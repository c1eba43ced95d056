"""Secrets come from files if there are such files; the environment wins."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.stint_cli.settings import DatabaseSettings
from shared.settings import ProcessSettings


class _Settings(ProcessSettings):
    token: SecretStr


def _read(folder: Path) -> str:
    # Any folder instead of /run/secrets; the argument is pydantic's own.
    return _Settings(_secrets_dir=folder).token.get_secret_value()


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    (tmp_path / "somebody_elses_token").write_text("another")
    assert _read(tmp_path) == "from a file"


def test_the_environment_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from a file")
    monkeypatch.setenv("TOKEN", "from the environment")
    assert _read(tmp_path) == "from the environment"


def test_a_machine_without_secret_files_warns_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "from the environment")
    assert _read(tmp_path / "nothing here") == "from the environment"


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="token"):
        _read(tmp_path)


def test_every_program_of_ours_looks_in_the_same_folder() -> None:
    assert DatabaseSettings.model_config.get("secrets_dir") == "/run/secrets"
