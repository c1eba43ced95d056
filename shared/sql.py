"""SQL: queries, one `.sql` file each, beside the code that runs it; and what a statement may raise.

A query's file is named after what the query does. Comments are sent to Postgres too, so they show in
`pg_stat_activity`.
"""

from pathlib import Path
from typing import Final

import asyncpg

# What asyncpg and the socket raise while Postgres is away, restarts or is slow, and when it refuses a statement.
POSTGRES_FAILED: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Queries:
    """The queries of one folder. Each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Return the text of the query in `name`.sql."""
        if name not in self._texts:
            self._texts[name] = (self._folder / f"{name}.sql").read_text(encoding="utf-8")
        return self._texts[name]
