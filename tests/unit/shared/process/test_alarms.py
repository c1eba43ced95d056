"""Alarms: errors are counted on their way to the log, under names that are known beforehand."""

import structlog
from structlog.testing import LogCapture
from structlog.typing import Processor

from shared.process.alarms import Alarms


def heard_by(alarms: Alarms) -> tuple[structlog.stdlib.BoundLogger, LogCapture]:
    """Return a logger whose lines pass the alarms, and what reaches the log."""
    written = LogCapture()
    processors: list[Processor] = [structlog.processors.add_log_level, alarms.count, written]
    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(None, processors=processors)
    return log, written


def test_each_error_is_counted_and_logged_all_the_same() -> None:
    alarms = Alarms(["broker_lost", "clock_lost"])
    log, written = heard_by(alarms)
    log.error("broker_lost", error="away")
    log.critical("broker_lost")
    assert alarms.raised() == {"broker_lost": 2, "clock_lost": 0}
    assert [line["event"] for line in written.entries] == ["broker_lost", "broker_lost"]


def test_what_is_no_error_is_no_alarm() -> None:
    alarms = Alarms(["broker_lost"])
    log, _ = heard_by(alarms)
    log.warning("broker_lost")
    log.info("broker_lost")
    assert alarms.raised() == {"broker_lost": 0}


def test_a_name_that_is_not_known_beforehand_is_never_a_label() -> None:
    """A library's line, or a text that came from outside."""
    alarms = Alarms(["broker_lost"])
    log, _ = heard_by(alarms)
    log.error("GET /v1/timers/17 failed")
    assert alarms.raised() == {"broker_lost": 0}
