"""`rebuild` as it is asked: what is refused before anything is touched, in words and not with a traceback."""

import json

import pytest
from pydantic import SecretStr

from services.projector.rebuild.command import RebuildSettings, rebuilt

SETTINGS = RebuildSettings(
    kafka_bootstrap_servers="localhost:1", postgres_dsn=SecretStr("postgresql://localhost:1/none")
)


def failed(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert rebuilt(SETTINGS, argv) == 1
    [line] = capsys.readouterr().out.splitlines()
    said: str = json.loads(line)["failed"]
    return said


@pytest.mark.parametrize("name", ["Shadow", "a-b", "a b", "1st", 'x"; DROP', "x" * 64])
def test_a_name_that_no_schema_has_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"{name} is no name for a schema" in failed(capsys, "--schema", name)


@pytest.mark.parametrize(
    ("name", "why"),
    [("fold_v1", "fold_v1 is the live schema"), ("fold_v1_old", "fold_v1_old is what the switch calls the old tables")],
)
@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_name_that_the_switch_needs_is_refused_before_anything_is_filled(
    capsys: pytest.CaptureFixture[str], name: str, why: str, resume: tuple[str, ...]
) -> None:
    """Otherwise all is filled and compared first, and no switch can ever follow."""
    assert failed(capsys, "--schema", name, *resume).startswith(why)


def test_a_setting_of_projectors_that_is_wrong_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helpers have them all, also those that a rebuild itself does not read."""
    monkeypatch.setenv("PROJECTOR_HTTP_PORT", "many")
    assert "these are wrong: PROJECTOR_HTTP_PORT." in failed(capsys)


def test_any_name_of_a_schema_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    """As far as Postgres, which is away."""
    assert failed(capsys, "--schema", "shadow").startswith("ConnectionRefusedError")
