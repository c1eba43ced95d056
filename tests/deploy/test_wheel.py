"""What other teams install: the wheel `stint-events` in an environment that has never seen this repository."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local.settings import ROOT
from tests.support.stack.outside import UV, WITHIN_SECONDS, wheel_in

PACKAGE: Final = tomllib.loads((ROOT / "packages" / "stint-events" / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GOLDEN: Final = ROOT / "tests" / "golden" / "outcomes" / "stopped.v1.json"
LOG: Final = ROOT / "tests" / "golden" / "log" / "0.1.0"
# What stays here: it needs zone data, holds what the judge needs and no record, or reads what our own API alone reads.
KEPT: Final = {
    *("calendar", "zones", "brief"),
    *("policy", "policies", "rule_rows", "rule_table"),
}
READS: Final = """
import importlib, pathlib, pkgutil, sys, zoneinfo
looked_up = zoneinfo.TZPATH
import stint_events
for module in pkgutil.iter_modules(stint_events.__path__):
    importlib.import_module(f"stint_events.{module.name}")
assert zoneinfo.TZPATH == looked_up
assert not [name for name in sys.modules if name.split(".")[0] in ("shared", "services", "tzdata")]
from stint_events.outcome import read_outcome, write_outcome
body = pathlib.Path(sys.argv[1]).read_bytes().strip()
outcome = read_outcome(body)
assert write_outcome(outcome) == body
[change] = outcome.changed
print(outcome.event_type, outcome.verdict, change.after.state, change.after.total_us)
print(*[(str(part.on), part.us) for part in (*change.closed.days, *change.closed.was.days)])

import json
import os
from stint_events import topics
from stint_events.codec import read
from stint_events.outcome import read_replies
from stint_events.texts import TIMER_TEXT
def told(topic):
    for line in (pathlib.Path(sys.argv[2]) / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield [(name, said.encode()) for name, said in record["headers"]], record["value"]
print(*sorted({type(read(headers, value.encode())).__name__ for headers, value in told(topics.EVENTS)}))
print(*sorted({read_outcome(value).verdict for _, value in told(topics.OUTCOMES)}))
print(*sorted({reply.outcome.verdict for _, value in told(topics.REPLIES) for reply in read_replies(value)}))
print(*[TIMER_TEXT.validate_json(value).comment for _, value in told(topics.TEXTS) if value])
"""
SAID: Final = [
    "timer.stopped.v1 accepted STOPPED 18900000000",
    "('2026-11-27', 5400000000) ('2026-11-27', 7200000000)",
    "Press Unreadable",
    "accepted refused unreadable",
    "accepted refused void",
    "פגישה עם לקוח lost",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_in(tmp_path_factory.mktemp("wheel"))


def ran(folder: Path, *argv: str) -> list[str]:
    """Return what a program prints in a folder outside the repository; of its settings only those of the machine."""
    ours = ("PYTHON", "VIRTUAL_ENV", "STINT_")
    environ = {name: said for name, said in os.environ.items() if not name.startswith(ours)} | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        argv, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=WITHIN_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_empty_environment_reads_a_recorded_outcome_with_the_wheel(wheel: Path, tmp_path: Path) -> None:
    ran(tmp_path, UV, "venv", "--quiet", "--python", sys.executable, "env")
    install = (UV, "pip", "install", "--quiet", "--python", "env/bin/python", str(wheel))
    try:
        ran(tmp_path, *install, "--offline")  # what this checkout's own environment was made of
    except AssertionError:
        ran(tmp_path, *install)
    assert ran(tmp_path, "env/bin/python", "-W", "error", "-c", READS, str(GOLDEN), str(LOG)) == SAID
    installed = {line.partition("==")[0] for line in ran(tmp_path, UV, "pip", "freeze", "--python", "env/bin/python")}
    pydantic = {"annotated-types", "pydantic", "pydantic-core", "typing-extensions", "typing-inspection"}
    assert {name.partition(" ")[0] for name in installed} == {"stint-events", *pydantic}


def test_the_wheel_has_the_repositorys_version_and_its_pydantic(wheel: Path) -> None:
    version: Any = REPOSITORY["project"]["version"]
    assert wheel.name == f"stint_events-{version}-py3-none-any.whl"
    assert set(PACKAGE["project"]["dependencies"]) <= set(REPOSITORY["project"]["dependencies"])
    assert PACKAGE["project"]["requires-python"] == REPOSITORY["project"]["requires-python"]


def test_each_module_of_the_formats_is_in_the_wheel_as_it_is_or_stays_for_a_reason(wheel: Path) -> None:
    """No format is written down twice, and a new module is put into one of the two lists."""
    with zipfile.ZipFile(wheel) as packed:
        held = {
            name.removeprefix("stint_events/"): packed.read(name)
            for name in packed.namelist()
            if name.startswith("stint_events/") and name.endswith(".py")
        }
    formats = ROOT / "shared" / "events"
    there = {path.relative_to(formats).as_posix(): path.read_bytes() for path in formats.rglob("*.py")}
    # A folder stays or goes as one.
    part = {name: name.split("/")[0].removesuffix(".py") for name in there}
    assert held == {name: text for name, text in there.items() if part[name] not in KEPT}
    assert set(part.values()) >= KEPT
