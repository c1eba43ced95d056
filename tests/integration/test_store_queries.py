"""The projector's queries on real Postgres, because a table in memory would be too lenient."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.state import Timer
from services.projector.ports import Advance, Checkpoint, Found, Wanted
from services.projector.store import postgres
from services.projector.store.postgres import PostgresStore
from services.projector.store.queries import query
from services.projector.store.rows import rows_of
from services.stint_cli.deployment.migrate import read_migrations
from shared.events.models import Actor, DeadlineReached, OwnerTextsErased
from shared.events.outcome import Finding, State, write_outcome
from shared.events.policy import DailyCap, LongRunning, Overlap, OverlapMode, Rules
from shared.events.value import replace
from shared.packing.lines import whole
from tests.integration.commits import DANA, KPART, committed, sessions
from tests.support.stack.deployments import Deployment
from tests.support.story.given import DANA as DANA_PRESSES
from tests.support.story.given import JERUSALEM, fact, given, moment, paused, resumed, started, stopped, timer_id

pytestmark = pytest.mark.real


@pytest.fixture
async def pool(deployment: Deployment) -> AsyncIterator[asyncpg.Pool]:
    dsn = await deployment.fresh_database("store_queries")
    async with sessions(dsn) as pool:
        yield pool


async def test_a_clock_that_jumped_ahead_makes_no_key_forgotten(pool: asyncpg.Pool) -> None:
    """A broker stamps one press 40 days ahead. The fold voids it, and the checkpoint takes over its time."""
    store, now = PostgresStore(pool), datetime.now(UTC)
    story = given(started("desk", at=(now - timedelta(days=1)).replace(tzinfo=None).isoformat(timespec="seconds")))
    await committed(store, story, last_log_time=now + timedelta(days=40))
    await store.prune(KPART)
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 1


async def test_an_outcome_of_a_month_ago_is_pruned(pool: asyncpg.Pool) -> None:
    """The control: the test above held back the jump, not pruning itself."""
    store, now = PostgresStore(pool), datetime.now(UTC)
    old = (now - timedelta(days=32)).replace(tzinfo=None).isoformat(timespec="seconds")
    await committed(store, given(started("desk", at=old)), last_log_time=now)
    await store.prune(KPART)
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 0


async def test_an_outcome_dated_ahead_slows_no_pruning_down(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays among the oldest until its day has come."""
    monkeypatch.setattr(postgres, "_PRUNED_AT_ONCE", 2)
    store, now = PostgresStore(pool), datetime.now(UTC)
    old = (now - timedelta(days=32)).replace(tzinfo=None)
    days = [(old + timedelta(seconds=n)).isoformat(timespec="seconds") for n in range(4)]
    await committed(store, given(*[started(f"desk {n}", at=day) for n, day in enumerate(days)]), last_log_time=now)
    await pool.execute("UPDATE outcome SET log_time = $1 WHERE source_offset = 0", now + timedelta(days=40))
    while await store.prune(KPART):
        pass
    assert await pool.fetchval("SELECT array_agg(source_offset) FROM outcome") == [0]


async def test_a_finding_told_again_ends_as_told_last(pool: asyncpg.Pool) -> None:
    """It is told open by the press that began it, and again by the press that ended it. What began it stays."""
    store, begun = PostgresStore(pool), Finding(timer_id=timer_id("desk"), rule="R10", from_=moment("18:00"))
    ended = replace(begun, to=moment("18:30"), amount_us=1_800_000_000)
    story = given(started("desk", at="18:00"), stopped("desk", at="18:30"))
    told = [replace(one, findings=(said,)) for one, said in zip(story.outcomes, (begun, ended), strict=True)]
    rows = []
    for offset, outcome in enumerate(told):
        to = Checkpoint(KPART, offset + 1, outcome.event_id, outcome.log_time, 1)
        await store.commit([Advance(offset, to, [Kept(outcome, write_outcome(outcome))])])
        rows += await pool.fetch("SELECT to_at, amount_us, refused, event_id FROM violation")
    assert [tuple(row) for row in rows] == [
        (None, None, False, UUID(int=1)),
        (moment("18:30"), 1_800_000_000, False, UUID(int=1)),
    ]


