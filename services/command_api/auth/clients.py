"""Clients: the caller that a client's id stands for, where the broker has let the client in (dialect D).

A client that was found is remembered: with Postgres away, the clients of the last minutes go on pressing.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.command_api.desk.commands import Caller
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.directory import Directory
from shared.bounded import make_room

UNKNOWN_FOR_SECONDS: Final = 1.0
CLIENTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """What was found under an id, None: nothing. `fresh_until` is loop time."""

    caller: Caller | None
    fresh_until: float


class KnownClients:
    """`intake.Clients`, over the directory."""

    def __init__(self, directory: Directory, *, fresh_seconds: float) -> None:
        self._directory = directory
        self._fresh_seconds = fresh_seconds
        self._loop = asyncio.get_running_loop()
        self._found: dict[str, _LookedUp] = {}
        # The commands of one round come at once, and most are of one client: the first one looks.
        self._one_at_a_time = asyncio.Lock()

    async def client(self, client_id: str) -> Caller | None:
        """Return the caller, None: there is no such client. Raises ReadsAwayError when nothing is remembered either."""
        found = self._fresh(client_id)
        if found is None:
            async with self._one_at_a_time:
                found = self._fresh(client_id) or await self._look(client_id)
        return found.caller

    def _fresh(self, client_id: str) -> _LookedUp | None:
        found = self._found.get(client_id)
        return found if found is not None and found.fresh_until > self._loop.time() else None

    async def _look(self, client_id: str) -> _LookedUp:
        since = self._loop.time()  # before the lookup, so that a client that is revoked meanwhile ends in time too
        try:
            row = await self._directory.client(client_id)
        except ReadsAwayError:
            remembered = self._found.get(client_id)
            if remembered is None or remembered.caller is None:
                raise
            return remembered
        caller = None if row is None else Caller(row.tenant, client_id, row.role)
        fresh_seconds = UNKNOWN_FOR_SECONDS if caller is None else self._fresh_seconds
        self._found.pop(client_id, None)
        make_room(self._found, CLIENTS_MAX)
        self._found[client_id] = _LookedUp(caller, since + fresh_seconds)
        return self._found[client_id]
