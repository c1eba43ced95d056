"""`rebuild`: its arguments, and what it prints at its end."""

from typing import Annotated, Any, Final

import typer

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import opened
from services.stint_cli.rebuild.program import rebuilt
from services.stint_cli.rebuild.progress import ProgressDisplay
from services.stint_cli.settings import DeploymentSettings
from services.stint_cli.terminal.app import app
from services.stint_cli.terminal.command import Answer, command, written
from services.stint_cli.trouble import Trouble

_SHOWN: Final = 5

_Schema = Annotated[
    str | None, typer.Option(metavar="NAME", help="The schema that is filled, such as fold_v2. It takes the live name.")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with a rebuild that was interrupted.")]
_KeepOld = Annotated[bool, typer.Option("--keep-old", help="Keep the old tables, as fold_v1_old.")]
_Despite = Annotated[
    bool, typer.Option("--despite-differences", help="Switch although rows differ: the live ones are wrong.")
]


@command(app, "rebuild", example="stint rebuild --keep-old")
async def _rebuild(
    *,
    schema: _Schema = None,
    resume: _Resume = False,
    keep_old: _KeepOld = False,
    despite_differences: _Despite = False,
    as_json: bool = False,
) -> Answer:
    """Fill the read models anew beside the live ones, compare them, and switch, while everything goes on."""
    flags = {"--resume": resume, "--keep-old": keep_old, "--despite-differences": despite_differences}
    asked = [*(() if schema is None else ("--schema", schema)), *(name for name, given in flags.items() if given)]
    settings = DeploymentSettings()
    # A part that is away is told as by every command, and not in the words of the program that would fail on it.
    async with opened(settings), Brokers(settings.kafka):
        pass
    try:
        with ProgressDisplay(quiet=as_json) as display:
            result = await rebuilt(settings, asked, display.show)
    except Trouble as trouble:
        raise Trouble(_as_asked(str(trouble), schema)) from trouble
    text = _as_asked(_text(result), schema)
    return Answer(result, text, status=0 if result["switched"] or result.get("nothing_to_resume") else 1)


def _as_asked(text: str, schema: str | None) -> str:
    """Return advice to resume with the name of the schema, where it has another than the usual one."""
    return text if schema is None else text.replace("--resume", f"--schema {schema} --resume")


def _text(result: dict[str, Any]) -> str:
    if result.get("nothing_to_resume"):
        return f"Nothing is unfinished. {result['schema']} was switched to at {result['in_force_since']}."
    lines = []
    for different in result["differences"]:
        lines.append(f"{different['table']}: {different['count']} rows differ.")
        lines += [f"  {written(row)}" for row in different["rows"][:_SHOWN]]
    if not result["switched"]:
        lines.append(
            f"Not switched. {result['schema']} is filled and stays. If the live rows are the wrong ones: "
            "`stint rebuild --resume --despite-differences`."
        )
        return "\n".join(lines)
    kept = f" The old tables are in {result['kept']}." if result["kept"] else ""
    return "\n".join([*lines, f"Switched: {result['schema']} was filled from {result['outcomes']} outcomes.{kept}"])
