"""Helpers: processes that catch up a database which is far behind, and end with the process that started them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.settings import ROOT
from services.projector.domain.outcomes import Kept
from services.projector.helpers.bulk import BulkStore, make_incoming
from services.projector.helpers.helpers import HelperProcesses, environ_of
from services.projector.loop.partition.recover import after
from services.projector.ports import Advance, Checkpoint
from services.projector.settings import Settings
from tests.support.proof.tables import BESIDE, FOLD, dump
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment
from tests.support.stack.waits import drained
from tests.support.story.given import given, paused, resumed, started

# An owner that has one helper, says its number, and waits for ever.
OWNER = """
import asyncio
from services.projector.helpers.helpers import HelperProcesses, environ_of
from services.projector.settings import Settings
from shared.process.logs import configure_logging

async def main():
    helpers = HelperProcesses(1, environ_of(Settings()))
    helper = await helpers._with_a_place()
    print(helper.process.pid, flush=True)
    await asyncio.sleep(600)

configure_logging("owner")
asyncio.run(main())
"""
ENDED_WITHIN_SECONDS = 10.0


@pytest.fixture
async def settings(api: Api, deployment: Deployment, owner: str) -> Settings:
    """Give the settings of a projector on an empty database, beside a stream with something of each kind."""
    timer = (await api.start(owner, job_id="j-1")).json()["id"]
    for verb in ("pause", "resume", "stop"):
        await api.press(verb, timer)
    await api.start(owner)
    await drained(deployment)
    return Settings(
        kafka_bootstrap_servers=deployment.stack.kafka.address,
        postgres_dsn=SecretStr(await deployment.fresh_database("helped")),
    )


@pytest.fixture
async def helpers(settings: Settings) -> AsyncIterator[HelperProcesses]:
    """Give two helpers."""
    helpers = HelperProcesses(2, environ_of(settings))
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


async def test_helpers_end_when_nothing_is_left_to_do(helpers: HelperProcesses) -> None:
    await helpers.catch_up(0, _unexpected)
    assert helpers._helpers == []
    await asyncio.wait_for(asyncio.gather(*helpers._ears), ENDED_WITHIN_SECONDS)


async def test_a_helper_that_is_killed_leaves_the_rest_to_its_owner(helpers: HelperProcesses) -> None:
    """`catch_up` returns, and the next partition has a new helper."""
    helping = asyncio.create_task(helpers.catch_up(0, _unexpected))
    while not helpers._helpers:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
    helpers._helpers[0].process.kill()
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
        env=os.environ | environ_of(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    helper = json.loads(await process.stdout.readline())
    assert _runs(helper)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with asyncio.timeout(ENDED_WITHIN_SECONDS):
        while _runs(helper):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)


async def test_a_helper_that_does_not_reach_postgres_leaves_all_to_its_owner(settings: Settings) -> None:
    nowhere = environ_of(settings, postgres_dsn="postgresql://stint@127.0.0.1:1/stint")
    helpers = HelperProcesses(1, nowhere)
    await asyncio.wait_for(helpers.catch_up(0, _unexpected), ENDED_WITHIN_SECONDS)
    await helpers.stop()


async def test_no_helpers_are_started_where_none_are_wanted(settings: Settings) -> None:
    helpers = HelperProcesses(0, environ_of(settings))
    await helpers.catch_up(0, _unexpected)
    assert helpers._ears == set()


def _runs(pid: int) -> bool:
    """Return whether a process runs. One that has ended and was not waited for has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def _unexpected(*what: object) -> None:
    raise AssertionError(what)
