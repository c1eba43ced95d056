"""Several pieces of work at the same time, as a rebuild reads tables, fills partitions and makes indexes."""

import asyncio

import pytest

from services.projector.rebuild.at_once import at_once


async def test_work_runs_at_the_same_time_and_its_results_keep_their_order() -> None:
    begun = asyncio.Event()

    async def first() -> str:
        await begun.wait()
        return "first"

    async def second() -> str:
        begun.set()
        return "second"

    assert await at_once(first(), second()) == ["first", "second"]


async def test_the_first_failure_ends_the_rest_and_is_raised_by_itself() -> None:
    """Callers tell a lock that is held from Kafka that is away by the kind of the error."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await at_once(waits(), fails())
    assert ended == ["ended"]
