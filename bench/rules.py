"""The cost of a press in the pure fold with every rule flagged and every limit set, against a policy with none.

Rounds are interleaved, and the median of their ratios is printed. Ends with 1 when it is over the limit.
"""

import sys
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import process_time
from typing import Final
from uuid import UUID

from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import fold_entry
from services.projector.domain.sheet.ledger import Known, Ledger
from shared.events.codec import Press
from shared.events.envelope import Envelope
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import Actor, AnyEvent, OwnerProfileSet, TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.policy import (
    DailyCap,
    Holiday,
    LongRunning,
    Mode,
    Overlap,
    OverlapMode,
    PastTime,
    Policy,
    Preset,
    RuleMode,
    Rules,
    WeekendFrom,
)
from shared.events.policy_book import PolicyBook, PolicyRecord

LIMIT: Final = 1.15
ROUNDS: Final = 15
OWNERS: Final = 400
BEGINS: Final = datetime(2026, 3, 2, 7, tzinfo=UTC)
FLAG: Final = RuleMode(mode=Mode.FLAG)
OFF: Final = RuleMode(mode=Mode.OFF)
ALL: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    weekend=(WeekendFrom.model_validate({"from": "2026-01-01", "days": "6,7"}),),
    holidays=(Holiday(day=date(2026, 4, 2)),),
    rules=Rules(
        **dict.fromkeys(("R08", "R09", "R10", "R14", "R17", "R18", "R20"), FLAG),
        R11=DailyCap(mode=Mode.FLAG, billable_seconds_per_day=28_800),
        R13=Overlap(mode=OverlapMode.FLAG),
        R15=PastTime(mode=Mode.FLAG, max_backdate_seconds=604_800, locked_before=date(2026, 2, 1)),
        R16=LongRunning(mode=Mode.FLAG, long_running_seconds=36_000, auto_close_seconds=50_400),
    ),
)
NONE: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    rules=Rules(
        **dict.fromkeys(("R08", "R09", "R10", "R14", "R17", "R18", "R20"), OFF),
        R11=DailyCap(mode=Mode.OFF),
        R13=Overlap(mode=OverlapMode.ALLOW),
        R15=PastTime(mode=Mode.OFF),
        R16=LongRunning(mode=Mode.OFF),
    ),
)


def presses() -> list[LoggedPress]:
    """Return a working day of each owner: a profile, then start, pause, resume, stop, an hour apart."""
    log: list[LoggedPress] = []
    for number in range(OWNERS):
        owner = f"owner-{number}"
        timer = make_short((BEGINS - ID_EPOCH) // timedelta(milliseconds=1), slot_of("acme", owner), number)
        said = {"tenant": "acme", "actor": Actor(client="crm", role="machine"), "dialect": "native", "digest": "0" * 64}
        day: list[AnyEvent] = [
            # Known and active, so that R20 is judged and stays quiet.
            OwnerProfileSet.model_validate(said | {"owner": owner, "active": True}),
            TimerStarted.model_validate(said | {"owner": owner}),
            *(kind.model_validate(said) for kind in (TimerPaused, TimerResumed, TimerStopped)),
        ]
        for hour, event in enumerate(day):
            at = BEGINS + timedelta(hours=hour)
            subject = None if isinstance(event, OwnerProfileSet) else timer
            envelope = Envelope(UUID(int=len(log) + 1), event.type, at, 0, subject=subject)
            log.append(LoggedPress(len(log), at, Press(envelope, event)))
    return log


def seconds(log: list[LoggedPress], policy: Policy) -> float:
    """Fold the log under a policy, and return the processor's seconds."""
    book = PolicyBook()
    record = PolicyRecord(replaces=None, set_by="bench", set_at=BEGINS - timedelta(days=1), document=policy)
    book.apply(0, b"acme", record.model_dump_json(by_alias=True).encode())
    ledger = Ledger(0, 1, Known({}, {}, {}, -1))
    began = process_time()
    for press in log:
        fold_entry(ledger, press, book)
    return process_time() - began


def main() -> int:
    """Print the ratio. Return 1 when it is over the limit."""
    log = presses()
    rounds = [(seconds(log, ALL), seconds(log, NONE)) for _ in range(ROUNDS)]
    ratio = median(flagged / quiet for flagged, quiet in rounds)
    each_us = median(quiet for _, quiet in rounds) / len(log) * 1e6
    sys.stdout.write(f"all rules flagged / none: {ratio:.2f} (limit {LIMIT}); a press with none: {each_us:.0f} us\n")
    return ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
