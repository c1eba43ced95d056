"""Lookout: one look at the checkpoints for all requests that wait until the read models have passed a position.

While requests wait, one query runs at a time, with the partitions of all of them. It runs at once when a request comes,
and again every few hundredths of a second. While no request waits, no query runs.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from services.command_api.desk.rows import NoSuchPartitionError

LOOK_AGAIN_SECONDS: Final = 0.025
# Each holds a request and its connection. Above this, a retry serves the caller better.
WAITERS_MAX: Final = 1000
# One tenant may have a tenth, so that useless waits of one tenant do not shut out the others.
TENANT_WAITERS_MAX: Final = 100

# Returns the next offset of each partition. A partition that does not exist is left out.
Look = Callable[[Sequence[int]], Awaitable[Mapping[int, int]]]


class _PositionWaiter:
    """One request that waits for `next_offset > offset`."""

    __slots__ = ("kpart", "offset", "passed")

    def __init__(self, kpart: int, offset: int, passed: "asyncio.Future[bool]") -> None:
        self.kpart = kpart
        self.offset = offset
        self.passed = passed

    def compare(self, next_offset: int | None) -> None:
        """Take the result of one look. `next_offset` None: the partition does not exist."""
        if self.passed.done():
            return
        if next_offset is None:
            self.passed.set_exception(NoSuchPartitionError(self.kpart))
        elif next_offset > self.offset:
            self.passed.set_result(True)

    def fail(self, error: Exception) -> None:
        """Take the error of a look that failed."""
        if not self.passed.done():
            self.passed.set_exception(error)


class Lookout:
    """Waits for positions. An error of `look` goes to all requests that wait at that moment."""

    def __init__(
        self, look: Look, *, waiters_max: int = WAITERS_MAX, tenant_waiters_max: int = TENANT_WAITERS_MAX
    ) -> None:
        self._look = look
        self._waiters_max = waiters_max
        self._tenant_waiters_max = tenant_waiters_max
        # Requests that hold a place: they wait, or were answered and have not left yet.
        self._places = Counter[str]()
        self._waiting: dict[_PositionWaiter, None] = {}
        self._request_came = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, tenant: str, kpart: int, offset: int, seconds: float) -> bool:
        """Wait until a partition has passed `offset`; False: `seconds` were not enough, or too many wait.

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
        self._request_came.set()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_while_any_waits())
        try:
            # No deadline on the future itself: a result that comes in the same tick as the deadline must still count.
            await asyncio.wait([waiter.passed], timeout=seconds)
            return waiter.passed.done() and waiter.passed.result()
        finally:
            self._waiting.pop(waiter, None)

    async def _look_while_any_waits(self) -> None:
        try:
            while self._waiting:
                self._request_came.clear()
                await self._look_for(list(self._waiting))
                if self._waiting:
                    await self._pause()
        finally:
            # No await since the last check, so no request came in between.
            self._looking = None

    async def _look_for(self, waiting: Sequence[_PositionWaiter]) -> None:
        try:
            found = await self._look(sorted({waiter.kpart for waiter in waiting}))
        except Exception as error:  # noqa: BLE001 - each request answers for the error as if the look were its own
            for waiter in waiting:
                waiter.fail(error)
        else:
            for waiter in waiting:
                waiter.compare(found.get(waiter.kpart))
        for waiter in waiting:
            if waiter.passed.done():
                self._waiting.pop(waiter, None)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._request_came.wait()
        except TimeoutError:
            return
