"""One command: an async function from its arguments to an answer, which is printed for people or as JSON."""

import asyncio
import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.stint_cli.terminal.failures import explained
from services.stint_cli.terminal.plain import plain, plain_cell

# Wide enough that no program which reads a list finds a row on two lines.
_NO_TERMINAL_COLUMNS: Final = 10_000

Run = Callable[..., Awaitable["Answer"]]

_AS_JSON: Final = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="Print one JSON object or array, and nothing else.")],
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list for people: one line each, in columns."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: `data` as JSON, `text` to people, `note` on stderr to both.

    `status` 1: it ran, and something is wrong.
    """

    data: object
    text: str | Listing
    status: int = 0
    note: str | None = None


def command(group: typer.Typer, name: str, *, example: str) -> Callable[[Run], Run]:
    """Make a function the command `name` of a group. Its docstring and `example` are its help."""

    def registered(run: Run) -> Run:
        def called(*, as_json: bool, **arguments: object) -> None:
            if asks:
                arguments[_AS_JSON.name] = as_json
            with explained():
                answer = asyncio.run(_answer(run, arguments))
            _print(answer, as_json=as_json)
            raise typer.Exit(answer.status)

        signature = inspect.signature(run)
        # A command that draws something meanwhile asks whether it may.
        asks = _AS_JSON.name in signature.parameters
        own = [parameter for name, parameter in signature.parameters.items() if name != _AS_JSON.name]
        # typer makes arguments and options of a function's parameters.
        called.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*own, _AS_JSON], return_annotation=None
        )
        group.command(name, help=inspect.getdoc(run), epilog=f"Example: {example}")(called)
        return run

    return registered


async def _answer(run: Run, arguments: dict[str, object]) -> Answer:
    return await run(**arguments)


def moment(at: datetime | None) -> str | None:
    """Return a moment in whole seconds, in UTC."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def written(data: object) -> str:
    """Return JSON for people and programs."""
    return plain(json.dumps(data, ensure_ascii=False, indent=2))


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print(written(answer.data))
    elif isinstance(answer.text, Listing):
        _print_rows(answer.text)
    else:
        print(plain(answer.text))
    if answer.note is not None:
        print(f"stint: {plain(answer.note)}", file=sys.stderr)


def _print_rows(listing: Listing) -> None:
    # Text, not markup: a name may have brackets.
    table = Table(*listing.headings, box=None, pad_edge=False, header_style="bold")
    for row in listing.rows:
        table.add_row(*(Text(plain_cell(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _NO_TERMINAL_COLUMNS
    Console(width=width, highlight=False).print(table)
