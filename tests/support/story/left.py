"""Left: what the presses of a log leave. Two logs of the same presses, with other ticks, leave the same.

Two things may differ, and nothing else: findings without time in them may be more, because what was told is never
withdrawn; and R15 of a press that in one of the logs takes an end back. By the contract it tells which time of a locked
day the press changes. That is the time between both ends where an end had been told, and all of it where none had been
(docs/adr/0047). A caller may name findings that stand as they were told, because no press moves what is so old.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.projector.domain.sheet.ledger import Ledger
from shared.events.models import DeadlineReached
from shared.events.outcome import Finding, Outcome
from shared.events.rules import Rule

# A timer, a rule, and when it was broken.
Key = tuple[int, str, datetime]
Found = dict[Key, Finding]
# A press, by its timer and its log time.
By = tuple[int | None, datetime]


@dataclass(frozen=True)
class Left:
    """Minutes, the verdict on each press, findings as they were told last, and which presses took an end back."""

    minutes: dict[Any, Any]
    verdicts: list[tuple[By, str, str | None, tuple[str, ...]]]
    found: Found
    taken_back: frozenset[By]
    # The keys of what each press told of locked days (R15). A tick may tell it at one time or another.
    told_locked: frozenset[tuple[By, Key]] = field(compare=False)

    def lasted(self, exempt: Collection[Key] = ()) -> Found:
        """Return the findings that have any time in them, or have no end yet, but for those of some keys."""
        return {key: one for key, one in self.found.items() if one.amount_us != 0 and key not in exempt}

    def locked(self, presses: Collection[By]) -> set[Key]:
        """Return the keys of what these presses told of locked days (R15)."""
        return {key for by, key in self.told_locked if by in presses}


def left_by(ledger: Ledger, outcomes: Iterable[Outcome]) -> Left:
    """Return what presses left: on the sheets, and in their outcomes."""
    verdicts, found, taken_back, told_locked = list[Any](), Found(), set[By](), set[tuple[By, Key]]()
    for said in outcomes:
        by = said.subject, said.log_time
        if said.event_type != DeadlineReached.type:
            verdicts.append((by, said.verdict, said.rule, said.flags))
        for one in said.findings:
            key = one.timer_id, one.rule, one.from_
            # A refused press at the same instant changes nothing of a finding that counts.
            if key not in found or found[key].refused or not one.refused:
                found[key] = one
            if one.rule == Rule.PAST_TIME:
                told_locked.add((by, key))
        taken_back |= {
            (change.timer, said.log_time)
            for change in said.changed
            if change.closed is not None and change.closed.was is not None
        }
    return Left(minutes_of(ledger), verdicts, found, frozenset(taken_back), frozenset(told_locked))


def minutes_of(ledger: Ledger) -> dict[Any, Any]:
    """Return all that is known of each owner's time. Flags tell which findings there were, and are no time."""
    return {
        owner: (
            {id_: replace(timer.after, flags=()) for id_, timer in sheet.timers.items()},
            {id_: (timer.open.start, timer.open.zone) for id_, timer in sheet.timers.items() if timer.open is not None},
            sorted(sheet.closed, key=lambda one: (one.timer_id, one.start)),
            {day: worked for day, worked in sheet.days.items() if worked.total_us},
        )
        for owner, sheet in ledger.sheets.items()
        if sheet.timers
    }


def assert_same(one: Left, other: Left, standing: Collection[Key] = ()) -> None:
    """Compare what two logs of the same presses left, but for what may differ, and findings that stand as told."""
    assert one.minutes == other.minutes
    in_one_alone = one.taken_back ^ other.taken_back
    assert _verdicts(one, in_one_alone) == _verdicts(other, in_one_alone)
    # What the press tells where it takes no end back, a tick may have told where it does.
    locked = one.locked(in_one_alone) | other.locked(in_one_alone)
    exempt = locked | {*standing}
    assert one.lasted(exempt) == other.lasted(exempt)


def _verdicts(left: Left, exempt: frozenset[By]) -> list[Any]:
    return [
        (by, verdict, rule, flags if by not in exempt else tuple(flag for flag in flags if flag != Rule.PAST_TIME))
        for by, verdict, rule, flags in left.verdicts
    ]
