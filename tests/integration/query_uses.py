"""Where the code runs each query, read from its source: how many values it passes, of which kinds, and what it reads.

Nothing is run here. What cannot be followed in the source is said to be so, and is never guessed.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Kinds of Python values, and the types of Postgres that asyncpg makes of them.
TYPES = {
    "bytes": {"bytea"},
    "str": {"text", "varchar", "json", "jsonb"},
    "int": {"int2", "int4", "int8"},
    "bool": {"bool"},
    "float": {"float8"},
    "UUID": {"uuid"},
    "date": {"date"},
    "datetime": {"timestamptz"},
}
ARRAY = "array"

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a query is run. `kinds`: of each value that is passed; None where the source does not say."""

    query: str
    where: str
    kinds: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A function that runs queries. `columns`: what it reads of their rows by name, its helpers included.

    `fields`: of the class that it makes of a whole row, which cannot have other columns; None: there is no such class.
    """

    where: str
    queries: set[str]
    columns: set[str]
    fields: set[str] | None = None


class CannotFollowError(Exception):
    """The source passes values in a way that is not read here."""


class Source:
    """The modules of one service."""

    def __init__(self, folder: Path, *shared: Path) -> None:
        self._trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
        known = [ast.parse(path.read_text(encoding="utf-8")) for path in shared]
        nodes = [node for tree in (*known, *self._trees.values()) for node in ast.walk(tree)]
        self._functions = {node.name: node for node in nodes if isinstance(node, _Function)}
        self._constants = {
            node.target.id: node.value
            for tree in self._trees.values()
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
        }
        functions = self._functions.values()
        self._outer = {
            node: outer
            for outer in functions
            for node in ast.walk(outer)
            if isinstance(node, _Function) and node is not outer
        }
        self._classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}

    def uses(self) -> Iterator[Use]:
        """Return every place that runs a query, named there or held by a constant or a variable."""
        for path, tree in self._trees.items():
            held = _held(tree.body, {})
            for function in [node for node in ast.walk(tree) if isinstance(node, _Function)]:
                for call in [node for node in _own(function) if isinstance(node, ast.Call)]:
                    # Of two assignments the one just above counts.
                    before = [node for node in ast.walk(function) if getattr(node, "lineno", call.lineno) < call.lineno]
                    scope = held | _held(sorted(before, key=_line), held)
                    for place, argument in enumerate(call.args):
                        for name in _queries_in(argument, scope):
                            kinds = tuple(self._kinds(call.args[place + 1 :], function))
                            yield Use(name, f"{path.name}:{call.lineno}", kinds)

    def readers(self) -> Iterator[Reader]:
        """Return every function that runs queries, with what it and its helpers read of their rows."""
        runs: dict[_Function, tuple[str, set[str]]] = {}
        for path, tree in self._trees.items():
            held = _held(tree.body, {})
            for function in [node for node in ast.walk(tree) if isinstance(node, _Function)]:
                scope = held | _held(ast.walk(function), held)
                if queries := {name for node in _own(function) for name in _queries_in(node, scope)}:
                    runs[function] = (f"{path.name}: {function.name}", queries)
        for function, (where, queries) in runs.items():
            # A helper that runs queries itself has rows of its own.
            near = self._near(function, {other.name for other in runs if other is not function})
            columns = {name for one in near for name in _subscripts(one)}
            whole = self._whole(function)
            if whole is None:
                yield Reader(where, queries, columns)
            else:
                yield Reader(where, queries, columns | _required(whole), set(_fields(whole)))

    def _near(self, function: _Function, seen: set[str]) -> Iterator[_Function]:
        """Return a function, and those of the service that it calls by their bare names, and so on."""
        seen.add(function.name)
        yield function
        for name in map(_called, _own(function)):
            if name in self._functions and name not in seen:
                yield from self._near(self._functions[name], seen)

    def _whole(self, function: _Function) -> ast.ClassDef | None:
        """Return the class that is made of a whole row, as in `TimerRow(**dict(row))`; None: there is none."""
        for node in _own(function):
            if isinstance(node, ast.Call) and (cls := self._classes.get(_called(node))) is not None:
                said = [ast.unparse(each.value) for each in node.keywords if each.arg is None]
                if said in (["row"], ["dict(row)"]):
                    return cls
        return None

    def _kinds(self, arguments: Iterable[ast.expr], function: _Function) -> Iterator[str | None]:
        for argument in arguments:
            if isinstance(argument, ast.Starred):
                yield from self._spread(argument.value, function)
            else:
                yield self._kind(argument, function)

    def _spread(self, value: ast.expr, function: _Function) -> Iterator[str | None]:
        """Return the kinds of what `*value` passes."""
        match value:
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                yield from self._kinds(elements, function)
            case ast.BoolOp(values=[*_, last]) | ast.IfExp(body=last):
                yield from self._spread(last, function)
            case ast.Call(func=ast.Name(id="columns"), args=[ast.Name(id=name)]):
                row = _assigned(function, name)
                if not isinstance(row, ast.ListComp):
                    raise CannotFollowError(name)
                yield from [ARRAY for _ in self._spread(row.elt, function)]
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                returned = [node for node in ast.walk(self._functions[name]) if isinstance(node, ast.Return)]
                yield from self._spread(returned[-1].value or value, self._functions[name])
            case ast.Name(id=name) if (given := _assigned(function, name)) is not None:
                yield from self._spread(given, function)
            case ast.Name(id=name) if name in self._constants:
                yield from self._spread(self._constants[name], function)
            case ast.Name(id=name) if (named := _annotation(function, name)) in self._classes:
                yield from _fields(self._classes[named]).values()
            case _:
                raise CannotFollowError(ast.unparse(value))

    def _kind(self, value: ast.expr, function: _Function) -> str | None:
        match value:
            case ast.Constant(value=constant) if constant is not None:
                return type(constant).__name__
            case ast.ListComp() | ast.List() | ast.Call(func=ast.Name(id="list" | "sorted")):
                return ARRAY
            case ast.BinOp(left=left):
                return self._kind(left, function)
            case ast.Call() if (name := _called(value)) in self._functions:
                return _told(self._functions[name].returns)
            case ast.Name(id=name) if name in self._constants:
                return self._kind(self._constants[name], function)
            case ast.Name(id=name):
                given = _assigned(function, name)
                if told := _told_text(_annotation(function, name)):
                    return told
                if given is not None:
                    return self._kind(given, function)
                # A function in a function sees what the outer one was given.
                outer = self._outer.get(function)
                return None if outer is None else self._kind(value, outer)
            case _:
                return None


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _own(function: _Function) -> Iterator[ast.AST]:
    """Walk a function, and leave out the functions in it."""
    todo: list[ast.AST] = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if not isinstance(node, _Function):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def _held(nodes: Iterable[ast.AST], known: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return what names are assigned of a value that names queries."""
    held: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            names = {name for inner in ast.walk(node.value) for name in _named(inner, known)}
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names and not any(isinstance(inner, ast.Await) for inner in ast.walk(node.value)):
                held |= {target.id: names for target in targets if isinstance(target, ast.Name)}
    return held


