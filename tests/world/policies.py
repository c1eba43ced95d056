"""Policies of the world: an ordinary one, and any, with each rule in any mode."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
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

# Another preset changes the defaults of a few rules. Where timers are disabled, little else is judged.
_PRESETS: Final = (Preset.NATIVE, Preset.NATIVE, Preset.THEBASE, Preset.ZOHO)
_DISABLED: Final = (True, *[False] * 11)


def policy(zone: str, **rules: RuleMode) -> Policy:
    """Return a policy that is ordinary but for some rules."""
    return Policy(preset=Preset.NATIVE, zone=zone, rules=Rules.model_validate(rules))


def any_policy(chance: Random, zones: Sequence[str], today: date) -> Policy:
    """Return a policy by chance, also one that nobody may set any more: what was set before counts all the same."""
    return Policy(
        preset=chance.choice(_PRESETS),
        zone=chance.choice(zones),
        timers_disabled=chance.choice(_DISABLED),
        weekend=_weekend(chance),
        holidays=tuple(
            Holiday(day=today + timedelta(days=chance.choice((0, 1)))) for _ in range(chance.choice((0, 0, 0, 1)))
        ),
        rules=Rules(
            R08=_mode(chance),
            R09=_mode(chance),
            R10=_mode(chance),
            R11=DailyCap(mode=_word(chance), billable_seconds_per_day=chance.choice((None, 30, 3_600))),
            R12=_mode(chance),
            R13=Overlap(mode=chance.choice((*OverlapMode, None))),
            R14=_mode(chance),
            R15=PastTime(
                mode=_word(chance),
                max_backdate_seconds=chance.choice((None, 60, 86_400)),
                locked_before=chance.choice((None, today)),
            ),
            R16=LongRunning(
                mode=chance.choice((Mode.OFF, None, None)),
                long_running_seconds=chance.choice((None, 20, 7_200)),
                auto_close_seconds=chance.choice((None, None, 40, 36_000)),
            ),
            R17=RuleMode(mode=chance.choice((Mode.OFF, None))),
            R18=_mode(chance),
            R20=RuleMode(mode=chance.choice((*Mode, None, None, None))),
        ),
    )


def _weekend(chance: Random) -> tuple[WeekendFrom, ...]:
    days = chance.choice((None, None, "6,7", "1,2,3,4,5,6,7"))
    return () if days is None else (WeekendFrom.model_validate({"from": "2020-01-01", "days": days}),)


def _word(chance: Random) -> Mode | None:
    words: tuple[Mode | None, ...] = (*Mode, None)
    return chance.choice(words)


def _mode(chance: Random) -> RuleMode:
    return RuleMode(mode=_word(chance))
