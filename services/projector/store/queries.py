"""The projector's queries: one `.sql` file each, named after what it does."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def query(name: str) -> str:
    """Return the text of the query in `name`.sql."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
