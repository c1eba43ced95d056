"""The benchmarks have signs on their doors, as the rooms of the product have."""

import ast
import re
from pathlib import Path

import pytest

import bench

_ROOMS = sorted(path.parent for path in Path(bench.__file__).parent.rglob("__init__.py"))


@pytest.mark.parametrize("room", _ROOMS, ids=lambda room: room.name)
def test_a_sign_names_every_module_of_its_room(room: Path) -> None:
    sign = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = [path.stem for path in room.glob("*.py") if path.stem != "__init__"]
    rooms = [path.parent.name for path in room.glob("*/__init__.py")]
    assert [name for name in modules + rooms if name not in re.findall(r"\w+", sign)] == []
