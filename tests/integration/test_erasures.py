"""The eraser on a real Postgres, with tombstones that a test looks at: no text of an erased owner stays."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.projector.texts import eraser
from services.projector.texts.batch import TextRecord
from services.projector.texts.eraser import Eraser
from services.projector.texts.projection import Texts
from shared.events.ids import ID_EPOCH, make_short, partition_of, slot_of
from shared.events.models import ToldActor
from shared.events.outcome import Fact, Outcome, write_outcome
from tests.support.stack.deployments import PARTITIONS, Deployment

TENANT: Final = "acme"
# Keys are known for 30 days, so what is old must be old by the clock of Postgres.
NOON: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
LATER: Final = NOON + timedelta(minutes=10)


class Tombstones:
    """The topic in memory. `away`: the broker is."""

    def __init__(self) -> None:
        self.written: list[tuple[int, int]] = []
        self.away = False

    async def partitions(self) -> int:
        return PARTITIONS

    async def erase(self, timers: Sequence[tuple[int, int]]) -> None:
        if self.away:
            raise ConnectionError("no broker")
        self.written += timers


class Desk:
    """A database of its own, with a log of texts and outcomes that tests write."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.log = Tombstones()
        self.texts = Texts(pool)
        self.eraser = Eraser(pool, self.log)
        self._offsets: dict[int, int] = {}
        self._judged = 0
        self._drawn = 0

    def kpart(self, owner: str) -> int:
        return partition_of(slot_of(TENANT, owner), PARTITIONS)

    def timer(self, owner: str, at: datetime) -> int:
        self._drawn += 1
        return make_short((at - ID_EPOCH) // timedelta(milliseconds=1), slot_of(TENANT, owner), self._drawn)

    async def wrote(self, owner: str, at: datetime, event_id: UUID | None = None, tenant: str = TENANT) -> int:
        """Keep a text about a timer that is drawn at `at`; return the timer."""
        timer, kpart = self.timer(owner, at), self.kpart(owner)
        said = {"tenant": tenant, "owner": owner, "event_id": str(event_id or uuid4()), "comment": f"of {timer}"}
        offset = self._offsets[kpart] = self._offsets.get(kpart, -1) + 1
        await self.texts.keep([TextRecord(kpart, offset, b"%d" % timer, json.dumps(said).encode())])
        return timer

    async def judged(self, owner: str, at: datetime, event_id: UUID | None = None, **said: Any) -> None:  # noqa: ANN401
        """Write an outcome down; by default, that the owner's texts are erased."""
        self._judged += 1
        example: dict[str, Any] = {
            "source_offset": self._judged,
            "event_id": event_id or uuid4(),
            "event_type": "owner.texts_erased.v1",
            "subject": None,
            "tenant": TENANT,
            "owner": owner,
            "actor": ToldActor(client="office", role="admin"),
            "dialect": "native",
            "digest": "d",
            "recorded_at": at,
            "log_time": at,
            "at": at,
            "policy_rev": 0,
            "policy_revision": 0,
            "verdict": "accepted",
            "fact": Fact(kind="texts_erased", body={}),
        }
        outcome = Outcome(**example | said)
        await self.pool.execute(
            "INSERT INTO outcome (kpart, source_offset, event_id, tenant, digest, log_time, body)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.kpart(owner),
            outcome.source_offset,
            outcome.event_id,
            outcome.tenant,
            outcome.digest,
            outcome.log_time,
            write_outcome(outcome).decode(),
        )

    async def started(self, owner: str, at: datetime, event_id: UUID) -> None:
        """Write down that a start was judged."""
        await self.judged(owner, at, event_id, event_type="timer.started.v1", fact=None)

    async def kept(self) -> set[int]:
        """Return the timers that have a text."""
        return {row["timer_id"] for row in await self.pool.fetch("SELECT timer_id FROM timer_text")}

    def erased(self) -> set[int]:
        """Return the timers that have a tombstone."""
        return {timer for _, timer in self.log.written}


@pytest.fixture
async def desk(deployment: Deployment) -> AsyncIterator[Desk]:
    dsn = await deployment.fresh_database("erasures")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        yield Desk(pool)


async def test_an_erasure_takes_every_text_of_its_owner_and_no_other(desk: Desk) -> None:
    danas = {await desk.wrote("dana", NOON), await desk.wrote("dana", NOON)}
    noas = await desk.wrote("noa", NOON)
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    assert await desk.kept() == {noas}
    assert desk.log.written == [(desk.kpart("dana"), timer) for timer in sorted(danas)]


async def test_an_owner_of_the_same_name_of_another_tenant_keeps_its_texts(desk: Desk) -> None:
    tenant, owner = _neighbour()
    theirs = await desk.wrote(owner, NOON, tenant=tenant)
    await desk.judged(owner, LATER)
    await desk.eraser.look()
    assert (await desk.kept(), desk.log.written) == ({theirs}, [])


async def test_a_text_that_comes_after_the_erasure_of_its_timer_is_erased_too(desk: Desk) -> None:
    """The projection of texts was behind, or the record of a start that failed landed late."""
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    late = await desk.wrote("dana", LATER)
    new = await desk.wrote("dana", LATER + timedelta(milliseconds=1))
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == ({new}, {late})


async def test_without_the_list_a_late_text_would_stay(desk: Desk) -> None:
    """The control of the test above."""
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    late = await desk.wrote("dana", LATER)
    await desk.pool.execute("DELETE FROM text_to_erase")
    await desk.eraser.look()
    assert (await desk.kept(), desk.log.written) == ({late}, [])


async def test_a_retry_of_an_older_start_brings_its_text_back_to_nothing(desk: Desk) -> None:
    """The retry draws another timer, and its text is written before the fold says that the press is known."""
    press = uuid4()
    first = await desk.wrote("dana", NOON, press)
    await desk.started("dana", NOON, press)
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    again = await desk.wrote("dana", LATER + timedelta(minutes=5), press)
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == (set(), {first, again})


async def test_a_retry_that_comes_before_the_erasure_is_looked_for_is_erased_too(desk: Desk) -> None:
    press = uuid4()
    await desk.started("dana", NOON, press)
    await desk.judged("dana", LATER)
    again = await desk.wrote("dana", LATER + timedelta(minutes=5), press)
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == (set(), {again})


async def test_a_start_after_the_erasure_keeps_its_text_also_when_it_is_tried_again(desk: Desk) -> None:
    press = uuid4()
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    await desk.started("dana", LATER + timedelta(minutes=1), press)
    first = await desk.wrote("dana", LATER + timedelta(minutes=1), press)
    again = await desk.wrote("dana", LATER + timedelta(minutes=2), press)
    await desk.eraser.look()
    assert (await desk.kept(), desk.log.written) == ({first, again}, [])


async def test_a_key_that_is_forgotten_is_a_new_start_with_a_text_of_its_own(desk: Desk) -> None:
    press = uuid4()
    await desk.started("dana", NOON - timedelta(days=30), press)
    await desk.judged("dana", NOON)
    await desk.eraser.look()
    new = await desk.wrote("dana", LATER, press)
    await desk.eraser.look()
    assert await desk.kept() == {new}


@pytest.mark.parametrize("said", [{"verdict": "refused", "rule": "R23"}, {"event_type": "owner.leave_granted.v1"}])
async def test_only_an_accepted_erasure_erases(desk: Desk, said: dict[str, Any]) -> None:
    timer = await desk.wrote("dana", NOON)
    await desk.judged("dana", LATER, **said)
    await desk.eraser.look()
    assert await desk.kept() == {timer}


async def test_a_text_stays_until_its_tombstone_is_acknowledged(desk: Desk) -> None:
    """Deleted first, nobody would know which tombstones are missing."""
    timer = await desk.wrote("dana", NOON)
    await desk.judged("dana", LATER)
    desk.log.away = True
    with pytest.raises(ConnectionError):
        await desk.eraser.look()
    assert await desk.kept() == {timer}
    desk.log.away = False
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == (set(), {timer})


async def test_an_erasure_that_is_found_again_takes_no_newer_text(desk: Desk) -> None:
    """An older dump was restored: the search begins again at its position."""
    old = await desk.wrote("dana", NOON)
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    new = await desk.wrote("dana", LATER + timedelta(seconds=1))
    await desk.pool.execute("TRUNCATE erasure_position, text_erasure")
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == ({new}, {old})


async def test_a_second_erasure_takes_what_was_written_since(desk: Desk) -> None:
    await desk.judged("dana", NOON)
    await desk.eraser.look()
    between = await desk.wrote("dana", LATER - timedelta(seconds=1))
    await desk.eraser.look()
    assert await desk.kept() == {between}
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == (set(), {between})


async def test_long_lists_and_long_searches_are_done_in_shares(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eraser, "OUTCOMES_AT_ONCE", 2)
    monkeypatch.setattr(eraser, "TIMERS_AT_ONCE", 2)
    for _ in range(5):
        await desk.wrote("dana", NOON)
        await desk.started("dana", NOON, uuid4())
    await desk.judged("dana", LATER)
    await desk.eraser.look()
    assert len(await desk.kept()) == 5
    for _ in range(3):
        await desk.eraser.look()
    assert (await desk.kept(), len(desk.log.written)) == (set(), 5)


async def test_an_erasure_that_does_not_read_is_counted_and_passed(desk: Desk) -> None:
    timer = await desk.wrote("dana", NOON)
    await desk.judged("dana", LATER)
    await desk.pool.execute("UPDATE outcome SET body = replace(body, $1, $2)", '"verdict":"accepted"', '"verdict":7')
    for _ in range(2):
        await desk.eraser.look()
    assert (desk.eraser.unreadable, await desk.kept()) == (1, {timer})


async def test_erasers_and_texts_at_once_leave_no_text(desk: Desk) -> None:
    others = [Eraser(desk.pool, desk.log) for _ in range(2)]
    written: set[int] = set()

    async def write() -> None:
        for _ in range(40):
            written.add(await desk.wrote("dana", NOON))

    async def look(one: Eraser) -> None:
        for _ in range(20):
            await one.look()

    await asyncio.gather(write(), desk.judged("dana", LATER), *(look(one) for one in (desk.eraser, *others)))
    await desk.eraser.look()
    assert (await desk.kept(), desk.erased()) == (set(), written)


def _neighbour() -> tuple[str, str]:
    """Return an owner, and another tenant whose owner of this name lives in the same slot."""
    owner = "dana"
    for number in range(1_000_000):
        if slot_of(f"t{number}", owner) == slot_of(TENANT, owner):
            return f"t{number}", owner
    raise AssertionError("no such tenant")
