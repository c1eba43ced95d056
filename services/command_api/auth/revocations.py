"""Revocations: whether a client whose signature is good was revoked meanwhile. No client is looked up twice a minute.

    age of what was found    0 ---------- half a minute ---------- a minute
    a request                is answered  is answered, and begins  waits for
                             at once      a lookup                 the lookup

Postgres is away: what was found stays for some seconds more, and a client that was never looked up is believed.
Presses must be recorded while Postgres is away.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.directory import Directory
from shared.bounded import make_room

# The part of its time after which what was found is looked up again, before a request has to wait for it.
_AHEAD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found of a client. In loop time: ask again from the first time on, rely on it until the second."""

    revoked: bool
    ask_again_at: float
    fresh_until: float


class Revocations:
    """Looks clients up, and remembers the last `clients_max` of them."""

    def __init__(self, directory: Directory, *, clients_max: int, fresh_seconds: float, retry_seconds: float) -> None:
        self._directory = directory
        self._clients_max = clients_max
        self._fresh_seconds = fresh_seconds
        self._retry_seconds = retry_seconds
        self._loop = asyncio.get_running_loop()
        self._known: dict[str, Standing] = {}
        self._looking: dict[str, asyncio.Task[Standing]] = {}

    async def of(self, client_id: str) -> Standing:
        """Return the standing of a client. Never raises because Postgres is away."""
        known, now = self._known.get(client_id), self._loop.time()
        if known is not None and known.ask_again_at > now:
            return known
        # Fifty requests of one client at one moment are one lookup.
        looking = self._looking.get(client_id)
        if looking is None:
            looking = self._looking[client_id] = self._loop.create_task(self._look(client_id))
            looking.add_done_callback(self._ended(client_id))
        return known if known is not None and known.fresh_until > now else await asyncio.shield(looking)

    def _ended(self, client_id: str) -> Callable[["asyncio.Task[Standing]"], None]:
        def ended(look: "asyncio.Task[Standing]") -> None:
            del self._looking[client_id]
            if not look.cancelled():
                look.exception()  # each request that waits gets the error; without one, asyncio must not log it

        return ended

    async def _look(self, client_id: str) -> Standing:
        # Counted from before the lookup: a client that is revoked while it runs ends within the promised time too.
        since, seconds = self._loop.time(), self._fresh_seconds
        try:
            revoked = await self._directory.is_revoked(client_id)
        except ReadsAwayError:
            known = self._known.get(client_id)
            revoked = known is not None and known.revoked
            since, seconds = self._loop.time(), self._retry_seconds
        found = Standing(revoked, since + seconds * _AHEAD, since + seconds)
        self._known.pop(client_id, None)
        make_room(self._known, self._clients_max)
        self._known[client_id] = found
        return found
