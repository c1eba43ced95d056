"""The world's tables equal those that SQL makes of the same commits. Else the world proves nothing about Postgres."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from services.projector.domain.outcomes import Kept
from services.projector.helpers.bulk import BulkStore, make_incoming
from services.projector.ports import Advance, Checkpoint, Found, Wanted
from services.projector.store.postgres import PostgresStore
from shared.events.outcome import read_outcome
from tests.support.proof.checkers.history import Evidence
from tests.support.proof.tables import dump
from tests.support.stack.deployments import Deployment
from tests.world.plan import plan_of
from tests.world.story import tell
from tests.world.tables import Tables

# A seed in which all of `WANTED` happens.
SEED: Final = 109
AT_ONCE: Final = 4
MANY: Final = 30
RATES: Final = {
    "send_doubled": 0.1,
    "poison": 0.2,
    "foreign": 0.9,
    "key_again": 0.1,
    "time_jumps": 0.3,
    "policy_changed": 0.3,
}
# What must be in the outcomes, because each is written by a column or a query of its own.
WANTED: Final = (
    *("press", "settle", "automatic stop", "switch", "taken back", "refused"),
    # A day that is there already is changed after its lock, and one that was is changed without.
    *("after lock", "after lock, later", "after lock, no more"),
    *("R06", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R20"),
)
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


async def test_sql_makes_the_same_tables_of_the_same_commits(deployment: Deployment) -> None:
    evidence = await _story()
    dsn = await deployment.fresh_database("world_tables")
    tables = Tables({kpart: Checkpoint(kpart) for kpart in range(deployment.partitions)})
    settings = {"timezone": "UTC", "search_path": "fold_v1,public"}
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings=settings) as pool:
        store = PostgresStore(pool)
        for advances in _commits(evidence):
            await store.commit(advances)
            tables.write(advances)
            tables.checkpoint |= {advance.to.kpart: advance.to for advance in advances}
        assert all(tables.dump().values())
        assert _lines(await dump(dsn)) == _lines(tables.dump())
        wanted = _everything(evidence)
        found = await store.read(wanted)
        assert _in_order(found) == _in_order(tables.read(wanted))
        assert any(sheet.closed for sheet in found.sheets.values())
        assert any(job.estimate for sheet in found.sheets.values() for job in sheet.jobs.values())
        # A partition that a commit holds is left out. One that is elsewhere is False.
        at = dict(tables.checkpoint)
        moved = replace(at[0], next_offset=at[0].next_offset + 1)
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT 1 FROM checkpoint WHERE kpart = 1 FOR UPDATE")
            assert await store.save_progress([moved, at[1], at[2]]) == {0: False, 2: True}


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("at_once", [AT_ONCE, MANY])
async def test_rows_that_come_in_bulk_make_the_same_tables(
    deployment: Deployment, at_once: int, *, gathered: bool
) -> None:
    """Few at once: most rows are there already. Many: most of them begin and end in one commit.

    Helpers gather rows one by one, of one partition. A rebuild's last commit has outcomes of several.
    """
    evidence = await _story()
    dsn = await deployment.fresh_database("world_tables")
    tables = Tables({kpart: Checkpoint(kpart) for kpart in range(deployment.partitions)})
    settings = {"timezone": "UTC", "search_path": "fold_v1,public"}
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings=settings, init=make_incoming) as pool:
        for advances in _commits(evidence, at_once):
            store = BulkStore(pool)
            if gathered:
                for advance in advances:
                    await _gathered(store, advance)
            else:
                await store.commit(advances)
            tables.write(advances)
            tables.checkpoint |= {advance.to.kpart: advance.to for advance in advances}
    assert all(tables.dump().values())
    assert _lines(await dump(dsn)) == _lines(tables.dump())


async def _story() -> Evidence:
    """Return a story of which the tables have all to tell that they can."""
    plan = replace(plan_of(SEED), presses=150, partitions=3, rates=RATES)
    evidence = (await asyncio.to_thread(tell, plan)).evidence
    told, locked = Counter[str](), dict[tuple[Any, ...], bool]()
    for _, outcome, _ in evidence.judged:
        told += Counter(finding["rule"] for finding in outcome["findings"])
        told += Counter(change["by"] for change in outcome["changed"])
        told["refused"] += any(finding["refused"] for finding in outcome["findings"])
        ended = [change["closed"] for change in outcome["changed"] if change["closed"] is not None]
        told["automatic stop"] += any(change["by"] == "settle" and change["closed"] for change in outcome["changed"])
        told["taken back"] += sum(closed["was"] is not None for closed in ended)
        for part in (part for closed in ended for part in closed["days"]):
            day, after_lock = (outcome["tenant"], outcome["owner"], part["on"]), part.get("after_lock", False)
            told["after lock"] += after_lock
            told["after lock, later"] += after_lock and not locked.get(day, True)
            told["after lock, no more"] += not after_lock and locked.get(day, False)
            locked[day] = after_lock or locked.get(day, False)
    assert [what for what in WANTED if not told[what]] == []
    assert any(timer["provisional"] is not None for timer in evidence.rows("timer"))
    assert {day["changed_after_lock"] for day in evidence.rows("day_total")} == {True, False}
    return evidence


async def _gathered(store: BulkStore, advance: Advance) -> None:
    piece = store.gather(advance.to.kpart)
    for one in advance.outcomes:
        piece.add(one)
    await piece.commit(advance.read_at, advance.to)


def _commits(evidence: Evidence, at_once: int = AT_ONCE) -> Iterator[list[Advance]]:
    """Yield the story's outcomes as commits of some outcomes, each of several partitions."""
    at = {kpart: Checkpoint(kpart) for kpart in range(evidence.partitions)}
    left: dict[int, list[Kept]] = {kpart: [] for kpart in at}
    for kpart, _, body in evidence.judged:
        left[kpart].append(Kept(read_outcome(body), body))
    while any(left.values()):
        advances = []
        for kpart in [kpart for kpart in at if left[kpart]]:
            batch, left[kpart] = left[kpart][:at_once], left[kpart][at_once:]
            last = batch[-1].outcome
            to = Checkpoint(kpart, last.source_offset + 1, last.event_id, last.log_time, last.policy_rev)
            advances.append(Advance(at[kpart].next_offset, to, batch))
            at[kpart] = to
        yield advances


