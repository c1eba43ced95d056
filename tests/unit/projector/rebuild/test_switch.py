"""The switch: how often it is tried, and what is said when the tables stay held."""

from typing import cast

import asyncpg
import pytest

from services.projector.helpers.bulk import BulkStore
from services.projector.rebuild import switch as room
from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.schema import SchemaNames
from services.projector.rebuild.switch import switch
from services.projector.store.postgres import Connection

NAMES = SchemaNames("fold_v1", "fold_v2")
TRIES = 20


class Session:
    """Stands in for a session of Postgres, and for each of its transactions. `done` has how each one ended.

    `lost` is what a commit ends with.
    """

    def __init__(self, lost: Exception | None = None) -> None:
        self.done: list[str] = []
        self._lost = lost

    def transaction(self) -> "Session":
        """Return the next transaction."""
        return self

    async def start(self) -> None:
        """Begin."""

    async def commit(self) -> None:
        """End well, or with nobody knowing how."""
        self.done.append("commit")
        if self._lost is not None:
            raise self._lost

    async def rollback(self) -> None:
        """End without effect."""
        self.done.append("rollback")


class Exchange:
    """Stands in for the exchange of the names, which fails so many times."""

    def __init__(self, error: Exception, times: int) -> None:
        self._error = error
        self._times = times

    async def __call__(self, *_: object, **__: object) -> None:
        """Fail, until it has failed often enough."""
        self._times -= 1
        if self._times >= 0:
            raise self._error


def deadlock() -> Exception:
    """Return an error of three lines."""
    error = asyncpg.DeadlockDetectedError("deadlock detected")
    error.detail, error.hint = "Process 1 waits.\nProcess 2 waits.", "See server log."
    return error


HELD = (
    (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), "statement due to lock timeout"),
    (deadlock(), "deadlock detected DETAIL: Process 1 waits. Process 2 waits. HINT: See server log"),
    (TimeoutError(), "it took over 4 s"),
)


async def tried(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, session: Session) -> int:
    """Switch, and return before how many tries the last outcomes were filled."""
    filled = 0

    async def nearer() -> None:
        nonlocal filled
        filled += 1

    monkeypatch.setattr(room, "_exchange", exchange)
    monkeypatch.setattr(room, "_PAUSE_SECONDS", 0)
    await switch(cast("Connection", session), NAMES, cast("BulkStore", None), nearer, keep_old=False)
    return filled


@pytest.mark.parametrize(("error", "why"), HELD, ids=["locked", "deadlock", "slow"])
async def test_a_switch_whose_tables_stay_held_is_tried_twenty_times_in_vain(
    monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    session = Session()
    with pytest.raises(RebuildError) as end:
        await tried(Exchange(error, TRIES), monkeypatch, session)
    assert session.done == TRIES * ["rollback"]
    said = str(end.value)
    assert f"tried {TRIES} times in vain: " in said
    assert f"{why}. Something holds the tables" in said
    assert said.endswith("Let it end, then `stint rebuild --resume`.")


@pytest.mark.parametrize(("error", "_why"), HELD, ids=["locked", "deadlock", "slow"])
async def test_a_switch_whose_tables_are_free_at_last_is_done_at_the_last_try(
    monkeypatch: pytest.MonkeyPatch, error: Exception, _why: str
) -> None:
    """Before each try the last outcomes are filled, so that little is left to write."""
    session = Session()
    assert await tried(Exchange(error, TRIES - 1), monkeypatch, session) == TRIES
    assert session.done == [*(TRIES - 1) * ["rollback"], "commit"]


async def test_a_switch_that_fails_otherwise_is_undone_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    with pytest.raises(asyncpg.DiskFullError):
        await tried(Exchange(asyncpg.DiskFullError("no space"), 1), monkeypatch, session)
    assert session.done == ["rollback"]


@pytest.mark.parametrize(
    "lost",
    [asyncpg.ConnectionDoesNotExistError("connection was closed"), ConnectionResetError("reset"), TimeoutError()],
)
async def test_a_commit_of_the_switch_that_is_lost_may_have_been_done(
    monkeypatch: pytest.MonkeyPatch, lost: Exception
) -> None:
    """Tried again it would fail for another reason, when the new tables have the live name already."""
    session = Session(lost)
    with pytest.raises(
        RebuildError, match="the new tables may be in force already: `stint rebuild --resume` finds out"
    ):
        await tried(Exchange(TimeoutError(), 0), monkeypatch, session)
    assert session.done == ["commit"]
