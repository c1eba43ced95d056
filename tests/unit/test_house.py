"""The house: what a reader can rely on in every room of the product."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]

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


def _classes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            # `_Waiter` beside `Waiter` is one word for two ideas as well.
            yield node.name.lstrip("_")


def test_two_product_classes_of_one_name_fail_the_build() -> None:
    """One word per idea. A reader who searches for a class finds it, and not another of the same name."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in _product():
        for name in _classes(path):
            places[name].append(path.relative_to(_ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1 and name not in _SHARED_NAMES} == {}
    assert {name for name in _SHARED_NAMES if len(places[name]) <= 1} == set()  # the list stays as short as it can be
