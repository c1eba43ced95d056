"""A rebalance, a loss or an end at each step of the loop: before and after every call to a port.

The steps are counted in a run in which nothing happens, and then each is disturbed in a run of its own.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from services.projector.loop.keeper import Keeper
from services.projector.loop.partition.partition import Status
from services.projector.ports import Advance
from tests.support.fakes.house import A_DAY, ACCEPTED, HOME, House, MoodyStore, at_work
from tests.support.fakes.in_hand import EventsInHand, OutcomesInHand, turns

_SEEN_AT_LEAST: Final = 20
_CALLS: Final = frozenset(
    {"span", "first_from", "read", "publish", "checkpoint", "commit", "unpublished", "save_progress"}
)

Disturbs = Callable[[Keeper], Awaitable[None]]


@dataclass
class Steps:
    """Counts the steps of a run, and lets something begin at one of them. The call goes on meanwhile."""

    at: int | None = None
    happens: Callable[[], Awaitable[None]] | None = None
    count: int = 0
    _begun: list["asyncio.Future[None]"] = field(default_factory=list)

    async def step(self) -> None:
        """Pass one step."""
        number, self.count = self.count, self.count + 1
        if number == self.at and self.happens is not None:
            self._begun.append(asyncio.ensure_future(self.happens()))
            await turns(5)

    def around(self, port: Any) -> Any:  # noqa: ANN401 - any port
        """Make two steps of each call of a port: one before it and one after."""

        def stepping(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def called(*given: Any) -> Any:  # noqa: ANN401 - as the port's own
                await self.step()
                answer = await call(*given)
                await self.step()
                return answer

            return called

        for name in _CALLS:
            if hasattr(port, name):
                setattr(port, name, stepping(getattr(port, name)))
        return port


async def rebalanced(keeper: Keeper) -> None:
    """Take the partition and give it back, as a group does that somebody joins."""
    await keeper.revoked([HOME])
    keeper.assigned([HOME])


async def given_again(keeper: Keeper) -> None:
    """Give the partition once more, without a word before."""
    keeper.assigned([HOME])


async def displaced(keeper: Keeper) -> None:
    """Doubt the partition's position."""
    keeper.displaced([HOME], "a test")


async def revoked_for_a_while(keeper: Keeper) -> None:
    """Take the partition, and give it back later."""
    await keeper.revoked([HOME])
    await turns(50)
    keeper.assigned([HOME])


def a_house(steps: Steps) -> House:
    """Return a house whose ports have steps. It is one press behind, and has an outcome that is not published."""
    return House(
        log=steps.around(EventsInHand()), outcomes=steps.around(OutcomesInHand()), store=steps.around(MoodyStore())
    )


async def a_day(house: House) -> None:
    """Let the presses of a day come, in three batches, and time pass."""
    for press in A_DAY:
        await house.hears(press)
        await house.clock.passes(1.0)
    for _ in range(12):
        await house.clock.passes(1.0)


def first_tellings(stream: Sequence[bytes]) -> list[bytes]:
    """Return what a reader keeps who skips what it knows."""
    return list(dict.fromkeys(stream))


@pytest.mark.parametrize("disturbs", [rebalanced, given_again, displaced, revoked_for_a_while])
async def test_a_partition_that_is_disturbed_at_any_step_loses_and_doubles_nothing(disturbs: Disturbs) -> None:
    calm = Steps()
    async with at_work(a_house(calm)) as house:
        await a_day(house)
    assert calm.count >= _SEEN_AT_LEAST
    for at in range(calm.count):
        steps = Steps(at)
        house = a_house(steps)
        keeper = house.projector.keeper
        steps.happens = lambda keeper=keeper: disturbs(keeper)
        async with at_work(house):
            await a_day(house)
            assert (at, house.said()) == (at, ACCEPTED)
            assert (at, house.state()[0]) == (at, Status.LIVE)
            assert (at, first_tellings(house.outcomes.streams[HOME])) == (at, house.store.bodies[HOME])
            assert (at, house.store.checkpoints[HOME].published) == (at, len(A_DAY))


@dataclass
class UnfencedStore(MoodyStore):
    """A store that takes a commit from wherever it was read: the compare-and-set is off."""

    async def commit(self, advances: Sequence[Advance]) -> None:
        for advance in advances:
            self.checkpoints[advance.to.kpart] = replace(advance.to, next_offset=advance.read_at)
        await super().commit(advances)


async def test_control_without_the_fence_some_step_doubles_a_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "MoodyStore", UnfencedStore)
    with pytest.raises(AssertionError, match="accepted"):
        await test_a_partition_that_is_disturbed_at_any_step_loses_and_doubles_nothing(given_again)


async def test_an_end_at_any_step_leaves_what_the_next_projector_goes_on_with() -> None:
    """And no task of it works on after the end."""
    calm = Steps()
    async with at_work(a_house(calm)) as house:
        await a_day(house)
    for at in range(calm.count):
        steps = Steps(at)
        house = a_house(steps)
        steps.happens = house.projector.stop
        before = asyncio.all_tasks()
        running = asyncio.ensure_future(house.projector.run())
        house.projector.keeper.assigned([HOME])
        await a_day(house)
        house.log.end_poll()
        await asyncio.wait_for(running, 5)
        await house.clock.passes(5.0)
        assert (at, asyncio.all_tasks() - before) == (at, set())
        heir = House(log=EventsInHand(logs=house.log.logs), outcomes=house.outcomes, store=house.store)
        async with at_work(heir):
            await heir.clock.passes(5.0)
            assert (at, heir.said()) == (at, ACCEPTED)
            assert (at, first_tellings(heir.outcomes.streams[HOME])) == (at, heir.store.bodies[HOME])
