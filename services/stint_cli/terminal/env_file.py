"""A file of KEY='value' lines, to be sourced by a shell: `. demo.env`, then `curl "$STINT_URL"`."""

import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path


def read_env(path: Path) -> dict[str, str]:
    """Return the file's values. A missing file, or one of another form, has none."""
    values: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return values
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if len(words) == 1 and "=" in words[0]:
            name, _, value = words[0].partition("=")
            values[name] = value
    return values


def write_env(path: Path, values: Mapping[str, str], heading: str) -> None:
    """Write the file, readable by its owner alone; whole or not at all."""
    text = f"# {heading}\n" + "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody can have made before, because the folder may be one where all may write, such as /tmp.
    number, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    Path(fresh).replace(path)


def _quoted(text: str) -> str:
    # Always in quotes, so that readers need no rule about when a shell needs them.
    return "'" + text.replace("'", "'\"'\"'") + "'"
