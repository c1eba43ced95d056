"""A jar is used only if it is the one that was locked."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from deploy.local import jars
from deploy.local.trouble import Trouble

GOOD = b"a jar"
LINE = f"org.example:example:1.0 {hashlib.sha256(GOOD).hexdigest()}"


@dataclass
class Repository:
    """A Maven repository that has one jar, with the path to it that jgo takes."""

    folder: Path
    content: bytes = GOOD
    fetched: list[str] = field(default_factory=list)

    def project(self, group: str, artifact: str) -> Self:
        self.fetched.append(f"{group}:{artifact}")
        return self

    def at_version(self, _version: str) -> Self:
        return self

    def artifact(self) -> Self:
        return self

    def resolve(self) -> Path:
        path = self.folder / "example-1.0.jar"
        path.write_bytes(self.content)
        return path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository = Repository(tmp_path)

    @contextmanager
    def workshop(cache: Path) -> Iterator[tuple[Path, Repository]]:
        (cache / "jars").mkdir(parents=True, exist_ok=True)
        yield tmp_path / "fetching", repository

    monkeypatch.setattr(jars, "_resolver_in_a_folder", workshop)
    (tmp_path / "jars.lock").write_text(f"{LINE}\n")
    return repository


def test_a_jar_is_fetched_once(tmp_path: Path, repository: Repository) -> None:
    path = jars.fetched(tmp_path / "cache", tmp_path / "jars.lock")
    assert Path(path).read_bytes() == GOOD
    assert jars.fetched(tmp_path / "cache", tmp_path / "jars.lock") == path
    assert repository.fetched == ["org.example:example"]


def test_a_jar_with_another_sum_is_refused_and_not_kept(tmp_path: Path, repository: Repository) -> None:
    repository.content = b"another jar"
    with pytest.raises(Trouble, match=r"example-1\.0\.jar is not the one that was locked"):
        jars.fetched(tmp_path / "cache", tmp_path / "jars.lock")
    assert list((tmp_path / "cache" / "jars").iterdir()) == []


def test_a_jar_that_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path, repository: Repository) -> None:
    path = Path(jars.fetched(tmp_path / "cache", tmp_path / "jars.lock"))
    path.write_bytes(GOOD[:-1])
    jars.fetched(tmp_path / "cache", tmp_path / "jars.lock")
    assert path.read_bytes() == GOOD
    assert len(repository.fetched) == 2


def test_every_locked_jar_has_a_sum_and_no_address() -> None:
    lines = jars.LOCK.read_text().splitlines()
    assert [str(jars.Jar.parse(line)) for line in lines] == sorted(set(lines))
    assert all(len(jars.Jar.parse(line).sha256) == 64 for line in lines)
    assert set(jars.WANTED) <= {line.split()[0] for line in lines}
