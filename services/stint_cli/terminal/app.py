"""The command `stint`. Rooms of commands hang theirs in here."""

from typing import Final

import typer

app: Final = typer.Typer(
    help="The commands for operators of Stint. Each may be run again at any time.",
    no_args_is_help=True,
    # A bug of ours is shown as Python shows it, so that a report has all of it.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def group(name: str, does: str) -> typer.Typer:
    """Return a new group of commands: `stint NAME …`."""
    made = typer.Typer(help=does, no_args_is_help=True)
    app.add_typer(made, name=name)
    return made
