"""Late presses beside each other: whether and when somebody looked between them changes nothing that has time in it.

Three timers of one owner share a cap of an hour and a half, and two of them an estimate. What is said of them comes
within a minute of each other or hours later, at once or late; most of them stop by themselves, or by a switch.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain import fold
from services.projector.domain.due import settle
from services.projector.domain.due.settle import Settled
from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.domain.sheet.state import Timesheet
from shared.events.models import DeadlineReached, OwnerEstimateSet
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy, Rules
from tests.properties.test_timesheet_ticks import Found, lasted, minutes_of
from tests.support.story.given import JERUSALEM, MONDAY, Told, book_of, fact, paused, resumed, started, stopped

SECOND: Final = timedelta(seconds=1)
BEGIN: Final = MONDAY + timedelta(hours=9)
REST: Final = timedelta(hours=25)
MAKE: Final[dict[str, Callable[..., Told]]] = {
    "start": started,
    "pause": paused,
    "resume": resumed,
    "stop": stopped,
}
# What is pressed next on a timer, by what was pressed last: of two things.
NEXT: Final = {
    "": ("start", "start"),
    "start": ("pause", "stop"),
    "pause": ("resume", "stop"),
    "resume": ("pause", "stop"),
    "stop": ("stop", "stop"),
}


def limits(mode: Mode, overlap: OverlapMode, stops: int | None) -> Policy:
    """Return a policy: an hour and a half that is billable a day, and after so many seconds a timer stops."""
    rules = Rules(
        R11=DailyCap(mode=mode, billable_seconds_per_day=5400),
        R13=Overlap(mode=overlap),
        R16=LongRunning(auto_close_seconds=stops),
    )
    return JERUSALEM.model_copy(update={"rules": rules})


STRICT: Final = limits(Mode.STRICT, OverlapMode.ALLOW, 3600)
POLICIES: Final = (
    STRICT,
    limits(Mode.FLAG, OverlapMode.ALLOW, 3600),
    limits(Mode.FLAG, OverlapMode.ALLOW, 4 * 3600),
    limits(Mode.FLAG, OverlapMode.PAUSE_PREVIOUS, 3600),
    limits(Mode.FLAG, OverlapMode.STOP_PREVIOUS, 3600),
    limits(Mode.FLAG, OverlapMode.PAUSE_PREVIOUS, None),
)


@dataclass(frozen=True)
class Say:
    """A press: how long after the one before, on which timer, which of two things, and how late, in seconds."""

    gap: int
    timer: str
    choice: int
    late: int


@dataclass(frozen=True)
class Look:
    """A tick so many seconds after a press."""

    press: int
    after: int


says: Final = st.lists(
    st.builds(
        Say,
        st.sampled_from([1, 20, 45, 0, 61, 600, 1800, 3700]),
        st.sampled_from(["desk", "phone", "car"]),
        st.integers(0, 1),
        st.sampled_from([0, 3000, 1800, 6000, 20_000]),
    ),
    min_size=2,
    max_size=9,
)
looks: Final = st.lists(
    st.builds(Look, st.integers(0, 8), st.sampled_from([30, 60, 10, 61, 120, 1200, 3601])), min_size=1, max_size=4
)


def log_of(said: Sequence[Say], ticks: Sequence[Look]) -> list[LoggedPress]:
    """Return presses, looks between them, and one look at the end, after an estimate."""
    now, last, times, told = BEGIN, dict[str, str](), list[Any](), list[Told]()
    for say in said:
        now += say.gap * SECOND
        kind = NEXT[last.get(say.timer, "")][say.choice]
        last[say.timer] = kind
        press = MAKE[kind](say.timer, "09:00", **({"job_id": "roof"} if kind == "start" and say.timer != "car" else {}))
        asked = press.event.model_copy(update={"asked_at": now - say.late * SECOND if say.late else None})
        told.append(replace(press, event=asked, recorded_at=now, log_time=now))
        times.append(now)
    looked = [times[min(look.press, len(times) - 1)] + look.after * SECOND for look in ticks]
    tick = fact(DeadlineReached, "08:00")
    told += [replace(tick, recorded_at=at, log_time=at, expires_at=at) for at in (*looked, now + REST)]
    estimate = fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=7000)
    told.sort(key=lambda one: one.log_time)
    return [one.logged(offset) for offset, one in enumerate([estimate, *told])]


def folded(log: Sequence[LoggedPress], policy: Policy) -> tuple[dict[Any, Any], list[Any], Found]:
    """Return minutes, the verdict on each press, and findings as they were told last, without those of refusals."""
    ledger, verdicts, found, book = Ledger(0, 1, Known({}, {}, {}, -1)), list[Any](), Found(), book_of(policy)
    for entry in log:
        came = fold_entry(ledger, entry, book)
        if isinstance(came, Kept):
            if not isinstance(entry.event, DeadlineReached):
                verdicts.append((came.outcome.verdict, came.outcome.rule, came.outcome.flags))
            counted = (one for one in came.outcome.findings if not one.refused)
            found |= {(one.timer_id, one.rule, one.from_): one for one in counted}
    return minutes_of(ledger), verdicts, lasted(found)


def looks_leave_the_same_minutes_verdicts_and_findings(
    policy: Policy, said: Sequence[Say], ticks: Sequence[Look]
) -> None:
    assert folded(log_of(said, ticks), policy) == folded(log_of(said, []), policy)


test_looks_leave_the_same_minutes_verdicts_and_findings = given(st.sampled_from(POLICIES), says, looks)(
    looks_leave_the_same_minutes_verdicts_and_findings
)


def overtaking() -> AbstractContextManager[Any]:
    """Let a tick tell what is due after something that waits for its first minute."""
    return patch.object(settle, "_waits", lambda *_: False)


def taken_back_at_once() -> AbstractContextManager[Any]:
    """Take an end back without what a tick would have told before."""

    def nothing(sheet: Timesheet, *_: object) -> Settled:
        return Settled(sheet)

    real = fold._until_taken_back

    def at_once(*said: Any) -> Settled:  # noqa: ANN401 - those of the real one
        with patch.object(fold, "settle_in_order", nothing):
            return real(*said)

    return patch.object(fold, "_until_taken_back", at_once)


# Logs that a hunt has found: chance meets each about once in a thousand.
BOTH_WAIT: Final = [Say(0, "desk", 0, 0), Say(45, "phone", 0, 20_000)], [Look(1, 30)]
TAKEN_BACK: Final = (
    [Say(0, "desk", 0, 0), Say(3700, "phone", 0, 6000), Say(3700, "desk", 0, 20_000)],
    [Look(1, 1200)],
)


@pytest.mark.parametrize(("fault", "log"), [(overtaking, BOTH_WAIT), (taken_back_at_once, TAKEN_BACK)])
def test_the_law_of_looks_notices_a_fault(
    fault: Callable[[], AbstractContextManager[Any]], log: tuple[Sequence[Say], Sequence[Look]]
) -> None:
    """The control, and the same logs without a fault."""
    looks_leave_the_same_minutes_verdicts_and_findings(STRICT, *log)
    with fault(), pytest.raises(AssertionError):
        looks_leave_the_same_minutes_verdicts_and_findings(STRICT, *log)
