"""Stories: one seed's world from its first press to the last row, and again from its logs alone."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

import structlog

from services.projector.domain.entry import moment_of
from services.projector.domain.rules import judge as judging
from services.projector.domain.rules.case import Case
from services.projector.domain.rules.judge import RULES_OF_A_REPEATED_STOP, rules_of
from shared.events.models import BODY_OF
from shared.events.policy import Mode, RuleMode
from tests.support.proof.checkers.history import Evidence, EvidenceRecord, Op
from tests.world.foreign import NEWER_READ_AS, NEWER_TYPE, downgrade, upgrade
from tests.world.group import Group
from tests.world.loop import VirtualLoop, run
from tests.world.office import LATE_SECONDS, Office
from tests.world.people import BREAKER, Pressing
from tests.world.plan import Plan
from tests.world.policies import policy
from tests.world.tables import Tables
from tests.world.texts import problems_of
from tests.world.trouble import Trouble
from tests.world.world import World

# Within this time after the last fault, all presses must be folded and published.
HEALED_WITHIN_SECONDS: Final = 30.0
LOOKS_EVERY_SECONDS: Final = 60.0
# How late the look at a deadline may be. A tick that was lost is sent again after 60 s at the latest.
LOOKED_AT_WITHIN: Final = timedelta(seconds=5)
SENT_AGAIN_SECONDS: Final = 75.0
_NIGHT: Final = timedelta(hours=11)
_LOOK_SECONDS: Final = 0.1
_IDLE_SECONDS: Final = 2.0
_PRUNED_SECONDS: Final = 62.0

Guard = Callable[[World], None]


@dataclass(frozen=True)
class SeedStory:
    """What one seed's run leaves behind."""

    plan: Plan
    evidence: Evidence
    fired: Counter[str]
    problems: tuple[str, ...]
    points: tuple[str, ...]
    alarms: Counter[str]
    tables: Tables


def tell(plan: Plan, guard_off: Guard | None = None) -> SeedStory:
    """Run a plan to its end: presses and faults, then the repair, then rest."""
    loop = VirtualLoop()
    with _arranged() as alarms:
        world = _world(plan, loop, alarms)
        if guard_off is not None:
            guard_off(world)
        run(_live(world), loop)
    return _story(world)


def tell_again(story: SeedStory, plan: Plan, *, judge_again: bool) -> SeedStory:
    """Begin with an empty database and the logs of a story. Catch up from its outcomes, or judge all presses again."""
    loop = VirtualLoop()
    with _arranged() as alarms:
        world = _world(plan, loop, alarms)
        _bring_back(world, story.evidence, outcomes=not judge_again)
        if story.evidence.also:
            upgrade()
        run(_fold_only(world), loop)
    return _story(world)


def go_on(story: SeedStory, *steps: tuple[Guard, float]) -> SeedStory:
    """Continue after the end of a story, with one projector on its logs and its database.

    Each step changes the world, and lets so many seconds pass.
    """
    loop = VirtualLoop()
    with _arranged() as alarms:
        world = _world(replace(story.plan, rates={}, projectors=1), loop, alarms)
        _bring_back(world, story.evidence, outcomes=True)
        world.database.tables = story.tables
        run(_step_by_step(world, steps), loop)
    return _story(world)


async def _step_by_step(world: World, steps: Sequence[tuple[Guard, float]]) -> None:
    trouble = Trouble(world, Group(world))
    for number, (step, seconds) in enumerate(steps):
        step(world)
        if number == 0:
            trouble.start()
        await asyncio.sleep(seconds)


def _bring_back(world: World, evidence: Evidence, *, outcomes: bool) -> None:
    for record in evidence.policies:
        world.policies.append(record.key, record.value, record.log_time or world.now())
    for record in evidence.events:
        world.events.restore(record)
    for record in evidence.outcomes if outcomes else ():
        world.outcomes.restore(record)


