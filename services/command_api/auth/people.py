"""People: the person that an owner is in our tables, with the aliases, for tokens of ours and from outside.

A token of ours brings the person along. A token from outside does not, so the person is looked up when dialect B asks.
What was found is looked up again as often as a token. While Postgres is away it stays: aliases are written there, so
none can have changed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import Directory
from shared.bounded import make_room


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What was found; None: no person of ours. From `fresh_until` on, in the clock's seconds, it is looked up again."""

    person: Person | None
    fresh_until: float


class KnownPeople:
    """Finds persons, and remembers the last `people_max` of them. `clock` returns seconds."""

    def __init__(
        self,
        directory: Directory,
        clock: Callable[[], float],
        *,
        people_max: int,
        fresh_seconds: float,
        retry_seconds: float,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._people_max = people_max
        self._fresh_seconds = fresh_seconds
        self._retry_seconds = retry_seconds
        self._known: dict[tuple[str, str], _Remembered] = {}

    def remember(self, tenant: str, person: Person, fresh_until: float) -> None:
        """Remember a person that came with a token of ours."""
        self._keep(tenant, person.owner, _Remembered(person, fresh_until))

    async def of(self, tenant: str, owner: str) -> Person | None:
        """Return a person; None: the owner is none of ours. Raises ReadsAwayError when nothing is remembered either."""
        known = self._known.get((tenant, owner))
        if known is not None and known.fresh_until > self._clock():
            return known.person
        try:
            found = _Remembered(await self._directory.person(tenant, owner), self._clock() + self._fresh_seconds)
        except ReadsAwayError:
            known = self._known.get((tenant, owner))
            if known is None:
                raise
            found = _Remembered(known.person, self._clock() + self._retry_seconds)
        self._keep(tenant, owner, found)
        return found.person

    def _keep(self, tenant: str, owner: str, found: _Remembered) -> None:
        self._known.pop((tenant, owner), None)
        make_room(self._known, self._people_max)
        self._known[tenant, owner] = found
