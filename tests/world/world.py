"""The world: one clock, one source of chance, the topics, the database, and the processes that use them.

It is single-threaded and seeded: a seed is a story, and the same story each time.
"""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from shared.events.policies.book import PolicyRecord
from shared.events.policy import Policy
from tests.support.proof.checkers.history import Op
from tests.world.database import Database
from tests.world.loop import VirtualLoop
from tests.world.plan import Plan
from tests.world.texts import TextTopic
from tests.world.topics import EventTopic, OutcomeTopic, PolicyTopic

if TYPE_CHECKING:
    from tests.world.group import Group
    from tests.world.process import Process

# The process whose code runs, so that a killed process ends its own tasks and no others.
PROCESS: Final[contextvars.ContextVar["Process | None"]] = contextvars.ContextVar("process", default=None)
_MS: Final = timedelta(milliseconds=1)
# A host restarts with an empty clock battery, and its clock is over a month ahead for one record.
_JUMP: Final = timedelta(days=40)
# The clocks of those who set policies.
_CLOCKS: Final = (timedelta(), timedelta(hours=-6), timedelta(days=7))
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class KilledError(BaseException):
    """The process is dead. It is a BaseException, so that no `except Exception` of the product catches it."""


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
        # The reader of each partition of the replies.
        self.mailboxes: dict[int, Callable[[bytes | None], None]] = {}
        self.texts = TextTopic()
        # The comment of each start that its client knows to be recorded, by event id.
        self.commented: dict[str, str] = {}
        # How many presses are left to make, and the timers that clients know: tenant and short id.
        self.left = plan.presses
        self.known: list[tuple[str, int]] = []
        # The revision in force of each tenant.
        self.revisions: dict[str, int] = {}
        # The id that was drawn last in each slot, by any process.
        self.drawn: dict[int, int] = {}
        self.kafka_away = False
        self.healing = False
        # Whether projectors have a deadline clock.
        self.ticking = False
        # How many records are on their way to the log. They will land even if their sender dies.
        self.on_their_way = 0
        self._jumped = timedelta()
        loop.set_task_factory(self._task)
        loop.set_exception_handler(self._unhandled)

    # Time and chance.

    def now(self) -> datetime:
        """Return what the world's clocks show."""
        return self.plan.begins_at + self._jumped + timedelta(seconds=self.loop.now)

    def jump(self, by: timedelta) -> None:
        """Let hours or weeks pass. Processes notice only the date."""
        self._jumped += by

    def happens(self, kind: str) -> bool:
        """Return whether a fault of this kind happens now, and count it."""
        rate = self.plan.rates.get(kind)
        if rate is None or self.healing or self.chance.random() >= rate:
            return False
        self.fired[kind] += 1
        return True

    def soon(self) -> float:
        """Return a random time below the plan's latency."""
        return self.chance.random() * self.plan.latency_seconds

    def _dated(self, kpart: int) -> int:
        """Return the log time of the next record. The broker's clock goes back only after it has jumped ahead."""
        log_ms = (self.now() - _EPOCH) // _MS + self.chance.randrange(2)
        if self.happens("log_clock_jumps"):
            return log_ms + _JUMP // _MS
        self._newest_ms[kpart] = max(self._newest_ms[kpart], log_ms)
        return self._newest_ms[kpart]

    def _holes(self, kind: str) -> int:
        """Return how many offsets a foreign transaction leaves without a record before the next one."""
        return self.chance.randint(1, 2) if self.happens(kind) else 0

    # Tasks.

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of the world's own, which belongs to no process."""
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
        """Write one policy and return its offset. It is its revision, unless the policy is void."""
        # The brokers' clock decides from when it counts, however wrong the boss's is.
        set_at = self.now() + _CLOCKS[len(self.policies.records) % len(_CLOCKS)]
        record = PolicyRecord(replaces=replaces, set_by="boss", set_at=set_at, document=document)
        value = record.__pydantic_serializer__.to_json(record, by_alias=True, exclude_none=False)
        return self.write_policy(tenant.encode(), value)

    def write_policy(self, key: bytes | None, value: bytes | None) -> int:
        """Write any record on the topic of policies, and tell all processes to read it."""
        offset = self.policies.append(key, value, self.now())
        for process in self.processes:
            process.hear_of_policies()
        return offset