def _named(node: ast.AST, known: dict[str, set[str]]) -> set[str]:
    match node:
        case ast.Call(func=ast.Name(id="query"), args=[ast.Constant(value=str(name))]):
            return {name}
        case ast.Name(id=name):
            return known.get(name, set())
        case _:
            return set()


def _queries_in(node: ast.AST, scope: dict[str, set[str]]) -> set[str]:
    """Return the queries that an argument is: by name, by a constant, or one of a table of them."""
    return _named(node.value if isinstance(node, ast.Subscript) else node, scope)


def _assigned(function: _Function, name: str) -> ast.expr | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for to, value in pairs:
                    if isinstance(to, ast.Name) and to.id == name:
                        return value
    return None


def _annotation(function: _Function, name: str) -> str:
    every = [*function.args.args, *function.args.kwonlyargs]
    return next((ast.unparse(one.annotation) for one in every if one.arg == name and one.annotation), "")


def _told(annotation: ast.expr | None) -> str | None:
    return None if annotation is None else _told_text(ast.unparse(annotation))


def _told_text(annotation: str) -> str | None:
    text = annotation.removeprefix("Annotated[").partition(", ")[0].removesuffix(" | None")
    if text.startswith(("Sequence[", "list[", "set[")):
        return ARRAY
    return text if text in TYPES else None


def _fields(cls: ast.ClassDef) -> dict[str, str | None]:
    return {
        node.target.id: _told(node.annotation)
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)):
            return name
        case _:
            return ""


def _required(cls: ast.ClassDef) -> set[str]:
    return {
        node.target.id
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is None
    }


def _subscripts(function: _Function) -> Iterator[str]:
    if any("list[dict[" in ast.unparse(one.annotation) for one in function.args.args if one.annotation):
        return  # what it calls a row is a member of JSON
    for node in _own(function):
        match node:
            case ast.Subscript(value=ast.Name(id="row" | "share" | "parts"), slice=ast.Constant(value=str(name))):
                yield name
            case _:
                pass
