"""Helpers: processes that catch up a database which is far behind, and end with the process that started them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import MAXYEAR, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.settings import ROOT
from services.projector.domain.outcomes import Kept
from services.projector.helpers.bulk import BulkStore, make_incoming
from services.projector.helpers.helper import helping
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery
from services.projector.loop.partition.recover import after
from services.projector.ports import Advance, Checkpoint
from services.projector.settings import Settings
from tests.integration.taken_back import an_end_taken_back
from tests.support.proof.tables import BESIDE, FOLD, dump
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment
from tests.support.stack.waits import drained
from tests.support.story.given import given, paused, resumed, started

# An owner that has one helper, says its number, and waits for ever.
OWNER = """
import asyncio
from services.projector.helpers.helper import helping
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery
from services.projector.settings import Settings
from shared.process.logs import configure_logging

async def main(nursery):
    helpers = HelperProcesses(nursery, 1)
    helper = await helpers._helper_with_a_place(nursery)
    print(nursery.pid, helper.pid, flush=True)
    await asyncio.sleep(600)

configure_logging("owner")
asyncio.run(main(Nursery(helping(Settings()))))
"""
ENDED_WITHIN_SECONDS = 30.0


@pytest.fixture
async def settings(api: Api, deployment: Deployment, owner: str) -> Settings:
    """Give the settings of a projector on an empty database, beside a stream with something of each kind."""
    timer = (await api.start(owner, job_id="j-1")).json()["id"]
    for verb in ("pause", "resume", "stop"):
        await api.press(verb, timer)
    await api.start(owner)
    await an_end_taken_back(api, deployment, owner)
    await drained(deployment)
    return Settings(
        kafka_bootstrap_servers=deployment.stack.kafka.address,
        postgres_dsn=SecretStr(await deployment.fresh_database("helped")),
    )


@pytest.fixture
async def helpers(settings: Settings) -> AsyncIterator[HelperProcesses]:
    """Give two helpers."""
    with Nursery(helping(settings)) as nursery:
        helpers = HelperProcesses(nursery, 2)
        yield helpers
        await helpers.stop()


async def test_helpers_fill_an_empty_database_with_the_same_bytes(
    deployment: Deployment, settings: Settings, helpers: HelperProcesses
) -> None:
    reached: dict[int, list[int]] = {kpart: [] for kpart in range(deployment.partitions)}
    await asyncio.gather(
        *(helpers.catch_up(kpart, _unexpected, reached[kpart].append) for kpart in range(deployment.partitions))
    )
    rows = [table for table in (*FOLD, *BESIDE) if table != "checkpoint"]
    assert await dump(settings.postgres_dsn.get_secret_value(), rows) == await dump(deployment.dsn, rows)
    assert sum(map(len, reached.values())) > 0
    assert all(offsets == sorted(offsets) for offsets in reached.values())


async def test_an_interval_may_end_and_the_next_begin_in_one_piece(deployment: Deployment) -> None:
    """The first one was open in the table, and a timer has one open interval at most."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"), resumed("desk", at="09:20"))
    start, *rest = [one for one in story.answers if isinstance(one, Kept)]
    at = Checkpoint(0)
    async with asyncpg.create_pool(
        await deployment.fresh_database("pieces"),
        min_size=1,
        max_size=1,
        init=make_incoming,
        server_settings={"search_path": "fold_v1,public"},
    ) as pool:
        for piece in ([start], rest):
            to = after(at, piece[-1], 0)
            await BulkStore(pool).commit([Advance(at.next_offset, to, piece)])
            at = to
        rows = await pool.fetch("SELECT seq, end_at IS NULL AS runs FROM interval ORDER BY seq")
        assert [tuple(row) for row in rows] == [(1, False), (2, True)]


@pytest.mark.parametrize("text", ["0001-01-02 00:00:00.000001", "1999-12-31 23:59:59.999999", "9999-12-31 23:59:59"])
async def test_an_instant_comes_to_postgres_and_back_as_it_is(deployment: Deployment, text: str) -> None:
    """A session in bulk has a codec of its own. It knows no infinity: no instant of ours is one."""
    at = datetime.fromisoformat(f"{text}+00:00")
    conn = await asyncpg.connect(deployment.dsn, server_settings={"search_path": "fold_v1,public", "timezone": "UTC"})
    try:
        await make_incoming(conn)
        [there] = await conn.fetch("SELECT $1::timestamptz::text, $1::timestamptz, ($2::timestamptz[])[1]", at, [at])
        assert tuple(there) == (f"{text}+00", at, at)
        elsewhere = at.astimezone(timezone(timedelta(hours=-5) if at.year == MAXYEAR else timedelta(hours=5)))
        assert await conn.fetchval("SELECT $1::timestamptz", elsewhere) == at
    finally:
        await conn.close()


async def test_helpers_end_when_nothing_is_left_to_do(helpers: HelperProcesses) -> None:
    await helpers.catch_up(0, _unexpected)
    assert helpers._helpers == []
    await asyncio.wait_for(asyncio.gather(*helpers._listening), ENDED_WITHIN_SECONDS)


async def test_a_helper_that_is_killed_leaves_the_rest_to_its_owner(helpers: HelperProcesses) -> None:
    """`catch_up` returns, and the next partition has a new helper."""
    helping = asyncio.create_task(helpers.catch_up(0, _unexpected))
    while not helpers._helpers:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
    helpers._helpers[0].kill()
    await asyncio.wait_for(helping, ENDED_WITHIN_SECONDS)
    await helpers.catch_up(1, _unexpected)


async def test_a_partition_that_is_let_go_is_taken_back_from_its_helper(helpers: HelperProcesses) -> None:
    helping = asyncio.create_task(helpers.catch_up(0, _unexpected))
    while not helpers._helpers:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
    helping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await helping
    await helpers.catch_up(0, _unexpected)
    assert helpers._helpers == []


async def test_a_helper_ends_with_an_owner_that_is_killed(settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER),
        cwd=ROOT,
        env=os.environ
        | {
            "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "PROJECTOR_POSTGRES_DSN": settings.postgres_dsn.get_secret_value(),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    nursery, helper = map(int, (await process.stdout.readline()).split())
    assert _runs(nursery)
    assert _runs(helper)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with asyncio.timeout(ENDED_WITHIN_SECONDS):
        while _runs(helper) or _runs(nursery):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)


async def test_a_helper_that_does_not_reach_postgres_leaves_all_to_its_owner(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"postgres_dsn": SecretStr("postgresql://stint@127.0.0.1:1/stint")})
    with Nursery(helping(nowhere)) as nursery:
        helpers = HelperProcesses(nursery, 1)
        await asyncio.wait_for(helpers.catch_up(0, _unexpected), ENDED_WITHIN_SECONDS)
        await helpers.stop()


async def test_no_helpers_are_started_where_none_are_wanted(settings: Settings) -> None:
    with Nursery(helping(settings)) as nursery:
        helpers = HelperProcesses(nursery, 0)
        await helpers.catch_up(0, _unexpected)
    assert helpers._listening == set()


def _runs(pid: int) -> bool:
    """Return whether a process runs. One that has ended and was not waited for has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def _unexpected(*what: object) -> None:
    raise AssertionError(what)
