"""The lookout: many requests wait for positions, and one task looks them up."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from services.command_api.desk.rows import NoSuchPartitionError, ReadsAwayError
from services.command_api.store.lookout import LOOK_AGAIN_SECONDS, TENANT_WAITERS_MAX, Lookout


class Checkpoints:
    """The checkpoints of two partitions, and every lookup of them."""

    def __init__(self) -> None:
        self.next_offsets = {3: 42, 4: 7}
        self.looks: list[Sequence[int]] = []
        self.at_once = self.at_once_max = 0
        self.error: Exception | None = None

    async def look(self, kparts: Sequence[int]) -> Mapping[int, int]:
        self.looks.append(kparts)
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        return {kpart: self.next_offsets[kpart] for kpart in kparts if kpart in self.next_offsets}


async def test_a_position_that_is_passed_is_seen_at_the_first_look() -> None:
    checkpoints = Checkpoints()
    assert await Lookout(checkpoints.look).wait("acme", 3, 41, 0) is False  # no time, no lookup
    assert await Lookout(checkpoints.look).wait("acme", 3, 41, 1.0)
    assert checkpoints.looks[-1] == [3]


async def test_a_position_that_is_not_reached_in_time_is_not_reached() -> None:
    assert not await Lookout(Checkpoints().look).wait("acme", 3, 42, LOOK_AGAIN_SECONDS * 2)


async def test_a_partition_that_does_not_exist_is_not_waited_for() -> None:
    checkpoints = Checkpoints()
    async with asyncio.timeout(1.0):
        with pytest.raises(NoSuchPartitionError):
            await Lookout(checkpoints.look).wait("acme", 999, 0, 30.0)
    assert checkpoints.looks == [[999]]


async def test_a_waiter_hears_of_a_commit_made_meanwhile() -> None:
    checkpoints = Checkpoints()
    lookout = Lookout(checkpoints.look)
    waiting = asyncio.create_task(lookout.wait("acme", 3, 42, 5.0))
    await asyncio.sleep(LOOK_AGAIN_SECONDS)
    checkpoints.next_offsets[3] = 43
    assert await waiting


async def test_a_hundred_waiters_make_one_lookup_at_a_time() -> None:
    checkpoints = Checkpoints()
    lookout = Lookout(checkpoints.look)
    seconds = LOOK_AGAIN_SECONDS * 8
    passed = await asyncio.gather(*(lookout.wait("acme", 3 + n % 2, 10**9, seconds) for n in range(100)))
    assert not any(passed)
    assert checkpoints.at_once_max == 1
    # One lookup per waiter would be eight hundred.
    assert 2 <= len(checkpoints.looks) <= 10
    assert checkpoints.looks[0] == [3, 4]


async def test_the_lookout_without_waiters_asks_nothing() -> None:
    checkpoints = Checkpoints()
    lookout = Lookout(checkpoints.look)
    assert not await lookout.wait("acme", 3, 42, LOOK_AGAIN_SECONDS * 2)
    await asyncio.sleep(LOOK_AGAIN_SECONDS * 2)
    looks = len(checkpoints.looks)
    await asyncio.sleep(LOOK_AGAIN_SECONDS * 3)
    assert len(checkpoints.looks) == looks
    assert await lookout.wait("acme", 3, 41, 1.0)  # and a later waiter is looked up again


async def test_a_new_waiter_is_looked_up_at_once_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.command_api.store.lookout.LOOK_AGAIN_SECONDS", 5.0)
    lookout = Lookout(Checkpoints().look)
    patient = asyncio.create_task(lookout.wait("acme", 3, 10**9, 0.5))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(0.3):
        assert await lookout.wait("acme", 4, 6, 0.3)
    assert not await patient


async def test_one_waiter_too_many_hears_that_it_is_not_reached() -> None:
    lookout = Lookout(Checkpoints().look, waiters_max=2)
    patient = [asyncio.create_task(lookout.wait("acme", 3, 10**9, LOOK_AGAIN_SECONDS * 3)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not await lookout.wait("acme", 3, 0, 5.0)
    assert await asyncio.gather(*patient) == [False, False]
    assert await lookout.wait("acme", 3, 0, 5.0)  # there is room again


async def test_a_tenants_thousand_waiters_leave_the_reads_of_another_alone() -> None:
    """They wait for a position that never comes. Each read of the other tenant carries X-Min-Position."""
    lookout = Lookout(Checkpoints().look)
    patient = [asyncio.create_task(lookout.wait("acme", 3, 10**18, 0.5)) for _ in range(1000)]
    await asyncio.sleep(0)
    assert await asyncio.gather(*(lookout.wait("other", 3, 41, 5.0) for _ in range(TENANT_WAITERS_MAX))) == [True] * 100
    assert not await lookout.wait("acme", 3, 41, 5.0)
    assert sum(not waiting.done() for waiting in patient) == TENANT_WAITERS_MAX
    assert not any(await asyncio.gather(*patient))
    assert await lookout.wait("acme", 3, 41, 5.0)  # there is room again
    assert not lookout._places


async def test_a_waiter_that_gives_up_makes_room() -> None:
    lookout = Lookout(Checkpoints().look, waiters_max=1)
    patient = asyncio.create_task(lookout.wait("acme", 3, 10**9, 30.0))
    await asyncio.sleep(0)
    patient.cancel()
    await asyncio.wait([patient])
    assert await lookout.wait("acme", 3, 0, 5.0)


async def test_all_waiters_hear_that_postgres_is_away() -> None:
    """The next lookup is a new one."""
    checkpoints = Checkpoints()
    checkpoints.error = ReadsAwayError()
    lookout = Lookout(checkpoints.look)
    heard = await asyncio.gather(*(lookout.wait("acme", 3, 0, 5.0) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in heard] == [ReadsAwayError] * 3
    checkpoints.error = None
    assert await lookout.wait("acme", 3, 0, 5.0)
