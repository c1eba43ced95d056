"""Working days as logs: what an owner has before the first press that is measured, and the presses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.projector.domain.entry import LoggedPress
from shared.events.codec import Press
from shared.events.envelope import Envelope
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import (
    Actor,
    AnyEvent,
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerProfileSet,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)

TENANT: Final = "acme"
OWNERS: Final = 400
BEGINS: Final = datetime(2026, 3, 2, 7, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
# Timers on one job of an owner with hundreds.
_OF_A_JOB: Final = 10
_CYCLES: Final = 8
_CALLER: Final[dict[str, object]] = {
    "tenant": TENANT,
    "actor": Actor(client="crm", role="machine"),
    "dialect": "native",
    "digest": "0" * 64,
}


@dataclass(slots=True)
class Log:
    """Presses one after the other: those `before` the clock of the bench begins, and those that it measures."""

    before: list[LoggedPress] = field(default_factory=list)
    measured: list[LoggedPress] = field(default_factory=list)
    _timers: int = 0

    def new_timer(self, owner: str) -> int:
        """Return the id of a timer of an owner, none like those before."""
        self._timers += 1
        return make_short((BEGINS - ID_EPOCH) // timedelta(milliseconds=1) + self._timers, slot_of(TENANT, owner), 0)

    def know(self, at: datetime, kind: type[AnyEvent], timer: int | None = None, **fields: object) -> None:
        """Add what was pressed before the clock begins."""
        self.before.append(self._pressed(at, kind, timer, fields))

    def press(self, at: datetime, kind: type[AnyEvent], timer: int, **fields: object) -> None:
        """Add a press that is measured."""
        self.measured.append(self._pressed(at, kind, timer, fields))

    def _pressed(self, at: datetime, kind: type[AnyEvent], timer: int | None, fields: dict[str, object]) -> LoggedPress:
        event = kind.model_validate(_CALLER | fields)
        offset = len(self.before) + len(self.measured)
        return LoggedPress(offset, at, Press(Envelope(UUID(int=offset + 1), event.type, at, 0, subject=timer), event))


def plain() -> Log:
    """Return a day of each owner: start, pause, resume, stop, an hour apart."""
    log = Log()
    for owner in _known(log):
        _worked(log, owner, None)
    return log


def with_facts() -> Log:
    """Return the same of owners with leave, attendance all day long, and an estimate of the job."""
    log = Log()
    for owner in _known(log):
        _with_facts(log, owner)
        _worked(log, owner, "roof")
    return log


def with_a_second() -> Log:
    """Return the same while another timer on that job runs, since before: each start and resume overlaps it."""
    log = Log()
    for owner in _known(log):
        _with_facts(log, owner)
        log.know(BEGINS, TimerStarted, log.new_timer(owner), owner=owner, job_id="roof")
        _worked(log, owner, "roof")
    return log


def with_running(count: int) -> Log:
    """Return starts and stops of one owner of whom so many timers run, since two hours before, on a job for each ten.

    Ticks have told which limits of the day these have reached by then: with a hundred, all.
    """
    log = Log()
    [owner] = _known(log, 1)
    _with_facts(log, owner)
    for number in range(count):
        at, job_id = BEGINS + timedelta(seconds=number), f"job-{number // _OF_A_JOB}"
        log.know(at, TimerStarted, log.new_timer(owner), owner=owner, job_id=job_id)
    at = BEGINS + 2 * HOUR
    for _ in range(2 + count // 20):  # one outcome tells a part
        log.know(at, DeadlineReached, owner=owner)
    for _ in range(_CYCLES):
        timer = log.new_timer(owner)
        log.press(at + timedelta(minutes=1), TimerStarted, timer, owner=owner, job_id="roof")
        at += timedelta(minutes=5)
        log.press(at, TimerStopped, timer)
    return log


def _known(log: Log, count: int = OWNERS) -> Iterator[str]:
    """Return owners who are known and active, so that R20 is judged and stays quiet."""
    for number in range(count):
        owner = f"owner-{number}"
        log.know(BEGINS - HOUR, OwnerProfileSet, owner=owner, active=True)
        yield owner


def _with_facts(log: Log, owner: str) -> None:
    """Add leave on a later day, attendance until the evening, and an estimate that is far."""
    at, until = BEGINS - HOUR, BEGINS + 12 * HOUR
    log.know(at, OwnerLeaveGranted, owner=owner, on=date(2026, 4, 1))
    log.know(at, OwnerAttendanceRecorded, owner=owner, on=BEGINS.date(), checked_in_at=at, checked_out_at=until)
    log.know(at, OwnerEstimateSet, owner=owner, job_id="roof", seconds=360_000)


def _worked(log: Log, owner: str, job_id: str | None) -> None:
    timer = log.new_timer(owner)
    log.press(BEGINS + HOUR, TimerStarted, timer, owner=owner, job_id=job_id)
    log.press(BEGINS + 2 * HOUR, TimerPaused, timer)
    log.press(BEGINS + 3 * HOUR, TimerResumed, timer)
    log.press(BEGINS + 4 * HOUR, TimerStopped, timer)
