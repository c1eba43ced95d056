"""The threshold as one process keeps it: many requests, one count at a time, and none when Postgres is away."""

import asyncio
from collections import Counter
from typing import Final

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import OverThreshold
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store import threshold
from services.command_api.store.threshold import LOG_EVERY_SECONDS, CallerOnUri, Counted, SharedThreshold
from tests.support.fakes.desks import DANA, MACHINE

PER_MINUTE: Final = 20
LOCKED: Final = 300
URI: Final = "/api/timetracker/timer"


class Counts:
    """Counts as Postgres does, in a thousandth of a second, and remembers what it was asked."""

    def __init__(self) -> None:
        self.went_on = Counter[CallerOnUri]()
        self.asked: list[tuple[CallerOnUri, int]] = []
        self.at_once = Counter[CallerOnUri]()
        self.at_once_max = 0
        self.seconds = 0.001
        self.locked_seconds = LOCKED
        self.error: Exception | None = None

    async def count(self, key: CallerOnUri, asked: int) -> Counted:
        self.asked.append((key, asked))
        self.at_once[key] += 1
        self.at_once_max = max(self.at_once_max, *self.at_once.values())
        await asyncio.sleep(self.seconds)
        self.at_once[key] -= 1
        if self.error is not None:
            raise self.error
        went_on = min(asked, PER_MINUTE - self.went_on[key])
        self.went_on[key] += went_on
        return Counted(went_on, self.locked_seconds if went_on < asked else 0)


async def _over(shared: SharedThreshold, requests: int, caller: Caller = DANA) -> Counter[OverThreshold | None]:
    return Counter(await asyncio.gather(*(shared.over(caller, URI) for _ in range(requests))))


def _shared(counts: Counts, within_seconds: float = 5.0) -> SharedThreshold:
    return SharedThreshold(counts.count, within_seconds=within_seconds)


async def test_of_fifty_requests_at_once_twenty_go_on_after_one_count() -> None:
    counts = Counts()
    assert await _over(_shared(counts), 50) == {None: PER_MINUTE, OverThreshold(LOCKED): 30}
    assert [asked for _, asked in counts.asked] == [50]


async def test_requests_that_come_during_a_count_are_counted_together_by_the_next() -> None:
    counts = Counts()
    shared = _shared(counts)
    first = asyncio.create_task(shared.over(DANA, URI))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await _over(shared, 30) == {None: PER_MINUTE - 1, OverThreshold(LOCKED): 11}
    assert await first is None
    assert [asked for _, asked in counts.asked] == [1, 30]
    assert counts.at_once_max == 1


async def test_callers_and_uris_are_counted_apart_and_side_by_side() -> None:
    counts = Counts()
    shared = _shared(counts)
    heard = await asyncio.gather(shared.over(DANA, URI), shared.over(MACHINE, URI), shared.over(DANA, "/other"))
    assert Counter(heard) == {None: 3}
    assert counts.went_on == {
        CallerOnUri("acme", DANA.client, URI): 1,
        CallerOnUri("acme", MACHINE.client, URI): 1,
        CallerOnUri("acme", DANA.client, "/other"): 1,
    }


async def test_a_lock_that_ends_now_is_told_as_one_second() -> None:
    counts = Counts()
    counts.locked_seconds = 0
    assert (await _over(_shared(counts), 21))[OverThreshold(1)] == 1


async def test_without_a_threshold_nothing_is_counted() -> None:
    assert await _over(SharedThreshold(None, within_seconds=5.0), 50) == {None: 50}


@pytest.mark.parametrize("error", [ReadsAwayError(), asyncpg.RaiseError("no"), RuntimeError("a bug")])
async def test_a_count_that_fails_lets_requests_go_on(error: Exception) -> None:
    counts = Counts()
    counts.error = error
    shared = _shared(counts)
    assert await _over(shared, 50) == {None: 50}
    assert await _over(shared, 50) == {None: 50}
    assert len(counts.asked) == 1  # those of the next second are not even asked about


async def test_after_a_failure_requests_are_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threshold, "UNCOUNTED_SECONDS", 0.0)
    counts = Counts()
    counts.error = ReadsAwayError()
    shared = _shared(counts)
    assert await _over(shared, 30) == {None: 30}
    counts.error = None
    assert (await _over(shared, 30))[None] == PER_MINUTE


async def test_a_slow_count_keeps_no_request_waiting() -> None:
    """The count itself goes on to its end: its requests did happen."""
    counts = Counts()
    counts.seconds = 0.2
    shared = _shared(counts, within_seconds=0.05)
    async with asyncio.timeout(0.15):
        assert await _over(shared, 30) == {None: 30}
        assert await _over(shared, 30) == {None: 30}
    await asyncio.sleep(0.2)
    assert counts.went_on == {CallerOnUri("acme", DANA.client, URI): PER_MINUTE}


async def test_requests_that_went_on_uncounted_are_one_line_in_ten_seconds() -> None:
    counts = Counts()
    counts.error = asyncpg.RaiseError("a row, perhaps with somebody's name")
    shared = _shared(counts)
    with capture_logs() as said:
        shared.sweep(0.0)
        await _over(shared, 50)
        shared.sweep(100.0)
        shared.sweep(100.05)
        await _over(shared, 7)
        shared.sweep(100.0 + LOG_EVERY_SECONDS - 0.1)
        assert len(said) == 1
        shared.sweep(100.0 + LOG_EVERY_SECONDS)
        shared.sweep(200.0)
    why = "RaiseError: SQLSTATE P0001"
    assert said == [
        {"event": "requests_uncounted", "log_level": "warning", "requests": 50, "why": why},
        {"event": "requests_uncounted", "log_level": "warning", "requests": 7, "why": why},
    ]


async def test_requests_that_a_slow_count_let_go_are_in_the_line_once() -> None:
    counts = Counts()
    counts.seconds = 0.1
    counts.error = ReadsAwayError()
    shared = _shared(counts, within_seconds=0.05)
    with capture_logs() as said:
        await _over(shared, 3)
        await asyncio.sleep(0.1)  # now the count itself fails
        shared.sweep(100.0)
    assert [line["requests"] for line in said] == [3]


async def test_requests_that_go_on_uncounted_for_a_minute_are_an_alarm_until_one_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A right that was not given leaves the limit off for good, and each press goes on as if there were none."""
    monkeypatch.setattr(threshold, "UNCOUNTED_SECONDS", 0.0)
    counts = Counts()
    shared = _shared(counts)
    with capture_logs() as said:
        for line in range(10):
            counts.error = None if line == 8 else asyncpg.InsufficientPrivilegeError("no")
            await _over(shared, 1)
            shared.sweep(100.0 + line * LOG_EVERY_SECONDS)
    levels = [one["log_level"] for one in said]
    assert levels == [*["warning"] * threshold.LINES_BEFORE_AN_ALARM, "error", "error", "warning"]
