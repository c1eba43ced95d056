"""The world: one clock, one source of chance, the topics, the database, and whoever lives in it.

Single-threaded and seeded: a seed is a story, the same each time it is told.
"""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from shared.events.policy import Policy
from shared.events.policy_book import PolicyRecord
from tests.support.proof.checkers.history import Op
from tests.world.database import Database
from tests.world.loop import VirtualLoop
from tests.world.plan import Plan
from tests.world.texts import TextTopic
from tests.world.topics import EventTopic, OutcomeTopic, PolicyTopic

if TYPE_CHECKING:
    from tests.world.group import Group
    from tests.world.process import Process

# Whose code runs: so that a process that is killed takes its tasks with it, and those of nobody else.
PROCESS: Final[contextvars.ContextVar["Process | None"]] = contextvars.ContextVar("process", default=None)
_MS: Final = timedelta(milliseconds=1)
# A host comes back from a dead battery with its clock a month and more ahead, for one record.
_JUMP: Final = timedelta(days=40)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class KilledError(BaseException):
    """The process is dead. No `except Exception` of the product outlives it."""


class World:
    """What all parts of one run share."""

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self.plan = plan
        self.loop = loop
        self.chance = Random(f"world {plan.seed}")
        self.fired: Counter[str] = Counter()
        self.problems: list[str] = []
        self.alarms: Counter[str] = Counter()
        self.history: list[Op] = []
        self.points: list[str] = []
        self.events = EventTopic(plan.partitions, self._dated, lambda: self._holes("gap_in_events"))
        self.outcomes = OutcomeTopic(plan.partitions, lambda: self._holes("gap_in_outcomes"))
        self._newest_ms = [0] * plan.partitions
        self.policies = PolicyTopic()
        self.database = Database(plan.partitions)
        self.processes: list[Process] = []
        self.group: Group | None = None
        # Who reads which partition of the replies.
        self.mailboxes: dict[int, Callable[[bytes | None], None]] = {}
        self.texts = TextTopic()
        # What was written beside a start that its client knows to be recorded, by event id.
        self.commented: dict[str, str] = {}
        # How many presses are left to make, and the timers that people have heard of: tenant and short id.
        self.left = plan.presses
        self.known: list[tuple[str, int]] = []
        # The revision in force of each tenant.
        self.revisions: dict[str, int] = {}
        # The id that was drawn last in each slot, by whichever process.
        self.drawn: dict[int, int] = {}
        self.kafka_away = False
        self.healing = False
        # Records that are on their way to the log, and will land whatever becomes of their sender.
        self.on_their_way = 0
        self._jumped = timedelta()
        loop.set_task_factory(self._task)
        loop.set_exception_handler(self._unhandled)

    # Time and chance.

    def now(self) -> datetime:
        """Return what the world's clocks show."""
        return self.plan.begins_at + self._jumped + timedelta(seconds=self.loop.now)

    def jump(self, by: timedelta) -> None:
        """Let hours or weeks pass of which no process notices anything but the date."""
        self._jumped += by

    def happens(self, kind: str) -> bool:
        """Say whether a fault of this kind happens now, and count it."""
        rate = self.plan.rates.get(kind)
        if rate is None or self.healing or self.chance.random() >= rate:
            return False
        self.fired[kind] += 1
        return True

    def soon(self) -> float:
        """Return how long something takes that takes no time worth mentioning."""
        return self.chance.random() * self.plan.latency_seconds

    def _dated(self, kpart: int) -> int:
        """Return the log time of the next record: the broker's clock never goes back, unless it has jumped ahead."""
        log_ms = (self.now() - _EPOCH) // _MS + self.chance.randrange(2)
        if self.happens("log_clock_jumps"):
            return log_ms + _JUMP // _MS
        self._newest_ms[kpart] = max(self._newest_ms[kpart], log_ms)
        return self._newest_ms[kpart]

    def _holes(self, kind: str) -> int:
        """Return how many offsets a foreign transaction leaves without a record."""
        return self.chance.randint(1, 2) if self.happens(kind) else 0

    # Tasks.

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something of the world's own."""
        return self.loop.create_task(work, context=contextvars.Context())

    def _task(self, loop: Any, work: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - asyncio's own types
        task = asyncio.Task(work, loop=loop, **options)
        context = options.get("context")
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is not None:
            process.tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, KilledError):
            self.problems.append(f"a task died of {error!r}")

    def _unhandled(self, _: object, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), KilledError):
            self.problems.append(f"unhandled: {context.get('message')} {context.get('exception')!r}")

    # Policies.

    def set_policy(self, tenant: str, replaces: int | None, document: Policy) -> int:
        """Write one policy and return its offset: its revision, unless it turns out void."""
        record = PolicyRecord(replaces=replaces, set_by="boss", set_at=self.now(), document=document)
        value = record.__pydantic_serializer__.to_json(record, by_alias=True, exclude_none=False)
        return self.write_policy(tenant.encode(), value)

    def write_policy(self, key: bytes | None, value: bytes | None) -> int:
        """Write one record, whatever it is, and have all processes hear of it."""
        offset = self.policies.append(key, value)
        for process in self.processes:
            process.hear_of_policies()
        return offset