async def test_what_is_known_of_a_batch_that_was_taken_for_news_is_read(pool: asyncpg.Pool) -> None:
    """After the commit said no: a press that came before, and a drawn id that is taken."""
    store, story, at = PostgresStore(pool), given(started("desk", at="09:00")), moment("09:10")
    await committed(store, story)
    new, again = (KPART, UUID(int=9)), (KPART, UUID(int=1))
    drawn, taken = (DANA[0], timer_id("phone")), (DANA[0], timer_id("desk"))

    async def found(event: tuple[int, UUID], timer: tuple[int, int]) -> Found:
        return await store.read(Wanted(events=[event], timers={timer: at}, drawn={timer}))

    repeated = await found(again, drawn)
    assert (repeated.verdicts[again].body, repeated.sheets) == (write_outcome(story.outcome), {})
    of_another = await found(new, taken)
    assert (of_another.verdicts, set(of_another.sheets["acme", "dana"].timers)) == ({}, {timer_id("desk")})
    assert await found((KPART + 1, UUID(int=1)), drawn) == Found({}, {})


async def test_a_finding_that_comes_back_lasts_again(pool: asyncpg.Pool) -> None:
    """A late press moved it away, and the next one moved it back."""
    store, begun = PostgresStore(pool), Finding(timer_id=timer_id("desk"), rule="R11", from_=moment("17:00"))
    gone = replace(begun, to=begun.from_, amount_us=0)
    story = given(started("desk", at="09:00"), started("phone", at="18:00"), stopped("phone", at="18:10"))
    for offset, (outcome, said) in enumerate(zip(story.outcomes, (begun, gone, begun), strict=True)):
        told = replace(outcome, findings=(said,))
        to = Checkpoint(KPART, offset + 1, told.event_id, told.log_time, 1)
        await store.commit([Advance(offset, to, [Kept(told, write_outcome(told))])])
    (row,) = await pool.fetch("SELECT from_at, to_at, amount_us FROM violation")
    assert tuple(row) == (moment("17:00"), None, None)


async def test_what_ended_since_a_moment_is_read_as_it_was_folded(pool: asyncpg.Pool) -> None:
    """A late press moves crossings, and must know whose day and job these intervals fill. One is named twice here."""
    store = PostgresStore(pool)
    story = given(started("desk", at="09:00", job_id="roof", billable=False), stopped("desk", at="10:00"))
    await committed(store, story)
    asked = Wanted(owners={DANA: moment("09:30")})
    asked.overlaps.append((*DANA, timer_id("new"), moment("08:00")))
    assert (await store.read(asked)).sheets["acme", "dana"].closed == story.sheet().closed
    assert [(one.billable, one.job_id, one.zone) for one in story.sheet().closed] == [(False, "roof", "Asia/Jerusalem")]


async def test_an_owners_paused_timers_are_not_read(pool: asyncpg.Pool) -> None:
    """The owner leaves five timers a day paused for good, and a start reads none of them."""
    store = PostgresStore(pool)
    pauses = [press(f"t{n}", at="09:00") for n in range(300) for press in (started, paused)]
    story = given(*pauses, started("runs", at="09:01"))
    await committed(store, story)
    await pool.execute("ANALYZE")
    found = await store.read(Wanted(owners={DANA: story.outcome.log_time}))
    assert set(found.sheets["acme", "dana"].timers) == {timer_id("runs")}
    paused_one = Wanted(timers={(DANA[0], timer_id("t7")): story.outcome.log_time})
    assert set((await store.read(paused_one)).sheets["acme", "dana"].timers) == {timer_id("runs"), timer_id("t7")}


async def test_what_rows_hold_is_published_and_answered_byte_for_byte(pool: asyncpg.Pool) -> None:
    """Packed ones, a fact as text, and a press that a row of before has as text. What was asked stands in each body."""
    store = PostgresStore(pool)
    story = given(started("desk", at="09:00"), stopped("desk", at="09:30"), fact(OwnerTextsErased, at="10:00"))
    bodies = [write_outcome(outcome) for outcome in story.outcomes]
    await committed(store, story)
    as_before = "UPDATE outcome SET body = $1, packed = NULL WHERE source_offset = 1"
    await pool.execute(as_before, bodies[1].decode())
    rows = await pool.fetch("SELECT body = '' AS no_text, packed IS NULL AS plain FROM outcome ORDER BY source_offset")
    assert [tuple(row) for row in rows] == [(True, False), (False, True), (False, True)]
    assert [one.body for one in await store.unpublished(KPART, 0, 9)] == bodies
    events = [(KPART, UUID(int=offset + 1)) for offset in range(3)]
    verdicts = (await store.read(Wanted(events=events))).verdicts
    assert [verdicts[event].body for event in events] == bodies
    assert [verdicts[event].digest for event in events] == [outcome.digest for outcome in story.outcomes]


