"""The store that writes in bulk: the projector's own queries, with COPY in the place of arrays."""

import inspect
from typing import cast

import asyncpg
import pytest

from services.projector.helpers import bulk
from services.projector.helpers.bulk import BESIDE_THE_FOLD, READ_MODELS, BulkStore, by_copy, target_of
from services.projector.helpers.quick_reader import read_quickly
from services.projector.loop.partition.recover import catch_up
from services.projector.ports import Checkpoint
from services.projector.store.rows import Rows
from shared.events.outcome import write_outcome
from tests.support.fakes.in_hand import OutcomesInHand
from tests.support.story.given import given, started, stopped


def test_every_table_that_a_commit_writes_is_filled_or_stands_beside_the_fold() -> None:
    """A new table would be missing after a rebuild, and the comparison would find it only then."""
    source = inspect.getsource(Rows.tables)
    named = [line.split('"')[1] for line in source.splitlines() if line.strip().startswith('"') and '":' in line]
    assert sorted(named) == sorted([*READ_MODELS, *BESIDE_THE_FOLD])


@pytest.mark.parametrize("name", READ_MODELS)
def test_a_query_of_the_store_reads_from_a_table_what_it_reads_from_arrays(name: str) -> None:
    types, sql = by_copy(name)
    assert types
    assert f"FROM incoming_{name}" in sql
    assert "unnest" not in sql
    assert "$" not in sql


def test_columns_come_in_the_order_of_the_parameters() -> None:
    types, sql = by_copy("move_deadlines")
    assert types == ["integer", "text", "text", "timestamptz"]
    assert "SELECT * FROM incoming_move_deadlines AS a (kpart, tenant, owner, due_at)" in sql


@pytest.mark.parametrize("name", ["insert_outcomes", "insert_history", "upsert_timers", "upsert_intervals"])
def test_a_new_row_has_a_value_for_each_column_that_its_query_writes(name: str) -> None:
    """The row goes into the table without the query, so both must name the same columns in the same order."""
    table, columns = target_of(name)
    types, _ = by_copy(name)
    assert table in {"outcome", "timer", "interval", "timer_history"}
    assert len(columns) == len(types)


def test_the_places_that_tell_new_rows_are_those_of_the_columns() -> None:
    _, timer = target_of("upsert_timers")
    _, interval = target_of("upsert_intervals")
    assert (timer[bulk._TIMER], timer[bulk._FLAGS]) == ("id", "flags")
    assert (interval[bulk._TIMER], interval[bulk._SEQ]) == ("timer_id", "seq")
    assert interval[bulk._LOGGED_AT] == "logged_at"


@pytest.mark.parametrize("gathers", [True, False])
async def test_each_commit_is_reported(monkeypatch: pytest.MonkeyPatch, *, gathers: bool) -> None:
    """A helper without an answer for a minute is ended, and a rebuild's progress would stand still."""

    async def committed(*_: object) -> None:
        """Write nothing."""

    monkeypatch.setattr(BulkStore, "committed", committed)
    reached: list[Checkpoint] = []
    store, stream = BulkStore(cast("asyncpg.Pool", None), reached=reached.append), OutcomesInHand(at_once=1)
    stream.streams[3] = [
        write_outcome(one) for one in given(started("desk", at="09:00"), stopped("desk", at="10:00")).outcomes
    ]
    gather = store.gather if gathers else None
    await catch_up(Checkpoint(3), stream, store, lambda *_: None, read_quickly, gather)
    assert [(at.kpart, at.outcomes_next) for at in reached] == [(3, 1), (3, 2)]
