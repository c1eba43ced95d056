"""What has work and does none of it is told from what a slow look cannot see."""

import asyncio
from collections.abc import Mapping

import pytest

from services.stint_cli.watch.places import moves


class Looks:
    """Looks at the places 1 and 2, one after the other as given. Those after the first take some time."""

    def __init__(self, *seen: Mapping[int, int], seconds: float = 0.0) -> None:
        self.left = list(seen)
        self._seconds = 0.0, seconds

    async def __call__(self) -> Mapping[int, int]:
        first, later = self._seconds
        self._seconds = later, later
        await asyncio.sleep(first)
        return self.left.pop(0)


async def watched(looks: Looks) -> tuple[Mapping[int, int], set[int]]:
    return await moves.watched(looks, has_work=lambda work: work > 0, moved=lambda now, was: now != was)


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "_MOVES_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(moves, "_LOOK_AGAIN_SECONDS", 0.01)


async def test_what_has_no_work_is_looked_at_once() -> None:
    assert await watched(Looks({1: 0, 2: 0})) == ({1: 0, 2: 0}, set())


async def test_one_look_that_shows_a_move_is_enough() -> None:
    looks = Looks({1: 4, 2: 0}, {1: 3, 2: 1}, {1: 3, 2: 1})
    assert await watched(looks) == ({1: 3, 2: 1}, set())
    assert len(looks.left) == 1


async def test_what_stays_until_the_time_is_over_is_told() -> None:
    assert await watched(Looks(*[{1: 4, 2: 3 + (n > 0)} for n in range(20)])) == ({1: 4, 2: 4}, {1})


async def test_a_look_that_takes_all_the_time_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has seen only what was there when it began."""
    monkeypatch.setattr(moves, "_MOVES_WITHIN_SECONDS", 0.5)
    assert await watched(Looks({1: 4}, {1: 4}, {1: 0}, seconds=0.6)) == ({1: 0}, set())
