"""Lookout: one look at the checkpoints for all requests that wait for the read models to pass a position.

While any request waits there is one query at a time, for the partitions of all: at once for a request that comes, and
again every few hundredths of a second for those that stay. With none waiting there is no query.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from services.command_api.desk.rows import NoSuchPartitionError

LOOK_AGAIN_SECONDS: Final = 0.025
# Each holds a request and its connection; beyond, a caller is better served by trying again.
WAITERS_MAX: Final = 1000
# Of one tenant: a tenth, so that a tenant that waits for what will never come closes no door for the others.
TENANT_WAITERS_MAX: Final = 100

# From partitions to the next offset of each; a partition that does not exist is left out.
Look = Callable[[Sequence[int]], Awaitable[Mapping[int, int]]]


class _PositionWaiter:
    """One request that waits for `next_offset > offset`."""

    __slots__ = ("kpart", "offset", "passed")

    def __init__(self, kpart: int, offset: int, passed: "asyncio.Future[bool]") -> None:
        self.kpart = kpart
        self.offset = offset
        self.passed = passed

    def hear(self, next_offset: int | None) -> None:
        """Take one look. A partition that does not exist will never pass anything."""
        if self.passed.done():
            return
        if next_offset is None:
            self.passed.set_exception(NoSuchPartitionError(self.kpart))
        elif next_offset > self.offset:
            self.passed.set_result(True)

    def fail(self, error: Exception) -> None:
        """Take a look that failed."""
        if not self.passed.done():
            self.passed.set_exception(error)


class Lookout:
    """Waits for positions. What `look` raises, all requests that wait at that moment hear."""

    def __init__(
        self, look: Look, *, waiters_max: int = WAITERS_MAX, tenant_waiters_max: int = TENANT_WAITERS_MAX
    ) -> None:
        self._look = look
        self._waiters_max = waiters_max
        self._tenant_waiters_max = tenant_waiters_max
        # Requests that hold a place: those that wait, and those that heard and have not gone on yet.
        self._places = Counter[str]()
        self._waiting: dict[_PositionWaiter, None] = {}
        self._somebody_came = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, tenant: str, kpart: int, offset: int, seconds: float) -> bool:
        """Wait until a partition has passed `offset`; False: `seconds` were not enough, or too many wait already.

        Raises NoSuchPartitionError, and what the look raises.
        """
        if self._places.total() >= self._waiters_max or self._places[tenant] >= self._tenant_waiters_max:
            return False
        self._places[tenant] += 1
        try:
            return await self._wait(kpart, offset, seconds)
        finally:
            self._places[tenant] -= 1
            if not self._places[tenant]:
                del self._places[tenant]

    async def _wait(self, kpart: int, offset: int, seconds: float) -> bool:
        waiter = _PositionWaiter(kpart, offset, asyncio.get_running_loop().create_future())
        self._waiting[waiter] = None
        self._somebody_came.set()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_while_anybody_waits())
        try:
            # Not by a deadline on the future: one that failed in the same tick must still be asked what it heard.
            await asyncio.wait([waiter.passed], timeout=seconds)
            return waiter.passed.done() and waiter.passed.result()
        finally:
            self._waiting.pop(waiter, None)

    async def _look_while_anybody_waits(self) -> None:
        try:
            while self._waiting:
                self._somebody_came.clear()
                await self._tell(list(self._waiting))
                if self._waiting:
                    await self._a_while()
        finally:
            # No await since nobody was seen waiting, so nobody came in between.
            self._looking = None

    async def _tell(self, waiting: Sequence[_PositionWaiter]) -> None:
        try:
            found = await self._look(sorted({waiter.kpart for waiter in waiting}))
        except Exception as error:  # noqa: BLE001 - each of them answers for it as if the look had been theirs
            for waiter in waiting:
                waiter.fail(error)
        else:
            for waiter in waiting:
                waiter.hear(found.get(waiter.kpart))
        for waiter in waiting:
            if waiter.passed.done():
                self._waiting.pop(waiter, None)

    async def _a_while(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._somebody_came.wait()
        except TimeoutError:
            return
