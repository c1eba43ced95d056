"""Traffic: people who work half an hour each, one after the other, while a test breaks something underneath them.

They insist: a press that hears no verdict is made again under its key, at another API if need be, until it has one.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx

from tests.support.deployments import Deployment, fresh_owner
from tests.support.minutes import ONE_STOPPED_TIMER, kept_twice, worked
from tests.support.patient import Patient
from tests.support.waits import drained

_GOES_ON_WITHIN_SECONDS: Final = 30.0
_AGAIN_AFTER_SECONDS: Final = 0.05
# People rest: two cores are busy enough with what is being broken.
_REST_SECONDS: Final = 0.1
_ASKED_AGAIN: Final = 150
_AT_ONCE: Final = 30

Press = Callable[[Patient], Awaitable[httpx.Response]]


@dataclass
class Traffic:
    """What was pressed and answered so far. `unheard` counts presses that had to be made again."""

    apis: Sequence[Patient]
    owners: list[str] = field(default_factory=list)
    answered: list[tuple[Press, bytes]] = field(default_factory=list)
    unheard: int = 0
    ending: bool = False
    workers: list[asyncio.Task[None]] = field(default_factory=list)

    async def goes_on(self, shifts: int = 20) -> None:
        """Return when so many more shifts are over: whatever was broken, people go on working."""
        enough = len(self.owners) + shifts
        async with asyncio.timeout(_GOES_ON_WITHIN_SECONDS):
            while len(self.owners) < enough:
                for worker in self.workers:
                    if worker.done():
                        worker.result()
                await asyncio.sleep(0.02)

    async def is_whole(self, deployment: Deployment, api: Patient) -> None:
        """Check that nothing was lost, nothing counts twice, and that answers are given again when asked for again."""
        assert self.owners
        asked = self.answered[:: len(self.answered) // _ASKED_AGAIN + 1]
        for first in range(0, len(asked), _AT_ONCE):
            some = asked[first : first + _AT_ONCE]
            again = await asyncio.gather(*(press(api) for press, _ in some))
            assert [answer.content for answer in again] == [content for _, content in some]
        await drained(deployment)
        wrong = {o: w for o, w in (await worked(deployment.dsn, *self.owners)).items() if w != ONE_STOPPED_TIMER}
        assert not wrong
        assert await kept_twice(deployment.dsn) == []

    async def work(self, number: int) -> None:
        """Work one shift after the other until it is time to go."""
        while not self.ending:
            owner = fresh_owner()
            started = await self._insist(number, partial(Patient.begin, owner=owner, key="start"))
            timer = started.json()["id"]
            stopped = await self._insist(number, partial(Patient.end, timer=timer, key="stop"))
            assert stopped.json()["total_seconds"] == 1800, stopped.text
            self.owners.append(owner)
            await asyncio.sleep(_REST_SECONDS)

    async def _insist(self, number: int, press: Press) -> httpx.Response:
        for attempt in itertools.count(number):
            try:
                answer = await press(self.apis[attempt % len(self.apis)])
            except httpx.TransportError:
                pass
            else:
                if answer.status_code in {200, 201}:
                    self.answered.append((press, answer.content))
                    return answer
                assert answer.status_code in {202, 503}, answer.text
            self.unheard += 1
            await asyncio.sleep(_AGAIN_AFTER_SECONDS)
        raise AssertionError("there is always another attempt")


@asynccontextmanager
async def traffic(apis: Sequence[Patient], workers: int = 8) -> AsyncIterator[Traffic]:
    """Let so many people work. When the block ends, each ends the shift in hand."""
    load = Traffic(apis)
    load.workers = [asyncio.create_task(load.work(number)) for number in range(workers)]
    try:
        await load.goes_on()
        yield load
        load.ending = True
        await asyncio.gather(*load.workers)
    finally:
        for worker in load.workers:
            worker.cancel()