@contextmanager
def _arranged() -> Iterator[Counter[str]]:
    """Make a rule raise for one client and count what the product logs. Undo both at the end."""
    alarms: Counter[str] = Counter()

    def hear(_: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        alarms[f"{method}: {event['event']}"] += 1
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[hear], cache_logger_on_first_use=False)
    try:
        with (
            patch.object(judging, "rules_of", lambda case: (_breaks, *rules_of(case))),
            patch.object(judging, "RULES_OF_A_REPEATED_STOP", (_breaks, *RULES_OF_A_REPEATED_STOP)),
        ):
            yield alarms
    finally:
        structlog.configure(**before)
        downgrade()


def _breaks(case: Case) -> None:
    if case.event.actor.client == BREAKER:
        raise ZeroDivisionError


def _world(plan: Plan, loop: VirtualLoop, alarms: Counter[str]) -> World:
    world = World(plan, loop)
    world.alarms = alarms
    return world


async def _live(world: World) -> None:
    zones = dict(zip(("acme", "birch"), world.plan.zones, strict=False))
    refuses = RuleMode(mode=Mode.BLOCK)
    limits: dict[str, Any] = {"R10": refuses, "R12": refuses} if world.plan.has_limits else {}
    for tenant, zone in zones.items():
        world.revisions[tenant] = world.set_policy(tenant, None, policy(zone, **limits))
    world.ticking = True
    trouble = Trouble(world, Group(world))
    if world.plan.has_limits:
        trouble.foreign.limits(zones)
    for _ in range(world.plan.projectors):
        trouble.start()
    world.spawn(trouble.live())
    offices = [Office(world, n, skew) for n, skew in enumerate(_skews(world))]
    tenants = sorted({tenant for tenant, _ in world.plan.owners})
    people = [Pressing(world, f"c{n}", tenants[n % len(tenants)], offices) for n in range(world.plan.people)]
    await asyncio.gather(*(world.spawn(person.live()) for person in people))
    await _heal(world, trouble)
    _ask_again(world)
    world.problems += problems_of(world.texts, world.chance, world.commented)


def _skews(world: World) -> tuple[timedelta, timedelta]:
    """Return how far the clocks of two API processes are off."""
    if world.happens("clock_slow"):
        return timedelta(), timedelta(seconds=-31)
    return timedelta(milliseconds=3), timedelta(seconds=31 if world.happens("clock_fast") else 0)


async def _fold_only(world: World) -> None:
    trouble = Trouble(world, Group(world))
    for _ in range(world.plan.projectors):
        trouble.start()
    world.spawn(trouble.live())
    await _heal(world, trouble)


async def _heal(world: World, trouble: Trouble) -> None:
    """Repair all that an operator can repair, and wait until all is folded, looked at and published."""
    if world.ticking:
        # A night in which nobody presses, and faults that go on: what falls due in it comes by ticks alone.
        world.jump(_NIGHT)
        await asyncio.sleep(_IDLE_SECONDS)
    world.healing = True
    world.database.away = world.kafka_away = False
    if not await _drained(world):
        return
    if "newer_event" in world.fired:
        upgrade()
        await _restart(world, trouble)
        if not await _drained(world):
            return
    if not await _looked_after(world):
        return
    # The projector prunes outcomes once a minute: after a month, or when a record says that a month has passed.
    may_prune = {"month_passes", "log_clock_jumps"} & world.fired.keys()
    await asyncio.sleep(_PRUNED_SECONDS if may_prune else _IDLE_SECONDS)
    for process in list(world.processes):
        await process.stop()


async def _looked_after(world: World) -> bool:
    """Wait until every deadline that has come was looked at. Then the clocks stop, so that the log may end."""
    began = world.loop.now
    while world.ticking and (late := world.database.tables.due(world.now() - LOOKED_AT_WITHIN)):
        if world.loop.now - began > SENT_AGAIN_SECONDS:
            world.problems.append(f"not looked at {SENT_AGAIN_SECONDS:.0f} s after the last fault: {late}")
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    world.ticking = False
    return await _drained(world)


async def _restart(world: World, trouble: Trouble) -> None:
    for process in list(world.processes):
        await process.stop()
        trouble.start()


