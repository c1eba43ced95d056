"""What was sent: once, and again after pauses that grow, for as long as the row stands still."""

import pytest

from services.projector.clock import sent
from services.projector.clock.sent import SentTicks
from tests.support.fakes.clock_house import due

DANA = due("dana")


def test_a_row_that_stands_still_is_sent_again_after_growing_pauses() -> None:
    memory = SentTicks()
    times = [now for now in range(150) if memory.to_send([DANA], float(now))]
    assert times == [0, 1, 5, 21, 81, 141]


def test_a_tick_that_did_not_reach_the_log_is_sent_again_soon() -> None:
    """Kafka was away for a minute. When it is back, nothing is a minute late once more."""
    memory = SentTicks()
    for now in (0.0, 1.0, 5.0, 21.0):
        assert memory.to_send([DANA], now) == [DANA]
    memory.not_sent([DANA], 21.0)
    assert [now for now in (21.5, 22.0) if memory.to_send([DANA], now)] == [22.0]


def test_a_row_that_moved_is_sent_at_once() -> None:
    memory = SentTicks()
    assert memory.to_send([DANA], 0.0) == [DANA]
    later = due("dana", at="09:01")
    assert memory.to_send([later], 0.1) == [later]


def test_rows_that_moved_are_forgotten() -> None:
    memory = SentTicks()
    memory.to_send([due(f"o{n}") for n in range(50)], 0.0)
    memory.to_send([DANA], 90.0)
    memory.forget(91.0)
    assert len(memory) == 1


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent, "_REMEMBERED_MAX", 10)
    memory = SentTicks()
    memory.to_send([due(f"o{n}") for n in range(11)], 0.0)
    memory.forget(1.0)
    assert len(memory) == 0
