"""An outcome is shown from its packed row, or the operator is told in one line why not."""

from typing import Any, cast

import asyncpg
import pytest

from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import outcomes
from services.stint_cli.watch.outcomes import outcome_at
from shared.packing.bodies import UnknownDictionaryError, pack

BODY = b'{"v":1}'


class Conn:
    """Has one row."""

    def __init__(self, packed: bytes) -> None:
        self._row = {"body": "", "packed": packed}

    async def fetchrow(self, *_: object) -> dict[str, Any]:
        return self._row


async def shown(packed: bytes) -> dict[str, Any]:
    return await outcome_at(cast("asyncpg.Connection", Conn(packed)), 3, 42)


async def test_a_packed_outcome_is_shown() -> None:
    assert await shown(pack(BODY)) == {"v": 1}


async def test_a_damaged_row_is_told_with_where_the_outcome_is() -> None:
    with pytest.raises(Trouble, match=r"the row of 3:42 is damaged; timer\.outcomes\.v1 has the outcome"):
        await shown(pack(BODY)[:-1])


async def test_a_row_of_a_newer_release_asks_for_an_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    def newer(*_: object) -> str:
        raise UnknownDictionaryError

    monkeypatch.setattr(outcomes, "body_of", newer)
    with pytest.raises(Trouble, match="3:42 was packed by a newer release: upgrade this command"):
        await shown(pack(BODY))
