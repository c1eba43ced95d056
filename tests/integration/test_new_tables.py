"""New tables beside the live ones, and what keeps a rebuild from switching to them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.projector.helpers.bulk import BESIDE_THE_FOLD, BulkStore
from services.projector.rebuild.fill import take_the_rest
from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.schema import SchemaNames, add_indexes, check_layout, make
from services.projector.rebuild.switch import take_rights
from tests.support.stack.deployments import Deployment

NAMES = SchemaNames("fold_v1", "fold_v9")


@pytest.fixture
async def unfinished(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a session with empty new tables in its path."""
    conn = await asyncpg.connect(deployment.dsn, server_settings={"search_path": "fold_v9,public"})
    await make(conn, NAMES)
    yield conn
    await conn.execute("DROP SCHEMA fold_v9 CASCADE")
    await conn.close()


async def test_tables_of_which_nobody_was_given_a_right_are_switched_too(unfinished: asyncpg.Connection) -> None:
    """As where one role is used for everything."""
    rights = "SELECT count(*) FROM pg_class WHERE relnamespace = 'fold_v9'::regnamespace AND relacl IS NOT NULL"
    await take_rights(unfinished, SchemaNames("fold_v9", "fold_v1"))
    assert await unfinished.fetchval(rights) == 0
    await take_rights(unfinished, NAMES)
    assert await unfinished.fetchval(rights) > 0


async def test_tables_that_a_migration_left_behind_are_not_switched_to(unfinished: asyncpg.Connection) -> None:
    with pytest.raises(RebuildError, match="changed by a migration"):
        await check_layout(unfinished, NAMES)
    told: list[tuple[int, int]] = []
    await add_indexes([unfinished], NAMES, lambda *made: told.append(made))
    assert told == [(made, len(told) - 1) for made in range(len(told))]
    await check_layout(unfinished, NAMES)
    await unfinished.execute("ALTER TABLE fold_v9.timer ALTER COLUMN flags SET DEFAULT '{}'")
    with pytest.raises(RebuildError, match="changed by a migration"):
        await check_layout(unfinished, NAMES)


async def test_live_tables_that_are_behind_the_judged_stream_are_not_replaced(
    deployment: Deployment, unfinished: asyncpg.Connection
) -> None:
    """An older dump was restored, and its projectors have not caught up."""
    await unfinished.execute("UPDATE checkpoint SET next_offset = 1000000000 WHERE kpart = 3")
    with pytest.raises(RebuildError, match="partition 3 are behind"):
        await take_the_rest(unfinished, BulkStore(deployment.pool, BESIDE_THE_FOLD))


async def test_a_damaged_row_that_is_on_no_stream_is_named(
    deployment: Deployment, unfinished: asyncpg.Connection
) -> None:
    """The last outcomes come from rows, before they are published."""
    damaged = """
        INSERT INTO outcome (kpart, source_offset, event_id, log_time, body, packed)
        SELECT kpart, next_offset, gen_random_uuid(), now(), '', 'damaged' FROM fold_v1.checkpoint WHERE kpart = 3;
        UPDATE fold_v1.checkpoint SET next_offset = next_offset + 1 WHERE kpart = 3;
    """
    transaction = unfinished.transaction()
    await transaction.start()
    await unfinished.execute(damaged)
    with pytest.raises(RebuildError, match=r"outcome 3:\d+ is damaged"):
        await take_the_rest(unfinished, BulkStore(deployment.pool, BESIDE_THE_FOLD))
    await transaction.rollback()
