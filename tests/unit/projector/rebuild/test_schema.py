"""The schema that is filled or replaced: what keeps it from being dropped is said in one line."""

from collections.abc import Sequence
from typing import cast

import asyncpg
import pytest

from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.schema import drop
from services.projector.store.postgres import Connection


class Depended:
    """Stands in for a session of Postgres: something depends on the tables of the schema."""

    def __init__(self, detail: str | None) -> None:
        self._detail = detail

    async def fetch(self, *_: object) -> Sequence[dict[str, str]]:
        """Return the tables of any schema."""
        return [{"name": "timer"}]

    async def execute(self, _: str) -> None:
        """Refuse."""
        error = asyncpg.DependentObjectsStillExistError("cannot drop table timer")
        error.detail = self._detail
        raise error


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "cannot drop table timer"),
        (1, "view sums_0 depends on timer"),
        (
            5,
            "view sums_0 depends on timer; view sums_1 depends on timer; view sums_2 depends on timer; and 2 more",
        ),
    ],
)
async def test_the_first_few_that_depend_on_a_schema_are_named_in_one_line(count: int, said: str) -> None:
    detail = "\n".join(f"view sums_{one} depends on timer" for one in range(count))
    with pytest.raises(RebuildError) as found:
        await drop(cast("Connection", Depended(detail or None)), "fold_v1_old", "keep it")
    assert str(found.value) == f"fold_v1_old cannot be dropped: {said}. Take that away, or keep it."
