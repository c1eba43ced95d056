"""Revocations: a revoked client ends within the time that what was found is relied on, and Postgres may be away."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from services.command_api.auth.revocations import Revocations
from services.command_api.desk.rows import ReadsAwayError

FRESH: Final = 60.0
RETRY: Final = 5.0


@dataclass
class Wired:
    """Revocations whose loop has a clock that the test sets, over a directory in hand."""

    revoked: set[str] = field(default_factory=set)
    away: bool = False
    looks: int = 0
    seconds: float = 1000.0
    clients_max: int = 100

    def __post_init__(self) -> None:
        directory: Any = self
        self.revocations = Revocations(
            directory, clients_max=self.clients_max, fresh_seconds=FRESH, retry_seconds=RETRY
        )
        loop: Any = self
        self._real, self.revocations._loop = asyncio.get_running_loop(), loop

    def time(self) -> float:
        return self.seconds

    def create_task(self, work: Any) -> "asyncio.Task[Any]":  # noqa: ANN401 - the loop's own
        return self._real.create_task(work)

    async def is_revoked(self, client_id: str) -> bool:
        self.looks += 1
        await asyncio.sleep(0)
        if self.away:
            raise ReadsAwayError
        return client_id in self.revoked

    async def ends(self, client_id: str = "crm") -> bool:
        """Return what a request hears, after the lookups that it began are done."""
        heard = (await self.revocations.of(client_id)).revoked
        for _ in range(3):
            await asyncio.sleep(0)
        return heard


async def test_a_client_is_looked_up_at_its_first_request_and_not_again_for_half_a_minute() -> None:
    """So a process that has just started knows who was revoked before."""
    it = Wired(revoked={"old"})
    assert (await it.ends("old"), await it.ends()) == (True, False)
    it.seconds += FRESH / 2 - 1
    assert (await it.ends("old"), await it.ends()) == (True, False)
    assert it.looks == 2


@pytest.mark.parametrize("asks_every", [1.0, 29.0, 61.0])
async def test_a_revoked_client_ends_within_a_minute(asks_every: float) -> None:
    it = Wired()
    assert not await it.ends()
    it.revoked.add("crm")
    worked_until = revoked_at = it.seconds
    while not await it.ends():
        worked_until = it.seconds
        it.seconds += asks_every
    assert worked_until - revoked_at < FRESH


async def test_a_client_that_calls_all_the_time_never_waits_for_postgres() -> None:
    it = Wired()
    await it.ends()
    it.seconds += FRESH / 2
    looking = it.revocations.of("crm")
    with pytest.raises(StopIteration):  # it has its answer without a single wait
        looking.send(None)
    await asyncio.sleep(0.01)
    assert it.looks == 2


async def test_with_postgres_away_a_client_is_believed_and_looked_up_when_it_is_back() -> None:
    it = Wired(away=True, revoked={"crm"})
    assert not await it.ends()
    it.away = False
    it.seconds += RETRY
    assert await it.ends()


async def test_a_client_that_was_revoked_stays_so_while_postgres_is_away() -> None:
    it = Wired(revoked={"crm"})
    assert await it.ends()
    it.away = True
    it.seconds += 2 * FRESH
    assert await it.ends()


async def test_fifty_requests_at_once_are_one_look() -> None:
    it = Wired()
    found = await asyncio.gather(*(it.revocations.of("crm") for _ in range(50)))
    assert (it.looks, {one.revoked for one in found}) == (1, {False})


async def test_only_so_many_clients_are_remembered() -> None:
    it = Wired(clients_max=2)
    for client in ("a", "b", "c"):
        await it.ends(client)
    assert len(it.revocations._known) == 2
