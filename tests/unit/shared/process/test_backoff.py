"""Backoff: pauses that grow, and failures that are logged seldom."""

import time

import pytest
from structlog.testing import capture_logs

from shared.process.backoff import LOGGED_AGAIN_AFTER_SECONDS, Backoff, Setbacks


def test_a_pause_doubles_with_each_failure_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=0.1, most_seconds=0.5)
    assert [backoff.next() for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_a_success_begins_with_the_first_pause_again() -> None:
    backoff = Backoff()
    assert [backoff.next(), backoff.next()] == [0.1, 0.2]
    backoff.reset()
    assert backoff.next() == 0.1


def test_a_failure_that_comes_again_is_logged_once() -> None:
    with capture_logs() as said:
        setbacks = Setbacks("broker_lost")
        for error in (OSError("away"), OSError("away"), OSError("refused")):
            setbacks.failed(error, group="g")
        setbacks.recovered()
        setbacks.failed(OSError("refused"))
    assert [line["error"] for line in said] == ["OSError('away')", "OSError('refused')", "OSError('refused')"]
    assert said[0] == {"event": "broker_lost", "log_level": "error", "error": "OSError('away')", "group": "g"}


def test_a_failure_that_lasts_is_logged_again_after_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert on an alarm looks back for some minutes, and must not end while the trouble lasts."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    setbacks = Setbacks("broker_lost")
    with capture_logs() as said:
        for now in (1000.0, 1000.0 + LOGGED_AGAIN_AFTER_SECONDS - 1, 1000.0 + LOGGED_AGAIN_AFTER_SECONDS):  # noqa: B007
            setbacks.failed(OSError("away"))
    assert len(said) == 2


def test_a_failure_that_passes_is_a_warning_and_one_that_lasts_an_alarm() -> None:
    now = 1000.0
    setbacks = Setbacks("broker_lost", passing_seconds=60.0, monotonic=lambda: now)
    with capture_logs() as said:
        for now in (1000.0, 1059.0, 1060.0, 1061.0, 1060.0 + LOGGED_AGAIN_AFTER_SECONDS):  # noqa: B007
            setbacks.failed(OSError("away"))
        setbacks.recovered()
        setbacks.failed(OSError("away"))
    assert [line["log_level"] for line in said] == ["warning", "error", "error", "warning"]
