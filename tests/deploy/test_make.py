"""What `make` passes on to the programs that it starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local.settings import ROOT

# The Makefile with one more target, which says what its programs would hear.
_SAYS: Final = "include Makefile\nsays:\n\t@echo \"keeps nothing: '$${PYTHONDONTWRITEBYTECODE-}'\"\n"


def test_python_keeps_what_it_compiles_though_the_environment_forbids_it() -> None:
    """Images of other people set the variable, and each start then compiles a thousand modules anew."""
    told = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        ["make", "--silent", "--file=-", "says"],
        input=_SAYS,
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "keeps nothing: ''\n"


def test_without_a_network_a_newcomer_reads_one_line(tmp_path: Path) -> None:
    """The programs that install say many, and none of them says what to do."""
    for name in ("Makefile", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    told = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))} | nowhere
    said = subprocess.run(
        ["make", "--silent", "install", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        env=told | {"PIP_NO_CACHE_DIR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours, *rest = said.stderr.splitlines()
    assert ours.startswith("stint: packages cannot be installed (ERROR: ")
    assert ours.endswith("): check the network and try again. All that was said is in .venv/install.log.")
    # What `make` adds of its own.
    assert all("make" in line for line in rest)
