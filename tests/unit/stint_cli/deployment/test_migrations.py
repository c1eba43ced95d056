"""Migrations: which are outstanding, and which stop the command until an operator looks."""

from pathlib import Path

import pytest

from services.stint_cli.deployment.migrate import Applied, Migration, outstanding, read_migrations
from services.stint_cli.trouble import Trouble

ONE = Migration(1, "0001_one.sql", "SELECT 1;")
TWO = Migration(2, "0002_two.sql", "SELECT 2;")


def applied(migration: Migration) -> Applied:
    return Applied(migration.version, migration.name, migration.sha256)


def test_a_new_database_has_everything_outstanding_in_order() -> None:
    assert outstanding([ONE, TWO], []) == [ONE, TWO]


def test_an_applied_migration_is_never_applied_again() -> None:
    assert outstanding([ONE, TWO], [applied(ONE)]) == [TWO]
    assert outstanding([ONE, TWO], [applied(ONE), applied(TWO)]) == []


def test_a_file_changed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(Trouble, match=r"^0001_one\.sql is not the file that was applied"):
        outstanding([Migration(1, "0001_one.sql", "SELECT 1 ;"), TWO], [applied(ONE)])


def test_a_file_that_only_changed_its_name_is_the_same() -> None:
    assert outstanding([Migration(1, "0001_uno.sql", ONE.sql)], [applied(ONE)]) == []


def test_a_database_that_is_ahead_of_this_release_is_left_alone() -> None:
    with pytest.raises(Trouble, match=r"has seen 0002_two\.sql, which this release does not know"):
        outstanding([ONE], [applied(ONE), applied(TWO)])


def test_the_files_of_this_repository_are_numbered_without_gap() -> None:
    assert [migration.version for migration in read_migrations()] == list(range(1, len(read_migrations()) + 1))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["0002_two.sql"], "Migration 0001 is missing"),
        (["0001_one.sql", "0003_three.sql"], "Migration 0002 is missing"),
        (["0001_one.sql", "0001_uno.sql"], "or a number is there twice: found 0001_uno.sql"),
        (["1_one.sql"], "1_one.sql is no migration"),
        (["0001_One.sql"], "0001_One.sql is no migration"),
    ],
)
def test_a_folder_whose_numbers_do_not_count_up_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(Trouble, match=said):
        read_migrations(tmp_path)


def test_a_folder_may_hold_other_things_too(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about these")
    (tmp_path / "0001_one.sql").write_text(ONE.sql)
    assert read_migrations(tmp_path) == [ONE]
