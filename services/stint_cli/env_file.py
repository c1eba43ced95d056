"""A file of KEY='value' lines, to be sourced by a shell: `. demo.env`, then `curl "$STINT_URL"`."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def read_env(path: Path) -> dict[str, str]:
    """Return the file's values. A missing file, or one of another form, has none."""
    said: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return said
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if len(words) == 1 and "=" in words[0]:
            name, _, value = words[0].partition("=")
            said[name] = value
    return said


def write_env(path: Path, values: Mapping[str, str], heading: str) -> None:
    """Write the file, readable by its owner alone; whole or not at all."""
    text = f"# {heading}\n" + "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _quoted(text: str) -> str:
    # Always in quotes, so that readers need no rule about when a shell needs them.
    return "'" + text.replace("'", "'\"'\"'") + "'"
