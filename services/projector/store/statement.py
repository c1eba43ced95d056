"""The statement of a commit: the compare-and-set and all writes of a batch. One statement is one transaction.

`advance_checkpoints.sql` is the frame. Each write is copied into it from its own file, with two changes. Its parameters
are numbered after those before it. And its arrays are read through `gate`, which has its one row only when each
checkpoint is where we read it, so Postgres cannot write a row of a batch before it has locked the checkpoints.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from services.projector.store.queries import query

FRAME: Final = "advance_checkpoints"

# Which tables a batch writes depends on its presses. A projector meets some twenty combinations.
_COMBINATIONS_MAX: Final = 100
_ARRAYS: Final = re.compile(r"unnest\(\s*(\$1::\w+\[\](?:,\s*\$\d+::\w+\[\])*)\s*\)")
_ARRAY: Final = re.compile(r"\$\d+::(\w+)\[\]")
_PARAMETER: Final = re.compile(r"\$(\d+)")
_COMMENT: Final = re.compile(r"^ *--.*\n", re.MULTILINE)


def types_of(name: str) -> Sequence[str]:
    """Return the types of the columns that a write reads, in the order of its parameters."""
    [arrays] = _ARRAYS.findall(query(name))
    return _ARRAY.findall(arrays)


def reading_from(name: str, source: str) -> str:
    r"""Return a write that reads its rows from another place; `\1` in it are the arrays."""
    return _ARRAYS.sub(source, query(name))


@lru_cache(_COMBINATIONS_MAX)
def statement_of(writes: tuple[str, ...]) -> str:
    """Return the statement that moves checkpoints and makes these writes: its values are the frame's, then theirs."""
    head, end = _bare(query(FRAME)).rsplit("\n)\n", 1)
    parts, taken = [head], len(_ARRAY.findall(head))
    for name in writes:
        write = _bare(reading_from(name, r"(SELECT row.* FROM gate CROSS JOIN unnest(\1) AS row)"))
        parts.append(f"), {name} AS (\n{_numbered_after(write, taken)}")
        taken += len(types_of(name))
    return "\n".join([*parts, f")\n{end}"])


def _bare(sql: str) -> str:
    return _COMMENT.sub("", sql).strip().removesuffix(";")


def _numbered_after(sql: str, taken: int) -> str:
    return _PARAMETER.sub(lambda parameter: f"${int(parameter[1]) + taken}", sql)
