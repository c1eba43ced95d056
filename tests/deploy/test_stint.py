"""The command `stint` as it is installed: a link in a virtual environment, beside its Python."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from deploy.local.settings import ROOT


def link_of(file: str, pattern: str) -> Path:
    """Return the target of the link that a recipe makes."""
    [target] = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return Path(target)


@pytest.mark.parametrize(
    ("folder", "target"),
    [
        (".venv", link_of("Makefile", r"^\t@ln -sf (\S+) \$\(BIN\)/stint$")),
        ("venv", link_of("deploy/Dockerfile", r"^ +&& ln -s (\S+) /opt/stint/venv/bin/stint \\$")),
    ],
)
def test_the_installed_command_runs_this_release_from_any_folder(tmp_path: Path, folder: str, target: Path) -> None:
    """As `make install` and the image link it. A folder with names of ours in it changes nothing."""
    installed, elsewhere = tmp_path / folder / "bin", tmp_path / "elsewhere"
    installed.mkdir(parents=True)
    # In a checkout the code lies beside the environment, in the image in `app`.
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "app").symlink_to(ROOT)
    python = installed / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (installed / "stint").symlink_to(target)
    (elsewhere / "services").mkdir(parents=True)
    (elsewhere / "services" / "__init__.py").write_text("raise SystemExit('another program')\n")
    done = subprocess.run(
        [installed / "stint", "--help"],
        cwd=elsewhere,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "The commands for operators of Stint." in done.stdout


@pytest.mark.parametrize("package", ["asyncpg", "pydantic", "typer"])
def test_a_command_that_is_interrupted_while_it_imports_ends_with_130_and_one_line(
    tmp_path: Path, package: str
) -> None:
    """It imports for half a second, in which somebody who has mistyped presses Ctrl-C."""
    (tmp_path / f"{package}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "services.stint_cli", "tenants", "list"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        # Tests that run in the background of a shell would pass on that they ignore the signal.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stint: interrupted. Nothing was done.\n")
