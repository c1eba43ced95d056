"""Messages to the program that started a rebuild: lines of JSON, and why the rebuild cannot go on."""

import json
import sys
from typing import Any, Final

# Part of a message as soon as the new tables are there.
STAYS: Final = "What is filled stays: `stint rebuild --resume` goes on there."


class RebuildError(Exception):
    """Why a rebuild cannot go on, and what an operator can do about it, in one or two sentences."""


def in_one_line(error: BaseException) -> str:
    """Return the text of an error without its full stop. Postgres gives its detail and its hint lines of their own."""
    return " ".join(str(error).split()).rstrip(".")


def failed(part: str, error: BaseException) -> str:
    """Return which part failed, and with what, in one sentence."""
    # Some errors have no text. The text of Kafka's errors begins with their name.
    name, text = type(error).__name__, in_one_line(error)
    if isinstance(error, TimeoutError):
        text = text or "it did not answer in time"
    return f"{part} failed: {text if text.startswith(name) else f'{name}: {text}'.removesuffix(': ')}."


def send(**line: Any) -> None:  # noqa: ANN401 - anything that JSON has
    """Write one line. Raises BrokenPipeError when nobody reads any more: the rebuild ends, and can be resumed."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