def _everything(evidence: Evidence) -> Wanted:
    wanted = Wanted()
    for kpart, outcome, _ in evidence.judged:
        if outcome["event_id"] is not None:
            wanted.events.append((kpart, UUID(outcome["event_id"])))
    for timer in evidence.rows("timer")[::2]:
        wanted.timers[timer["slot"], timer["id"]] = datetime.fromisoformat(timer["last_at"])
    for timer in evidence.rows("timer")[1::3]:
        asked = datetime.fromisoformat(timer["started_at"]) - timedelta(hours=1)
        owner = (timer["slot"], timer["tenant"], timer["owner"])
        wanted.owners[owner] = datetime.fromisoformat(timer["last_at"]) + timedelta(days=99)
        wanted.timers[timer["slot"], timer["id"]] = wanted.owners[owner]
        # As a start under a new id, and as a resume of a timer that is there.
        wanted.overlaps += [(*owner, timer["id"] ^ 1, asked), (timer["slot"], None, None, timer["id"], asked)]
    # Jobs that were worked on, jobs with an estimate, and one that is neither.
    estimates = [row for row in evidence.rows("owner_fact") if row["kind"] == "estimate"]
    for row in (*evidence.rows("job_total")[::2], *estimates):
        owner = (row["slot"], row["tenant"], row["owner"])
        wanted.owners.setdefault(owner, LONG_AGO)
        wanted.jobs |= dict.fromkeys([(*owner, row.get("job_id") or row["about"]), (*owner, "nothing")])
    for row in evidence.rows("owner_fact")[:2]:
        wanted.owners[row["slot"], row["tenant"], row["owner"]] = LONG_AGO
    assert wanted.events
    assert wanted.timers
    assert wanted.owners
    assert wanted.overlaps
    assert wanted.jobs
    return wanted


def _in_order(found: Found) -> tuple[Any, ...]:
    """Return what was found, with intervals in a fixed order, because the store promises none."""
    sheets = {
        owner: replace(sheet, closed=tuple(sorted(sheet.closed, key=lambda closed: (closed.timer_id, closed.start))))
        for owner, sheet in found.sheets.items()
    }
    return sheets, found.verdicts


def _lines(tables: dict[str, str]) -> dict[str, list[Any]]:
    return {name: sorted(text.splitlines()) for name, text in tables.items()}
