"""Traffic: workers that start and stop timers of half an hour, one after the other, while a test breaks something.

A press without a verdict is made again under its key, at the next API, until it has one. All that was pressed and heard
is written as a history, which the checkers read.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import httpx2 as httpx

from shared.events.idempotency import keyed_event_id
from tests.support.proof.checkers.history import Op
from tests.support.proof.evidence import problems_of
from tests.support.proof.minutes import ONE_STOPPED_TIMER, worked
from tests.support.proof.trail import Trail
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.patient import Patient
from tests.support.stack.waits import drained

_GOES_ON_WITHIN_SECONDS: Final = 30.0
_AGAIN_AFTER_SECONDS: Final = 0.05
# Workers pause, because the two cores are needed for the parts that recover.
_REST_SECONDS: Final = 0.1
_ASKED_AGAIN: Final = 150


@dataclass(frozen=True, slots=True)
class Press:
    """One press under one key: the start of an owner's timer, or the stop of a timer."""

    client: str
    verb: Literal["start", "stop"]
    target: str
    event_id: str

    async def at(self, api: Patient) -> httpx.Response:
        """Make it: the first time, or again."""
        return await (api.begin if self.verb == "start" else api.end)(self.target, key=self.verb)


@dataclass
class Traffic:
    """What was pressed and heard so far."""

    apis: Sequence[Patient]
    tenant: Tenant
    history: list[Op] = field(default_factory=list)
    answered: list[Press] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    ending: bool = False
    workers: list[asyncio.Task[None]] = field(default_factory=list)

    async def goes_on(self, shifts: int = 20) -> None:
        """Return when so many more shifts are over. Raises TimeoutError when the workers get no further."""
        enough = len(self.owners) + shifts
        async with asyncio.timeout(_GOES_ON_WITHIN_SECONDS):
            while len(self.owners) < enough:
                for worker in self.workers:
                    if worker.done():
                        worker.result()
                await asyncio.sleep(0.02)

    async def is_whole(self, deployment: Deployment, api: Patient, trail: Trail | None = None) -> None:
        """Ask for answers again, and check: no press was lost, none counts twice, each answer is as before."""
        assert self.owners
        for press in self.answered[:: len(self.answered) // _ASKED_AGAIN + 1]:
            await self._heard(press, api)
        await drained(deployment)
        assert await problems_of(deployment, self.history, trail) == []
        wrong = {o: w for o, w in (await worked(deployment.dsn, *self.owners)).items() if w != ONE_STOPPED_TIMER}
        assert not wrong

    async def work(self, number: int) -> None:
        """Work one shift after the other until `ending`."""
        while not self.ending:
            owner = fresh_owner()
            started = await self._insist(number, self._press(number, "start", owner))
            await self._insist(number, self._press(number, "stop", started.json()["timelog_id"]))
            self.owners.append(owner)
            await asyncio.sleep(_REST_SECONDS)

    def _press(self, number: int, verb: Literal["start", "stop"], target: str) -> Press:
        kind = "owner" if verb == "start" else "timer"
        event_id = keyed_event_id(self.tenant.name, self.tenant.client, kind, target, verb)
        return Press(f"worker-{number}", verb, target, str(event_id))

    async def _insist(self, number: int, press: Press) -> httpx.Response:
        for attempt in itertools.count(number):
            answer = await self._heard(press, self.apis[attempt % len(self.apis)])
            if answer is not None and answer.status_code in {200, 201}:
                self.answered.append(press)
                return answer
            # No press is refused here. Without a verdict, the answer says that the fate is unknown.
            assert answer is None or answer.status_code in {202, 503}, answer.text
            await asyncio.sleep(_AGAIN_AFTER_SECONDS)
        raise AssertionError("there is always another attempt")

    async def _heard(self, press: Press, api: Patient) -> httpx.Response | None:
        timer = press.target if press.verb == "stop" else None
        self.history.append(Op(time.monotonic(), press.client, press.verb, press.event_id, timer, "invoke"))
        try:
            answer = await press.at(api)
        except httpx.TransportError:
            self.history.append(Op(time.monotonic(), press.client, press.verb, press.event_id, timer, "info"))
            return None
        body = answer.json()
        self.history.append(
            Op(
                t=time.monotonic(),
                client=press.client,
                op=press.verb,
                event_id=press.event_id,
                timer_id=body.get("timelog_id", timer),
                type="ok" if answer.status_code in {200, 201} else "info",
                body=body,
                status=answer.status_code,
                position=body.get("position"),
            )
        )
        return answer


@asynccontextmanager
async def traffic(apis: Sequence[Patient], tenant: Tenant, workers: int = 8) -> AsyncIterator[Traffic]:
    """Run so many workers. When the block ends, each finishes its shift."""
    load = Traffic(apis, tenant)
    load.workers = [asyncio.create_task(load.work(number)) for number in range(workers)]
    try:
        await load.goes_on()
        yield load
        load.ending = True
        await asyncio.gather(*load.workers)
    finally:
        for worker in load.workers:
            worker.cancel()
