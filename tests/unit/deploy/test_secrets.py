"""Only their owner can read the secrets of a local stack, from the first byte on."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.secrets import kept_secret, write_secretly


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """Set a mask under which a plainly written file is readable by all."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_its_owners_alone(tmp_path: Path) -> None:
    write_secretly(tmp_path / "postgres.pw", "secret")
    assert (tmp_path / "postgres.pw").read_text() == "secret"
    assert mode(tmp_path / "postgres.pw") == 0o600
    (tmp_path / "plain").write_text("secret")
    assert mode(tmp_path / "plain") == 0o666  # the control


def test_a_file_that_others_may_have_open_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "postgres.pw").touch()
    with pytest.raises(FileExistsError):
        write_secretly(tmp_path / "postgres.pw", "secret")


def test_a_kept_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "postgres-stint"
    first = kept_secret(path)
    assert kept_secret(path) == first
    assert (mode(path), mode(path.parent), len(first)) == (0o600, 0o700, 64)