async def _drained(world: World) -> bool:
    within = HEALED_WITHIN_SECONDS
    if "dump_restored" in world.fired:
        # A partition without presses looks at its database once a minute, and only then notices that it is older.
        within += LOOKS_EVERY_SECONDS
    began = last_fault = world.loop.now
    while (left := _behind(world)) is not None:
        if world.on_their_way and world.loop.now - began < LATE_SECONDS:
            last_fault = world.loop.now  # a send that is late goes on until it lands
        if world.loop.now - last_fault > within:
            world.problems.append(f"not drained {within:.0f} s after the last fault: {left}")
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _behind(world: World) -> str | None:
    """Return what is still to be done, or None. A partition may wait before an event of the next release."""
    if world.on_their_way:
        return f"{world.on_their_way} records are on their way"
    if zombies := [process.name for process in world.processes if process.frozen and not process.stuck]:
        return f"{zombies} have still to come back"
    for process in world.processes:
        in_force = {tenant: process.book.latest_revision(tenant) for tenant in world.revisions}
        if in_force != world.revisions:
            return f"{process.name} has read the policies {in_force}, and in force are {world.revisions}"
    for kpart, at in world.database.tables.checkpoint.items():
        left = [record.offset for record in world.events.records[kpart] if record.offset >= at.next_offset]
        if left and not _held(world, kpart, left):
            return f"partition {kpart} stands at {at.next_offset}, before {left}"
        kept = {row[1] for row in world.database.tables.rows["outcome"].values() if row[0] == kpart}
        if waiting := kept - world.outcomes.judged[kpart]:
            return f"partition {kpart}: {sorted(waiting)} are not published"
    return None


def _held(world: World, kpart: int, left: list[int]) -> bool:
    """Return whether a partition rightly waits for the next release."""
    if NEWER_TYPE in BODY_OF or "error: event_newer_than_we_are" not in world.alarms:
        return False  # we are the next release, or there was no alarm
    # A held partition does not look at its database. The upgrade takes it up again, from where the database is by then.
    ahead = left if "dump_restored" in world.fired else left[:1]
    return any(
        name == "ce_type" and value == NEWER_TYPE.encode()
        for record in world.events.records[kpart]
        if record.offset in ahead
        for name, value in record.headers
    )


def _ask_again(world: World) -> None:
    """Ask once more for the verdict of every press that a client got an answer to."""
    newest = {str(row[2]): row for row in sorted(world.database.tables.rows["outcome"].values())}
    for event_id in sorted({op.event_id for op in world.history if op.type != "invoke" and op.event_id}):
        if event_id in newest:
            kpart, offset, *_, body = newest[event_id]
            heard = Op(world.loop.now, "asker", "ask", event_id, None, "ok", json.loads(body), 200, f"{kpart}:{offset}")
            world.history += [replace(heard, type="invoke", body=None, status=None, position=None), heard]


def _story(world: World) -> SeedStory:
    world.fired["fenced"] += world.database.fenced
    world.fired["known, not news"] += world.database.known
    evidence = Evidence(
        partitions=world.plan.partitions,
        history=tuple(world.history),
        events=tuple(
            EvidenceRecord(kpart, r.offset, r.key, r.value, r.headers, moment_of(r.timestamp))
            for kpart, log in enumerate(world.events.records)
            for r in log
        ),
        outcomes=tuple(
            EvidenceRecord(kpart, r.offset, r.key, r.value)
            for kpart, log in enumerate(world.outcomes.records)
            for r in log
        ),
        policies=tuple(
            EvidenceRecord(0, offset, key, value, [], at)
            for offset, (key, value, at) in enumerate(world.policies.records)
        ),
        tables=world.database.tables.dump(),
        moves=tuple(world.database.moves),
        breaks=frozenset({BREAKER}),
        also=NEWER_READ_AS if "newer_event" in world.fired else {},
        ended_at=world.now(),
    )
    return SeedStory(
        plan=world.plan,
        evidence=evidence,
        fired=world.fired,
        problems=tuple(world.problems),
        points=tuple(world.points),
        alarms=Counter(world.alarms),
        tables=world.database.tables,
    )