async def test_a_stop_changes_the_row_of_its_timer_with_one_record(pool: asyncpg.Pool) -> None:
    """And three indexes with one each. ON CONFLICT, the control, locks the row with a record of its own first."""
    store = PostgresStore(pool)
    story = given(started("desk", at="09:00"), stopped("desk", at="09:30"))
    begun, ended = story.kept
    await store.commit([Advance(0, Checkpoint(KPART, 1), [begun])])
    columns = dict(rows_of([Advance(1, Checkpoint(KPART, 2), [ended])]).writes())["upsert_timers"]
    on_conflict = """
        INSERT INTO timer SELECT * FROM timer WHERE id = $1
            ON CONFLICT (slot, id) DO UPDATE SET state = 'STOPPED', last_at = now()
    """
    written = []
    async with pool.acquire() as conn:
        for sql, values in ((query("upsert_timers"), columns), (on_conflict, [timer_id("desk")])):
            within = conn.transaction()
            await within.start()
            plan = json.loads(await conn.fetchval(f"EXPLAIN (ANALYZE, WAL, FORMAT JSON) {sql}", *values))
            written.append(plan[0]["Plan"]["WAL Records"])
            await within.rollback()
    assert written == [4, 5]


async def test_a_press_of_long_ago_reads_one_interval(pool: asyncpg.Pool) -> None:
    """Its owner has closed hundreds since. 20,000 of them were 2.9 MB, on the loop that all partitions share."""
    store = PostgresStore(pool)
    at = [f"10:{n // 60:02}:{n % 60:02}" for n in range(301)]
    pairs = [(started(f"t{n}", at=at[n]), paused(f"t{n}", at=at[n + 1])) for n in range(300)]
    story = given(*[press for pair in pairs for press in pair])
    await committed(store, story)
    asked = Wanted(owners={DANA: story.outcome.log_time + timedelta(days=1)})
    first = min(interval.start for interval in story.sheet().closed)
    asked.overlaps.append((*DANA, timer_id("new"), first - timedelta(days=300)))
    (interval,) = (await store.read(asked)).sheets["acme", "dana"].closed
    assert interval.start >= first


async def test_an_end_that_nobody_pressed_is_read_back_until_something_is_pressed(pool: asyncpg.Pool) -> None:
    """A switch pauses the desk at 10:00, with a finding that ended there. A late press may take all of that back."""
    rules = Rules(R11=DailyCap(billable_seconds_per_day=1800), R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))
    story = given(started("desk", at="09:00"), policy=JERUSALEM.model_copy(update={"rules": rules}))
    story.when(started("phone", at="10:00"))
    store = PostgresStore(pool)
    await committed(store, story, last_log_time=moment("10:00"))
    assert await read_timer(store) == story.sheet().timers[timer_id("desk")]
    assert (ended := (await read_timer(store)).ended) is not None
    assert (ended.at, [found.rule for found in ended.interval.found]) == (moment("10:00"), ["R11"])
    # A release of before knows nothing of such ends. Its presses move the offset, and leave the rest as it is.
    await pool.execute("UPDATE timer SET source_offset = source_offset + 1 WHERE id = $1", timer_id("desk"))
    assert (await read_timer(store)).ended is None


async def test_an_end_stays_to_be_taken_back_when_a_flag_is_told_after_it(pool: asyncpg.Pool) -> None:
    """The system stopped the desk at 19:00. A late start crosses the desk's cap at 17:30, and flags what has ended."""
    rules = Rules(R11=DailyCap(billable_seconds_per_day=39_600), R16=LongRunning(auto_close_seconds=36_000))
    story = given(started("desk", at="09:00"), policy=JERUSALEM.model_copy(update={"rules": rules}))
    story.when(fact(DeadlineReached, "19:01"), started("phone", at="20:00", asked="15:00"))
    store = PostgresStore(pool)
    await committed(store, story, [len(story.kept) - 1])
    assert (desk := await read_timer(store)) == story.sheet().timers[timer_id("desk")]
    assert (desk.after.flags, desk.ended is None) == (("R11", "R16"), False)
    # It is read with its owner for a press of another timer that belongs before that end, and for no other.
    for since, timers in (("18:59", {"desk", "phone"}), ("19:00", {"phone"})):
        sheet = (await store.read(Wanted(owners={DANA: moment(since)}))).sheets["acme", "dana"]
        assert set(sheet.timers) == {timer_id(name) for name in timers}


async def test_an_end_of_a_person_is_none_to_be_taken_back_however_presses_are_cut(pool: asyncpg.Pool) -> None:
    """The switch paused the desk at 10:00. Two presses that were to count before it count at that very instant."""
    rules = Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))
    policy = JERUSALEM.model_copy(update={"rules": rules})
    story = given(started("desk", at="09:00"), started("phone", at="10:00"), policy=policy)
    first = len(story.outcomes)
    story.when(resumed("desk", at="10:10", asked="09:50"), paused("desk", at="10:11", asked="09:55"))
    store = PostgresStore(pool)
    await committed(store, story, [first])
    assert (desk := await read_timer(store)) == story.sheet().timers[timer_id("desk")]
    assert (desk.after.state, desk.after.last_at, desk.ended) == (State.PAUSED, moment("10:00"), None)


