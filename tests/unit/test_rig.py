"""The rig: what several test files use has a room, each room's sign maps its files, and the page lists every fault."""

import ast
import re
from collections import defaultdict
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider

from tests.support.proof.laws import assert_noticed
from tests.world.plan import RATES

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ROOT / "tests"
SUPPORT: Final = TESTS / "support"
FAKES: Final = SUPPORT / "fakes"
FILES: Final = sorted(TESTS.rglob("*.py"))
ROOMS: Final = tuple(sign.parent for base in (SUPPORT, TESTS / "world") for sign in base.rglob("__init__.py"))


def files_of(room: Path) -> set[str]:
    """Return the modules of a room, and its rooms with a slash. Tests and `__main__` are left out."""
    modules = {file.stem for file in room.glob("*.py") if not file.stem.startswith(("_", "test_"))}
    return modules | {f"{inner.parent.name}/" for inner in room.glob("*/__init__.py")}


def mapped(sign: str) -> list[str]:
    """Return the names in the first column of a sign's map: lines that are indented by four spaces."""
    columns = re.findall(r"^ {4}(\S+(?: \S+)*) {2,}\S", sign, re.MULTILINE)
    return [name for column in columns for name in column.split()]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_of_the_rig_maps_its_files_and_nothing_else(room: Path) -> None:
    sign = ast.get_docstring(ast.parse((room / "__init__.py").read_text()), clean=False) or ""
    assert sorted(mapped(sign)) == sorted(files_of(room))


def test_a_module_of_the_rig_serves_several_test_files_or_the_rig() -> None:
    """A module that one test file alone imports belongs into that file, or beside it."""
    users = defaultdict(set)
    for file in FILES:
        for module in imported(file):
            users[module].add(file)
    modules = [file for file in SUPPORT.rglob("*.py") if file.stem != "__init__"]
    lonely = [file for file in modules if len(users[dotted(file)]) < 2 and not _serves_rig(users[dotted(file)])]
    assert lonely == []


def test_a_stand_in_says_where_it_differs_from_the_real_part() -> None:
    """A test on a stand-in proves nothing of what the stand-in leaves out."""
    world = [TESTS / "world" / f"{name}.py" for name in ("database", "group", "ports", "tables", "topics")]
    says = re.compile(r"^Where (it differs|they differ)", re.MULTILINE)
    signs = {file: ast.get_docstring(ast.parse(file.read_text())) or "" for file in (*FAKES.glob("[!_]*.py"), *world)}
    assert [file for file, sign in signs.items() if not says.search(sign)] == []


def test_no_test_file_is_imported() -> None:
    """What two test files use is a module of its own: nobody looks for it among the tests of something else."""
    tests = {dotted(file) for file in FILES if file.stem.startswith("test_")}
    assert [(dotted(file), used) for file in FILES if (used := imported(file) & tests)] == []


def test_a_module_beside_tests_serves_their_folder_alone() -> None:
    """What two folders use is in a room of the rig."""
    homes = {dotted(file): home_of(file) for file in FILES if not file.stem.startswith(("test_", "_"))}
    used = [(file, module) for file in FILES for module in imported(file) & homes.keys() if homes[module] != TESTS]
    assert len(used) > 50
    assert [(dotted(file), module) for file, module in used if not file.is_relative_to(homes[module])] == []


def test_the_page_lists_every_fault_of_the_world() -> None:
    """`tests/README.md` has them in a table, grouped by the part that fails."""
    table = (TESTS / "README.md").read_text().partition("| faults of |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", table)) == sorted(RATES)


def test_a_law_that_its_fault_does_not_break_has_no_control() -> None:
    @given(st.integers())
    def holds(_: int) -> None: ...

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        assert_noticed(nullcontext, holds, within=10)


def test_chance_draws_no_number_because_a_module_is_loaded() -> None:
    """Examples are those of the property alone. So one that failed among all tests fails alone, and the next day."""
    assert len(HypothesisProvider(None)._local_constants) == 0


@pytest.mark.xdist_group("rig")
def test_a_group_is_in_the_ids_of_its_tests_when_xdist_asks_for_it(request: pytest.FixtureRequest) -> None:
    """A group that is not in the ids is spread over the workers: two stacks start, and no worker counts all seeds."""
    asked = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@rig") is asked


def _serves_rig(users: set[Path]) -> bool:
    return any(user.is_relative_to(SUPPORT) for user in users)


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def home_of(file: Path) -> Path:
    """Return the folder whose tests a module serves: its own, or that of the room it is in. The rigs serve all."""
    if file.is_relative_to(TESTS / "world"):
        return TESTS
    return next(folder for folder in file.parents if folder == TESTS or any(folder.glob("test_*.py")))


@cache
def imported(file: Path) -> set[str]:
    """Return the modules that a file imports, also those that it imports from their room."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found
