"""Kafka's jars: locked by coordinate and SHA-256, fetched in parallel into the user's cache, verified at each start.

`python -m deploy.local.jars` resolves the jars anew and writes the lock; nothing else reads a POM.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from deploy.local.settings import Settings
from deploy.local.trouble import Trouble

LOCK = Path(__file__).with_name("jars.lock")
# 4.4.0 cannot be resolved: its POM requires an artifact that was never published.
WANTED = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
AT_ONCE = 8
SCOPES = ("compile", "runtime")


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read `group:artifact:version sha256`."""
        coordinate, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        return cls(group, artifact, version, sha256)

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version} {self.sha256}"

    def path(self, cache: Path) -> Path:
        """Return the jar's path. Its sum is in the name, so that two locks can share a cache."""
        return cache / "jars" / f"{self.artifact}-{self.version}-{self.sha256[:12]}.jar"


def fetched(cache: Path, lock: Path = LOCK) -> str:
    """Return the class path of all locked jars. Missing jars are fetched; every sum is verified, every time (70 ms)."""
    wanted = [Jar.parse(line) for line in lock.read_text().splitlines()]
    missing = [jar for jar in wanted if not _good(jar.path(cache), jar)]
    if missing:
        _fetch(missing, cache)
    return os.pathsep.join(str(jar.path(cache)) for jar in wanted)


def _good(path: Path, jar: Jar) -> bool:
    return path.exists() and _sum(path) == jar.sha256


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(missing: list[Jar], cache: Path) -> None:
    with _resolver_in_a_folder(cache) as (folder, maven), ThreadPoolExecutor(AT_ONCE) as pool:
        tasks = [pool.submit(_fetch_one, jar, cache, maven) for jar in missing]
        for done, task in enumerate(as_completed(tasks), start=1):
            try:
                task.result()
            except Exception as error:
                pool.shutdown(cancel_futures=True)
                if isinstance(error, Trouble):
                    raise
                why = type(error).__name__
                raise Trouble(f"Kafka's jars cannot be fetched ({why}): check the network and try again.") from error
            _progress(done, len(missing), folder)


def _fetch_one(jar: Jar, cache: Path, maven: Any) -> None:  # noqa: ANN401 - jgo has no types
    got = Path(maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
    if _sum(got) != jar.sha256:
        raise Trouble(
            f"{jar.artifact}-{jar.version}.jar is not the one that was locked (SHA-256 {_sum(got)}): do not use it. "
            "Try again; if that does not help, find out which server sent the file."
        )
    got.replace(jar.path(cache))  # whole or not at all, also with another checkout fetching at the same time


@contextmanager
def _resolver_in_a_folder(cache: Path) -> Iterator[tuple[Path, Any]]:
    """Give a folder beside the jars, and a resolver that works in it."""
    with warnings.catch_warnings():
        # The resolver's own dependencies warn on import, and we cannot mend that.
        warnings.simplefilter("ignore")
        try:
            from jgo.maven import MavenContext  # noqa: PLC0415 - half a second, needed once per machine
        except ImportError:
            raise Trouble("jgo is not installed, and Kafka's jars are not here yet: run `make install`.") from None
    (cache / "jars").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache))
    try:
        yield folder, MavenContext(repo_cache=folder, timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _progress(done: int, total: int, folder: Path) -> None:
    text = f"Fetching Kafka's jars into {folder.parent / 'jars'}: {done} of {total}"
    if sys.stderr.isatty():
        print(f"\r{text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done == total or done % 10 == 0:
        print(text, file=sys.stderr, flush=True)


def resolve(cache: Path) -> list[Jar]:
    """Resolve Kafka's jars from the POMs, fetch them, and return them with their sums. Takes half a minute."""
    with _resolver_in_a_folder(cache) as (_, maven), ThreadPoolExecutor(AT_ONCE) as pool:
        from jgo.maven import Dependency  # noqa: PLC0415

        roots = [_artifact(maven, coordinate) for coordinate in WANTED]
        _, dependencies = maven.resolver.resolve([Dependency(root) for root in roots])
        needed = [each.artifact for each in dependencies if each.scope in SCOPES]
        # By name, because a dependency of two jars is found twice.
        artifacts = {str(artifact): artifact for artifact in [*roots, *needed]}
        return sorted(pool.map(_locked, artifacts.values()), key=str)


def _artifact(maven: Any, coordinate: str) -> Any:  # noqa: ANN401 - jgo has no types
    group, name, version = coordinate.split(":")
    return maven.project(group, name).at_version(version).artifact()


def _locked(artifact: Any) -> Jar:  # noqa: ANN401 - jgo has no types
    return Jar(artifact.groupId, artifact.artifactId, artifact.version, _sum(Path(artifact.resolve())))


if __name__ == "__main__":
    found = resolve(Settings.from_environment().cache)
    LOCK.write_text("".join(f"{jar}\n" for jar in found))
    print(f"{len(found)} jars locked in {LOCK}")