async def read_timer(store: PostgresStore) -> Timer:
    """Read the desk's timer as the fold does before a press on it."""
    desk = timer_id("desk")
    found = await store.read(Wanted(timers={(DANA[0], desk): moment("12:00")}))
    return found.sheets["acme", "dana"].timers[desk]


async def test_job_totals_of_before_their_table_are_those_of_after(pool: asyncpg.Pool) -> None:
    """The migration that makes the table fills it, because the fold itself reads it."""
    story = given(
        started("desk", at="09:00", job_id="roof"),
        paused("desk", at="09:10:00.000001", logged="09:10:01"),
        started("phone", at="09:10", job_id="roof"),
        stopped("phone", at="09:20"),
        started("car", at="09:20", job_id="cellar"),
        started("none", at="09:20"),
        stopped("none", at="09:30"),
    )
    await committed(PostgresStore(pool), story)
    kept = await pool.fetch("SELECT * FROM job_total ORDER BY job_id")
    assert [tuple(row) for row in kept] == [(*DANA, "roof", 20 * 60_000_000 + 1)]
    (migration,) = [one for one in read_migrations() if one.name.endswith("_job_totals.sql")]
    await pool.execute("DROP VIEW public.job_total; DROP TABLE fold_v1.job_total")
    await pool.execute(f"SET search_path = public; {migration.sql}; SET search_path = fold_v1, public")
    assert await pool.fetch("SELECT * FROM job_total ORDER BY job_id") == kept


async def test_lines_of_histories_of_before_say_the_same_in_fewer_bytes(pool: asyncpg.Pool) -> None:
    """A line of before had `null` for what was not there, ids as text, and told each verdict and state.

    A client may be called anything.
    """
    odd = Actor(client='x","rule":null,"actor":{"client":"}","y', role="machine")
    story = given(
        started("desk", at="09:00", by=odd),
        paused("desk", at="09:10", by=DANA_PRESSES, asked="09:09"),
        paused("desk", at="09:20"),
        resumed("desk", at="09:30"),
        stopped("desk", at="09:40"),
        stopped("desk", at="09:50"),
    )
    await committed(PostgresStore(pool), story)
    kept = await pool.fetch("SELECT * FROM timer_history ORDER BY source_offset")
    assert [row["event_id"] for row in kept] == [UUID(int=n) for n in range(1, 7)]
    await pool.execute("DROP VIEW public.timer_history; ALTER TABLE timer_history DROP event_id, DROP log_time")
    await pool.execute("CREATE VIEW public.timer_history AS SELECT * FROM timer_history")
    for row in kept:
        said = whole(json.loads(row["told"]))
        said["actor"] = {name: said.get(name) for name in ("client", "person", "role")}
        old = {name: said.get(name) for name in ("what", "verdict", "rule", "state")}
        old |= {"event_id": str(row["event_id"])} | {name: said.get(name) for name in ("actor", "dialect", "asked_at")}
        old |= {"log_time": row["log_time"].isoformat()}
        text = json.dumps(old, ensure_ascii=False, separators=(",", ":"))
        await pool.execute("UPDATE timer_history SET told = $1 WHERE source_offset = $2", text, row["source_offset"])
    for sql in (one.sql for one in read_migrations() if one.name.endswith("_histories.sql")):
        await pool.execute(f"SET search_path = public; {sql}; SET search_path = fold_v1, public")
    assert await pool.fetch("SELECT * FROM timer_history ORDER BY source_offset") == kept


async def test_keys_of_histories_fill_their_pages(pool: asyncpg.Pool) -> None:
    """Ids rise with time, slots do not. A key that leads with the slot, the control, leaves its pages half empty."""
    await pool.execute("CREATE UNIQUE INDEX by_slot ON timer_history (slot, timer_id, source_offset, by)")
    await pool.execute(
        """
        INSERT INTO timer_history (slot, timer_id, source_offset, by, at, told)
        SELECT n * 7919 % 4096, n, n, 'press', now(), '{}' FROM generate_series(1, 20000) AS n
        """
    )
    size = "SELECT pg_relation_size($1::text::regclass)"
    ours, by_slot = [await pool.fetchval(size, key) for key in ("timer_history_pkey", "by_slot")]
    assert ours * 1.25 < by_slot
