"""The house: what a reader can rely on in every room of the product."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).resolve().parents[2]
_SERVICES: Final = ("services/command_api", "services/feed", "services/projector", "services/stint_cli")
_TREES: Final = ("bench", "deploy", "examples", "services", "shared", "tests")
_MODULES_MAX: Final = 8
_LINES_MAX: Final = 350
_LINK: Final = "120000 "  # the mode of a link, as git lists it
# No service, and so without that bound. It is where a newcomer's first command ends.
_LOCAL_STACK: Final = "deploy/local"

# Names that two classes of the product may share, and why.
_SHARED_NAMES: Final = {
    # A verdict of the judge, and the same verdict as its caller is told it; both follow docs/architecture.md.
    "Accepted",
    "Refused",
    # One of each process, read in its own `app`.
    "Settings",
    # One of each dialect: rooms that may not import one another.
    "StartBody",
    "Words",
}


def _product() -> Iterator[Path]:
    for tree in ("services", "shared"):
        yield from sorted((_ROOT / tree).rglob("*.py"))


def _rooms() -> dict[str, list[Path]]:
    rooms: dict[str, list[Path]] = defaultdict(list)
    for path in _product():
        rooms[path.parent.relative_to(_ROOT).as_posix()].append(path)
    return rooms


def _classes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            # `_Waiter` beside `Waiter` is one word for two ideas as well.
            yield node.name.lstrip("_")


def _sign(room: str) -> str:
    return ast.get_docstring(ast.parse((_ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""


def _modules(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths if not path.stem.startswith("__")]


def _links_out(repository: Path) -> list[str]:
    """Return the tracked links that lead out of a repository, or from one machine's root."""
    tracked = subprocess.run(
        ["git", "ls-files", "--stage", "-z"], cwd=repository, capture_output=True, text=True, check=True
    )
    entries = (entry.split("\t") for entry in tracked.stdout.split("\0") if entry)
    links = [repository / name for stage, name in entries if stage.startswith(_LINK)]
    return [
        link.relative_to(repository).as_posix()
        for link in links
        if link.readlink().is_absolute() or not link.resolve().is_relative_to(repository.resolve())
    ]


def test_two_product_classes_of_one_name_fail_the_build() -> None:
    """One word per idea. A reader who searches for a class finds it, and not another of the same name."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in _product():
        for name in _classes(path):
            places[name].append(path.relative_to(_ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1 and name not in _SHARED_NAMES} == {}
    assert {name for name in _SHARED_NAMES if len(places[name]) <= 1} == set()  # the list stays as short as it can be


def test_every_dialect_is_among_those_that_never_import_each_other() -> None:
    """import-linter holds the walls between rooms that it is told of. A new dialect would have none."""
    said = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    [told] = [wall["modules"] for wall in said if wall["name"] == "The dialects never import each other"]
    dialects = [sign.parent for sign in (_ROOT / "services/command_api/dialects").glob("*/__init__.py")]
    assert sorted(told) == sorted(".".join(room.relative_to(_ROOT).parts) for room in dialects)


@pytest.mark.parametrize("room", sorted(room for room in _rooms() if room.startswith(_SERVICES)))
def test_no_room_of_a_service_holds_more_than_eight_modules(room: str) -> None:
    """A listing is the first drawing of the architecture. At nine, look for the room that wants to exist."""
    modules = _modules(_rooms()[room])
    assert len(modules) <= _MODULES_MAX, modules


def test_no_file_is_longer_than_350_lines() -> None:
    """A file is one idea. At so many lines, look for the second one."""
    paths = [path for tree in _TREES for path in (_ROOT / tree).rglob("*.py")]
    assert len(paths) > 500
    lengths = {path.relative_to(_ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length > _LINES_MAX} == {}


@pytest.mark.parametrize("room", sorted(_rooms()))
def test_every_room_has_a_sign(room: str) -> None:
    """The sign is the docstring of `__init__`: what the room is for, what is safe, what never happens in it."""
    assert _sign(room)


@pytest.mark.parametrize(
    "room", [*sorted(room for room in _rooms() if room.startswith((*_SERVICES, "shared"))), _LOCAL_STACK]
)
def test_a_sign_names_every_module_of_its_room(room: str) -> None:
    """The sign has a map. A module that it does not name is found by chance."""
    words = set(re.findall(r"\w+", _sign(room)))
    modules = _modules(sorted((_ROOT / room).glob("*.py")))
    assert [module for module in modules if module not in words] == []


def test_no_tracked_link_leads_out_of_the_repository() -> None:
    """A link to an environment elsewhere hides a clone's own, and breaks where there is no such folder."""
    if shutil.which("git") is None or not (_ROOT / ".git").exists():
        pytest.skip("no git, or no checkout: nothing says what is tracked")
    assert _links_out(_ROOT) == []


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_control_a_link_that_leads_out_is_found_once_it_is_tracked(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    for name, target in {
        "sound": "room",
        "room/up": "../sound",
        "out": "../elsewhere",
        "room/.venv": "/opt/venv",
        "untracked": "/opt/venv",
    }.items():
        (tmp_path / name).symlink_to(target)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "sound", "room", "out"], cwd=tmp_path, check=True)
    assert _links_out(tmp_path) == ["out", "room/.venv"]
