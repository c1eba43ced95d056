"""promtool, which tests Prometheus' rules: the machine's own, or the one of Debian's `prometheus`, kept in a cache.

Nothing is installed: the package is fetched with apt (19 MB, two seconds) and one file is taken out of it.
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


def promtool_in(cache: Path) -> Path:
    """Return the program. Raises FileNotFoundError, which says why there is none."""
    if (found := shutil.which("promtool")) is not None:
        return Path(found)
    kept = cache / "promtool"
    if not kept.exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise FileNotFoundError("there is no promtool, and no apt-get to fetch Debian's package prometheus with")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache) as folder:
            # Whole or not at all, also with another test run fetching at the same time.
            _fetched_into(Path(folder)).replace(kept)
    return kept


def _fetched_into(folder: Path) -> Path:
    own_lists = [f"Dir::State::Lists={folder / 'lists'}", f"Dir::Cache={folder / 'cache'}", "APT::Sandbox::User="]
    options = [word for option in own_lists for word in ("-o", option)]
    try:
        _run(folder, *_APT, "download", "prometheus")
    except (OSError, subprocess.SubprocessError):
        # The machine's lists are missing or old: read lists of our own, which needs no root.
        for made in ("lists/partial", "cache/archives/partial"):
            (folder / made).mkdir(parents=True)
        try:
            _run(folder, *_APT, *options, "update")
            _run(folder, *_APT, *options, "download", "prometheus")
        except (OSError, subprocess.SubprocessError) as error:
            raise FileNotFoundError(
                f"there is no promtool, and Debian's prometheus cannot be fetched: {error}"
            ) from error
    [package] = folder.glob("prometheus_*.deb")
    _run(folder, "dpkg-deb", "--extract", package.name, "tree")
    return folder / "tree" / "usr" / "bin" / "promtool"


def _run(folder: Path, *words: str) -> None:
    environ = {**os.environ, "LC_ALL": "C"}
    subprocess.run(words, cwd=folder, env=environ, timeout=_WITHIN_SECONDS, check=True, capture_output=True)
