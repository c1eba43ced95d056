"""People: what the API keeps of persons, who are no fact on the log."""

from collections.abc import Sequence
from typing import Final

from services.command_api.store.database import Database, query

_SET_ALIASES: Final = query("set_aliases")


class PersonRows:
    """`desk.People`, over the table that the operators' commands write too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_aliases(self, tenant: str, owner: str, aliases: Sequence[str]) -> bool:
        """Give a person these aliases instead of the old ones. False: there is no such person."""
        return bool(await self._database.written(_SET_ALIASES, tenant, owner, list(aliases)))
