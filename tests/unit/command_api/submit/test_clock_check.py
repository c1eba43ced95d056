"""The broker's clock and ours: an ack that is too far off is an alarm, until one agrees."""

import structlog

from services.command_api.submit.clock_check import ClockCheck


async def test_clocks_within_bounds_raise_no_alarm() -> None:
    """A slow ack is not a wrong clock either."""
    clock = ClockCheck(10.0)
    for log_time_ms in (90_000, 100_000, 130_000, 140_000):
        clock.compare(log_time_ms, 100_000, 130_000)
    assert clock.agrees


async def test_a_clock_over_ten_seconds_off_alarms_until_an_ack_agrees() -> None:
    for log_time_ms in (89_999, 140_001):
        clock = ClockCheck(10.0)
        with structlog.testing.capture_logs() as logs:
            clock.compare(log_time_ms, 100_000, 130_000)
            clock.compare(log_time_ms, 100_000, 130_000)
        assert [(entry["event"], entry["log_level"]) for entry in logs] == [("clock_disagrees", "error")]
        assert not doubts_over(clock)
        clock.compare(100_000, 100_000, 130_000)
        assert doubts_over(clock)


def doubts_over(clock: ClockCheck) -> bool:
    return clock.agrees
