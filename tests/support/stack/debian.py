"""Debian: a program that a test drives, the machine's own or out of Debian's package, kept in a cache.

Nothing is installed: the package is fetched with apt (in two seconds) and one file is taken out of it.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_WITHIN_SECONDS: Final = 30
# Without a network the test is skipped at once.
_APT: Final = ("apt-get", "-qq", "-o", "Acquire::http::Timeout=5", "-o", "Acquire::Retries=0")


def program_in(cache: Path, place: str, package: str) -> Path:
    """Return the program that a package has at `place`. Raises FileNotFoundError, which says why there is none."""
    name = Path(place).name
    if (found := shutil.which(name)) is not None:
        return Path(found)
    kept = cache / name
    if not kept.exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise FileNotFoundError(f"there is no {name}, and no apt-get to fetch Debian's package {package} with")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache) as folder:
            # Whole or not at all, also with another test run fetching at the same time.
            (_fetched_into(Path(folder), package) / place).replace(kept)
    return kept


def _fetched_into(folder: Path, package: str) -> Path:
    own_lists = [f"Dir::State::Lists={folder / 'lists'}", f"Dir::Cache={folder / 'cache'}", "APT::Sandbox::User="]
    options = [word for option in own_lists for word in ("-o", option)]
    try:
        _run(folder, *_APT, "download", package)
    except (OSError, subprocess.SubprocessError):
        # The machine's lists are missing or old: read lists of our own, which needs no root.
        for made in ("lists/partial", "cache/archives/partial"):
            (folder / made).mkdir(parents=True)
        try:
            _run(folder, *_APT, *options, "update")
            _run(folder, *_APT, *options, "download", package)
        except (OSError, subprocess.SubprocessError) as error:
            raise FileNotFoundError(f"Debian's package {package} cannot be fetched: {error}") from error
    [fetched] = folder.glob(f"{package}_*.deb")
    _run(folder, "dpkg-deb", "--extract", fetched.name, "tree")
    return folder / "tree"


def _run(folder: Path, *words: str) -> None:
    environ = {**os.environ, "LC_ALL": "C"}
    subprocess.run(words, cwd=folder, env=environ, timeout=_WITHIN_SECONDS, check=True, capture_output=True)
