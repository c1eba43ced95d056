"""Settled: what fell due and what a switch ended, as live fold, replay, naive fold and the rows of the tables have it.

Each of them learns of it in another way: by judging, from outcomes, by rules of its own, and row by row.
"""

from datetime import timedelta
from typing import Final

from hypothesis import event, given

from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.ledger import OwnerKey
from services.projector.domain.sheet.state import Timesheet
from services.projector.ports import Advance, Checkpoint
from shared.events.models import DeadlineReached
from shared.events.outcome import CHANGES_MAX, Outcome, State, read_outcome
from shared.events.policy import LongRunning, Mode, Overlap, OverlapMode, Policy, Preset, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.proof.naive.tables import tables_of
from tests.support.proof.tables import FOLD
from tests.support.proof.twice import bodies_in, folded_naively, stated_in_turn
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded, kept_of
from tests.support.story.given import MONDAY, fact, found, moment, resumed, started, timer_id
from tests.support.story.given import given as told
from tests.support.story.histories import Entry, histories
from tests.world.tables import Tables

LIMIT: Final = timedelta(hours=6)
CLOSING: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    rules=Rules(R16=LongRunning(auto_close_seconds=6 * 3600), R17=RuleMode(mode=Mode.OFF)),
)
PAUSING: Final = Policy(
    preset=Preset.NATIVE, zone="Asia/Jerusalem", rules=Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))
)
READ_MODELS: Final = [table for table in FOLD if table != "checkpoint"]


def replayed(outcomes: list[Outcome]) -> dict[OwnerKey, Timesheet]:
    sheets: dict[OwnerKey, Timesheet] = {}
    for outcome in outcomes:
        if outcome.tenant is not None and outcome.owner is not None:
            key = outcome.tenant, outcome.owner
            sheets[key] = evolve(sheets.get(key, Timesheet(*key)), outcome)
    return sheets


@given(histories, revisions)
def test_live_fold_replay_naive_fold_and_rows_agree_on_what_fell_due(log: list[Entry], under: Revisions) -> None:
    ledger, came = folded(log, under)
    kept = kept_of(came)
    for change in (change for one in kept for change in one.outcome.changed):
        event(f"changed by {change.by}")
    assert replayed([read_outcome(one.body) for one in kept]) == ledger.sheets

    book = folded_naively(log, stated_in_turn(under))
    assert bodies_in(book) == [one.body for one in kept]

    tables = Tables({0: Checkpoint(0)})
    tables.write([Advance(0, Checkpoint(0), kept)])
    assert {name: tables.dump()[name] for name in READ_MODELS} == {
        name: tables_of([book])[name] for name in READ_MODELS
    }


def test_a_refused_press_keeps_what_fell_due_before_it() -> None:
    """The timer was stopped automatically at 15:00, so it cannot be resumed. The refusal carries the stop."""
    story = told(started("desk", at="09:00"), policy=CLOSING).when(resumed("desk", at="16:00"))
    said = story.outcome
    assert (said.verdict, said.rule) == ("refused", "R07")
    assert [(change.by, change.after.state, change.after.stopped_at) for change in said.changed] == [
        ("settle", State.STOPPED, moment("15:00"))
    ]
    assert said.timer == said.changed[0].after == story.timer("desk")
    assert said.findings[0] == found(Rule.LONG_RUNNING, "desk", "15:00", "15:00")
    assert story.minutes("desk") == 6 * 60


def test_a_start_of_hours_ago_is_stopped_at_its_limit_after_a_minute() -> None:
    """A start was queued offline for seven hours. Nothing falls due for it in its first minute on the log."""
    story = told(policy=CLOSING).when(started("desk", at="16:00", asked="09:00"), fact(DeadlineReached, "16:01"))
    assert [[change.by for change in outcome.changed] for outcome in story.outcomes[-2:]] == [["press"], ["settle"]]
    assert (story.timer("desk").state, story.timer("desk").stopped_at) == (State.STOPPED, moment("15:00"))


def test_a_switch_ends_the_other_timer_in_the_same_outcome() -> None:
    story = told(started("desk", at="09:00"), policy=PAUSING).when(started("phone", at="09:30"))
    assert [(change.timer, change.by, change.after.state) for change in story.outcome.changed] == [
        (timer_id("desk"), "switch", State.PAUSED),
        (timer_id("phone"), "press", State.RUNNING),
    ]
    assert story.minutes("desk") == 30
    assert story.running("desk") is None


def test_changes_beyond_200_fall_due_at_the_next_record() -> None:
    """Three thousand forgotten timers in one outcome would make a record that no broker takes."""
    starts = [started(str(number), at="09:00", owner="dana") for number in range(700)]
    by_id = {start.timer: start for start in starts}
    running = len(by_id)
    story = told(*by_id.values(), policy=CLOSING)
    story.when(fact(DeadlineReached, "15:00"), started("last", at="15:01", asked="15:00"))
    deadline, press = (read_outcome(folded_one.body) for folded_one in story.answers[-2:])
    assert running > 2 * CHANGES_MAX
    assert len(deadline.changed) == CHANGES_MAX
    assert len(press.changed) == CHANGES_MAX
    assert [change.by for change in press.changed].count("press") == 1
    alive = [timer for timer in story.sheet().timers.values() if timer.open is not None]
    assert len(alive) == running + 1 - len(deadline.changed) - (len(press.changed) - 1)
    assert replayed(story.outcomes) == {("acme", "dana"): story.sheet()}
    assert story.outcome.log_time >= MONDAY
