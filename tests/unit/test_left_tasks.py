"""An async test that a time-out has stopped ends before its fixtures are torn down, and before the next test begins."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support import left_tasks

ROOT: Final = Path(__file__).parents[2]

TWO_TESTS: Final = """
import asyncio
import pytest

LET_GO = asyncio.Event()

def says(words):
    with open("said", "a") as said:
        said.write(words + "\\n")

@pytest.fixture(scope="session")
async def standing():
    async def stands():
        try:
            await asyncio.sleep(60)
        finally:
            says("the session's own task ends")
    task = asyncio.create_task(stands())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.wait({task})

@pytest.fixture
async def part(standing):
    yield
    says("the fixture is torn down")

async def worker():
    try:
        await asyncio.sleep(60)
    finally:
        says("the worker ends")

@pytest.mark.timeout(1)
async def test_that_hangs(part):
    working = asyncio.create_task(worker())
    try:
        await LET_GO.wait()
    finally:
        await asyncio.sleep(0.01)
        assert not working.done()
        says("the test ends")

async def test_after_it(part):
    says("the next test begins")
    LET_GO.set()
    await asyncio.sleep(0.2)
    says("the next test ends")
"""

OPTIONS: Final = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""


def said_by_a_run(folder: Path, *options: str) -> list[str]:
    """Run both tests, and return what they say in order."""
    (folder / "pytest.ini").write_text(OPTIONS)
    (folder / "test_two.py").write_text(TWO_TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *options, "test_two.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
    return (folder / "said").read_text().splitlines()


def test_a_test_that_hangs_ends_before_its_fixtures_and_before_the_next(tmp_path: Path) -> None:
    assert said_by_a_run(tmp_path, "-p", left_tasks.__name__) == [
        "the test ends",
        "the worker ends",
        "the fixture is torn down",
        "the next test begins",
        "the next test ends",
        "the fixture is torn down",
        "the session's own task ends",
    ]


def test_by_itself_it_would_end_within_the_next_test(tmp_path: Path) -> None:
    """The control."""
    assert said_by_a_run(tmp_path)[:4] == [
        "the fixture is torn down",
        "the next test begins",
        "the test ends",
        "the next test ends",
    ]


def test_this_run_has_it_too(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.is_registered(left_tasks)
