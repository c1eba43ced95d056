"""What a rebuild says to the program that started it: lines of JSON, and why it cannot go on."""

import json
import sys
from typing import Any


class RebuildError(Exception):
    """Why a rebuild cannot go on, and what an operator can do about it, in one or two sentences."""


def in_one_line(error: BaseException) -> str:
    """Return the text of an error without its full stop. Postgres gives its detail and its hint lines of their own."""
    return " ".join(str(error).split()).rstrip(".")


def say(**line: Any) -> None:  # noqa: ANN401 - anything that JSON has
    """Say one line. Raises BrokenPipeError when nobody listens any more: then the rebuild ends, and can be resumed."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
