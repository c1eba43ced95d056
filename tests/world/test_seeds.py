"""Seeds: with any mix of faults, no minute is lost, every answer is final, and all is folded within 30 s."""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pytest

from services.projector.domain.rules import judge as judging
from tests.support.proof.checkers.presses import physical_duplicates
from tests.world.plan import RATES, plan_of
from tests.world.story import SeedStory
from tests.world.verdicts import examine, told

LONG: Final = os.environ.get("STINT_TEST_LONG") == "1"
SEEDS: Final = 10_000 if LONG else 500
PRESSES_MAX: Final = 150 if LONG else 55
AT_ONCE: Final = 20
# What must have happened besides the faults that plans ask for.
CONSEQUENCES: Final = (
    "fenced",
    "known, not news",
    "zombie",
    "rebalance",
    "pruned",
    "duplicates",
    "tick",
    "policy looked at",
    "found by a tick",
    *("policy of native", "policy of thebase", "policy of zoho", "policy with holidays", "policy without timers"),
)
CRASHES: Final = (
    *("before read", "after read", "before commit", "inside commit", "after commit", "before publish", "after publish"),
    *("load the checkpoint", "span of the events", "span of the outcomes", "record before the checkpoint", "catch up"),
    *("deadlines found", "before running owners", "before ticks", "after ticks"),
    *("before unpublished", "poll with records in hand", "revoke"),
)
# The verdicts that presses must have had, with the reason where a rule has several.
VERDICTS: Final = (
    *("found R09", "found R10", "found R11", "found R12", "found R16", "found R17"),
    *("changed by settle", "changed by switch", "end taken back"),
    *("refused R09 day_off", "refused R10 outside_attendance", "refused R11 over_daily_cap"),
    "refused R12 over_estimate",
    *("accepted R08", "accepted R15", "accepted R20", "refused R08 timers_disabled", "refused R13 overlap"),
    *("refused R15 past_time", "refused R20 owner_unknown"),
    *("accepted", "accepted R13", "accepted R14", "accepted R18", "accepted late", "accepted zone_assumed"),
    *(
        "refused R03 unknown_zone",
        "refused R05 timer_unknown",
        "refused R06 not_the_owner",
        "refused R07 not_legal_now",
    ),
    *("refused R14 future_time", "refused R23 internal", "refused R23 no_policy", "refused R23 wrong_partition"),
    *("unreadable", "answered R24", "not kept"),
)


@dataclass
class Tally:
    """What has happened in all seeds so far."""

    seeds: int = 0
    fired: Counter[str] = field(default_factory=Counter)

    def take(self, story: SeedStory) -> None:
        """Count what has happened in one more seed."""
        self.seeds += 1
        self.fired += story.fired
        evidence = story.evidence
        self.fired["duplicates"] += physical_duplicates(evidence)
        self.fired["not kept"] += len(evidence.events) - len(evidence.judged)
        self.fired["answered R24"] += sum(op.body == {"rule": "R24"} for op in evidence.history)
        for _, outcome, _ in evidence.judged:
            said = outcome["verdict"]
            self.fired["found by a tick"] += outcome["event_type"] == "deadline.reached.v1"
            self.fired[f"{said} {outcome['rule']} {outcome['reason']}" if said == "refused" else said] += 1
            self.fired += Counter(f"found {finding['rule']}" for finding in outcome["findings"])
            self.fired += Counter(f"changed by {change['by']}" for change in outcome["changed"])
            ended = (change["closed"] for change in outcome["changed"] if change["closed"] is not None)
            self.fired["end taken back"] += sum(closed["was"] is not None for closed in ended)
            for flag in outcome["flags"]:
                self.fired[f"{said} {flag}"] += 1


@pytest.fixture(scope="module")
def tally() -> Tally:
    return Tally()


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_minute_is_lost(first: int, tally: Tally) -> None:
    failures = []
    for seed in range(first, first + AT_ONCE):
        plan = plan_of(seed, PRESSES_MAX)
        story, problems = examine(plan, both_ways=LONG)
        tally.take(story)
        if problems:
            failures.append(told(plan, problems))
    assert not failures, "\n".join(failures)


def test_every_fault_has_fired(tally: Tally) -> None:
    """A run in which nothing went wrong proves nothing."""
    if tally.seeds < SEEDS:
        pytest.skip("only some of the seeds were told")
    wanted = [*RATES, *CONSEQUENCES, *VERDICTS, *(f"crash {point}" for point in CRASHES)]
    assert [kind for kind in wanted if not tally.fired[kind]] == []


def test_every_rule_of_the_fold_is_among_the_verdicts() -> None:
    """A rule that no seed brings about is tried by no crash."""
    said = " ".join(VERDICTS)
    assert [rule for rule, *_ in judging._RULES if rule.value not in said] == []


def test_a_seed_is_the_same_story_each_time() -> None:
    """Otherwise a failure could not be looked into."""
    first, second = (examine(plan_of(7))[0] for _ in range(2))
    assert (first.points, first.fired, first.evidence.tables) == (second.points, second.fired, second.evidence.tables)
