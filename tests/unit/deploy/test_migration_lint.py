"""`make check` looks at migrations with squawk, under the rules of .squawk.toml."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.local.settings import ROOT
from services.stint_cli.deployment.migrate import FOLDER

SQUAWK = str(Path(sys.executable).parent / "squawk")


def found(*files: Path) -> str:
    argv = [SQUAWK, "--reporter", "gcc", *map(str, files)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_our_migrations_break_no_rule() -> None:
    assert found(*sorted(FOLDER.glob("*.sql"))) == ""


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE fold_v1.timer DROP COLUMN reference;", "ban-drop-column"),
        ("ALTER TABLE fold_v1.timer RENAME COLUMN reference TO about;", "renaming-column"),
        ("ALTER TABLE fold_v1.timer ADD COLUMN tag text NOT NULL;", "adding-required-field"),
        ("ALTER TABLE fold_v1.timer ALTER COLUMN total_us TYPE integer;", "changing-column-type"),
        ("CREATE TABLE press (at timestamp);", "prefer-timestamp-tz"),
    ],
)
def test_a_migration_that_breaks_the_release_before_is_noticed(tmp_path: Path, sql: str, rule: str) -> None:
    """The control: what is left out of the rules leaves these in."""
    (tmp_path / "0099_next.sql").write_text(f"-- The next one.\n{sql}\n")
    assert f": {rule} " in found(tmp_path / "0099_next.sql")


def test_every_rule_that_is_left_out_is_broken_somewhere() -> None:
    """A rule that our migrations keep anyhow had better be one."""
    left_out = tomllib.loads((ROOT / ".squawk.toml").read_text(encoding="utf-8"))["excluded_rules"]
    argv = [SQUAWK, "--config", "/dev/null", "--assume-in-transaction", "--reporter", "gcc"]
    argv += map(str, FOLDER.glob("*.sql"))
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    assert [rule for rule in left_out if f": {rule} " not in said] == []
