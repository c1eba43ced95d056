"""Alarms: the names of all events that our code logs as errors, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.local.settings import ROOT

# Functions that log an error under a name that they are given. The name is at their call.
_NAMED_BY_CALLER: Final = {"Setbacks": 0, "read_for_ever": 2}
_ROOMS: Final = ("services", "shared")


def alarms() -> dict[str, set[str]]:
    """Return each alarm's name, with the modules that raise it."""
    found: dict[str, set[str]] = {}
    for room in _ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for name in _alarms_of(path):
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


def _alarms_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(attr="error" | "exception" | "critical", value=logger) if _is_a_logger(logger):
                yield from _name(node, 0, path)
            case ast.Name(id=name) if name in _NAMED_BY_CALLER:
                yield from _name(node, _NAMED_BY_CALLER[name], path)
            case _:
                pass


def _is_a_logger(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in {"log", "_log", "get_logger()"}


def _name(call: ast.Call, place: int, path: Path) -> Iterator[str]:
    match call.args[place]:
        case ast.Constant(value=str(name)):
            yield name
        case ast.Name() | ast.Attribute(value=ast.Name(id="self")) if path.relative_to(ROOT).parts[0] == "shared":
            return  # passed on: the caller has the name
        case other:
            raise ValueError(f"{path}:{call.lineno}: an event's name is a constant, not {ast.unparse(other)}")
