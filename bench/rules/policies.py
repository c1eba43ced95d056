"""The two policies: every rule flagged with every limit set, and no rule at all."""

from datetime import date
from typing import Final

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
        **dict.fromkeys(("R08", "R09", "R10", "R12", "R14", "R17", "R18", "R20"), OFF),
        R11=DailyCap(mode=Mode.OFF),
        R13=Overlap(mode=OverlapMode.ALLOW),
        R15=PastTime(mode=Mode.OFF),
        R16=LongRunning(mode=Mode.OFF),
    ),
)
