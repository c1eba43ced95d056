"""What the fold reads for a batch, with a million timers and an owner of ten thousand: rows of the owners concerned."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest
from pydantic import SecretStr

from services.projector.settings import Settings
from services.projector.store.postgres import session_of
from services.projector.store.queries import query
from services.projector.store.statement import FRAME
from tests.integration.million import NOW, TIMERS, asked, reading_of

pytestmark = pytest.mark.real

BATCH: Final = [(n % 4096, "acme", f"o{n}") for n in range(5, 105)]
BUSY: Final = [(77, "acme", "busy")]


@pytest.fixture(autouse=True)
async def as_the_projector_plans(million: asyncpg.Connection) -> AsyncIterator[None]:
    """Let the session plan as the projector's do: the queries are worded for that."""
    settings = session_of(
        Settings(postgres_dsn=SecretStr("postgresql://unused"), kafka_bootstrap_servers="unused:9092")
    )
    planning = {name: value for name, value in settings.items() if name.startswith("enable_")}
    for name, value in planning.items():
        await million.execute(f"SET {name} = {value}")
    yield
    for name in planning:
        await million.execute(f"RESET {name}")


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("owners", "since"),
    [
        pytest.param(BATCH, NOW - timedelta(days=30), id="a hundred owners"),
        pytest.param(BUSY, NOW - timedelta(hours=12), id="an owner of ten thousand timers"),
    ],
)
async def test_a_batch_reads_rows_of_its_owners_alone(
    million: asyncpg.Connection, owners: list[tuple[int, str, str]], since: datetime, mode: str
) -> None:
    whole, rows, blocks = await reading_of(million, query("read_touched"), asked(owners, since), mode)
    assert whole == []
    # Ten intervals, two days, one leave, two timers, a finding and a verdict, some of them twice.
    assert rows <= 60 * len(owners)
    assert blocks <= 200 * len(owners)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_commit_of_news_touches_no_row_to_see_that_it_is(million: asyncpg.Connection, mode: str) -> None:
    """A hundred starts by owners who are cached."""
    news = range(2 * TIMERS, 2 * TIMERS + 100)
    events = [f"00000000-0000-0000-0000-{number:012}" for number in news]
    no_checkpoints: list[Any] = [[]] * 8
    asked_about = [[number % 12 for number in news], events, [number % 4096 for number in news], list(news)]
    whole, rows, blocks = await reading_of(million, query(FRAME), [*no_checkpoints, *asked_about], mode)
    assert (whole, rows) == ([], 0)
    assert blocks <= 10 * len(news)


@pytest.mark.parametrize("index", ["timer_open_of_owner", "interval_by_end", "outcome_of_event"])
async def test_without_an_index_a_batch_reads_what_is_not_its_own(million: asyncpg.Connection, index: str) -> None:
    """The control."""
    schema = "public" if index.startswith("outcome") else "fold_v1"
    within = million.transaction()
    await within.start()
    try:
        await million.execute(f"DROP INDEX {schema}.{index}")
        values = asked(BUSY, NOW - timedelta(hours=12))
        whole, rows, blocks = await reading_of(million, query("read_touched"), values, "force_custom_plan")
    finally:
        await within.rollback()
    assert whole or rows > 60 or blocks > 200
