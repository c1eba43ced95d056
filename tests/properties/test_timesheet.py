"""Timesheets: true of every history."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from hypothesis import event, given
from hypothesis import strategies as st

from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import Repeated, Voided, fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.evolve import LASTING, evolve, with_changes
from services.projector.domain.sheet.ledger import OwnerKey
from services.projector.domain.sheet.state import Timesheet
from shared.events.calendar import local_day
from shared.events.models import Actor
from shared.events.outcome import PROVISIONAL, Change, Closed, Outcome, State, outcome_key, read_outcome, write_outcome
from shared.events.rules import Rule
from tests.support.story import given as told
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded, kept_of
from tests.support.story.given import book_of, new_ledger
from tests.support.story.histories import Entry, histories

RULES_OF_TIME: Final = {
    *(Rule.DAY_OFF, Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE, Rule.OVERLAP),
    *(Rule.FUTURE_TIME, Rule.PAST_TIME, Rule.LONG_RUNNING, Rule.OVERFULL_DAY, Rule.LATE_PRESS),
}
LETTERS: Final = {State.RUNNING: "r", State.PAUSED: "p", State.STOPPED: "x"}
LIFE: Final = re.compile(r"r(pr)*p?x?")
US: Final = timedelta(microseconds=1)

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def outcomes(log: Sequence[Entry], under: Revisions) -> list[Outcome]:
    return [one.outcome for one in kept_of(folded(log, under)[1])]


def by_timer(log: Sequence[Entry], under: Revisions) -> dict[int, list[Outcome]]:
    """Return the accepted outcomes of each timer, in order."""
    lives: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes(log, under):
        if outcome.verdict == "accepted" and outcome.timer is not None:
            lives[outcome.timer.id].append(outcome)
    return lives


def changes_of(log: Sequence[Entry], under: Revisions) -> dict[int, list[Change]]:
    """Return what happened to each timer, in order: by its own presses, and by other timers of its owner."""
    lives: dict[int, list[Change]] = defaultdict(list)
    for outcome in outcomes(log, under):
        for change in outcome.changed:
            # A finding that opens changes the flags of a timer, and nothing else.
            if change.opened is not None or change.closed is not None or change.by == "press":
                lives[change.timer].append(change)
    return lives


def standing(changes: Sequence[Change]) -> list[Change]:
    """Return changes without the ends that were taken back."""
    stand: list[Change] = []
    for change in changes:
        if change.closed is not None and change.closed.was is not None:
            event("an end was taken back")
            (ended,) = (one for one in stand if one.closed is not None and one.closed.seq == change.closed.seq)
            assert ended.by in PROVISIONAL
            assert (ended.closed and ended.closed.end) == change.closed.was.end > change.closed.end
            assert stand[-1] is ended
            stand.remove(ended)
        stand.append(change)
    return stand


def closed_of(changes: Sequence[Change]) -> list[Closed]:
    return [change.closed for change in standing(changes) if change.closed is not None]


@given(histories, revisions)
def test_replaying_the_outcomes_gives_the_sheets_that_were_folded_live(log: list[Entry], under: Revisions) -> None:
    ledger, came = folded(log, under)
    sheets: dict[OwnerKey, Timesheet] = {}
    for one in came:
        if isinstance(one, Kept):
            said = read_outcome(one.body)
            if said.tenant is not None and said.owner is not None:
                key = said.tenant, said.owner
                sheets[key] = evolve(sheets.get(key, Timesheet(*key)), said)
    assert sheets == ledger.sheets


@given(histories, revisions)
def test_an_outcome_reads_back_and_writes_the_same_bytes(log: list[Entry], under: Revisions) -> None:
    for one in folded(log, under)[1]:
        said = read_outcome(one.body)
        assert write_outcome(said) == one.body
        if isinstance(one, Kept):
            assert said == one.outcome


@given(histories, revisions)
def test_a_press_that_is_not_accepted_changes_nothing(log: list[Entry], under: Revisions) -> None:
    ledger, book = new_ledger(), book_of(*under)
    for entry in log:
        before = dict(ledger.sheets)
        came = fold_entry(ledger, entry, book)
        if isinstance(came, Kept) and came.outcome.verdict == "accepted":
            continue
        if not isinstance(came, Repeated):
            said = read_outcome(came.body)
            assert (said.fact, said.flags) == (None, ())
            # What fell due meanwhile is no doing of the press.
            assert {change.by for change in said.changed} <= {"settle"}
            if said.tenant is not None and said.owner is not None and isinstance(came, Kept):
                key = said.tenant, said.owner
                due = before.get(key, Timesheet(*key))
                before[key] = with_changes(due, said.changed, said.findings, said.log_time)
        assert {key: sheet for key, sheet in ledger.sheets.items() if sheet != Timesheet(*key)} == {
            key: sheet for key, sheet in before.items() if sheet != Timesheet(*key)
        }


@given(histories, revisions)
def test_void_and_known_presses_leave_no_trace(log: list[Entry], under: Revisions) -> None:
    """Without them, the log folds to the same bytes."""
    _, came = folded(log, under)
    kept = [entry for entry, one in zip(log, came, strict=True) if isinstance(one, Kept)]
    ledger, again = folded(kept, under)
    assert [one.body for one in again] == [one.body for one in came if isinstance(one, Kept)]
    assert ledger.sheets == folded(log, under)[0].sheets


@given(histories, revisions)
def test_the_changes_of_a_timer_follow_the_state_machine(log: list[Entry], under: Revisions) -> None:
    for changes in changes_of(log, under).values():
        assert LIFE.fullmatch("".join(LETTERS[change.after.state] for change in standing(changes)))
    for life in by_timer(log, under).values():
        # Only the first stop counts. Later stops get the same answer and change nothing.
        for before, again in pairwise(life):
            pressed = any(change.timer == again.subject and change.by == "press" for change in again.changed)
            if not pressed and before.timer is not None and before.timer.state is State.STOPPED:
                assert (again.event_type, again.timer) == ("timer.stopped.v1", before.timer)


@given(histories, revisions)
def test_a_stop_is_never_refused_by_a_rule_of_time(log: list[Entry], under: Revisions) -> None:
    for outcome in outcomes(log, under):
        if outcome.event_type == "timer.stopped.v1" and outcome.verdict == "refused":
            assert outcome.rule not in RULES_OF_TIME


@given(histories, revisions)
def test_a_machine_can_always_stop_its_timer(log: list[Entry], under: Revisions) -> None:
    """Any asked time will do: each stop by a machine of the timer's tenant that is not void is accepted."""
    started = set()
    for one in folded(log, under)[1]:
        if not isinstance(one, Kept) or one.outcome.subject is None or one.outcome.tenant != "acme":
            continue
        if one.outcome.verdict == "accepted":
            started.add(one.outcome.subject)
        elif one.outcome.event_type == "timer.stopped.v1" and one.outcome.subject in started:
            assert one.outcome.rule in {Rule.NOT_THE_OWNER, Rule.INTERNAL}
            assert one.outcome.rule != Rule.INTERNAL or one.outcome.reason == "no_policy"


@given(histories, revisions)
def test_totals_are_the_sum_of_intervals_and_of_days(log: list[Entry], under: Revisions) -> None:
    for changes in changes_of(log, under).values():
        worked, last = closed_of(changes), changes[-1].after
        assert last.total_us == sum((closed.end - closed.start) // US for closed in worked)
        assert last.total_us == sum(part.us for closed in worked for part in closed.days)


@given(histories, revisions)
def test_an_owners_jobs_are_the_sums_of_their_timers(log: list[Entry], under: Revisions) -> None:
    ledger, _ = folded(log, under)
    for sheet in ledger.sheets.values():
        timers = Counter[str]()
        for timer in sheet.timers.values():
            if timer.after.job_id is not None:
                timers[timer.after.job_id] += timer.after.total_us
        assert {job_id: job.worked_us for job_id, job in sheet.jobs.items() if job.worked_us} == +timers


@given(histories, revisions)
def test_the_intervals_of_a_timer_follow_each_other_and_are_never_negative(log: list[Entry], under: Revisions) -> None:
    for changes in changes_of(log, under).values():
        worked = closed_of(changes)
        assert [closed.seq for closed in worked] == list(range(1, len(worked) + 1))
        assert all(closed.start <= closed.end for closed in worked)
        assert all(one.end <= other.start for one, other in pairwise(worked))
        for closed in worked:
            assert all(part.us > 0 for part in closed.days)
            assert all(one.on < other.on for one, other in pairwise(closed.days))
            if closed.days:
                assert closed.days[0].on == local_day(closed.start, closed.zone)
                assert closed.days[-1].on == local_day(closed.end - US, closed.zone)


@given(histories, revisions)
def test_an_interval_is_open_exactly_while_its_timer_runs(log: list[Entry], under: Revisions) -> None:
    ledger, book = new_ledger(), book_of(*under)
    for entry in log:
        fold_entry(ledger, entry, book)
        for sheet in ledger.sheets.values():
            for timer in sheet.timers.values():
                assert (timer.open is not None) == (timer.state is State.RUNNING)
                assert (timer.after.stopped_at is not None) == (timer.state is State.STOPPED)
                worked = [interval for interval in sheet.closed if interval.timer_id == timer.id]
                assert timer.after.total_us == sum((interval.end - interval.start) // US for interval in worked)
                assert len(worked) == timer.intervals - (timer.open is not None)


@given(histories, revisions)
def test_time_only_moves_forward_on_a_timer_and_never_past_the_log(log: list[Entry], under: Revisions) -> None:
    for life in by_timer(log, under).values():
        newest = datetime.min.replace(tzinfo=life[0].log_time.tzinfo)
        reached = newest
        for outcome in life:
            newest = max(newest, outcome.log_time)
            assert outcome.timer is not None
            assert outcome.timer.started_at <= reached or reached == outcome.timer.started_at or outcome is life[0]
            back = any(change.closed is not None and change.closed.was is not None for change in outcome.changed)
            assert outcome.timer.last_at <= newest
            assert back or reached <= outcome.timer.last_at
            reached = outcome.timer.last_at


@given(histories, revisions)
def test_each_flag_and_refusal_has_its_finding_and_no_other(log: list[Entry], under: Revisions) -> None:
    for outcome in outcomes(log, under):
        flagged = [flag for flag in outcome.flags if flag.startswith("R")]
        assert list(outcome.flags) == sorted(set(outcome.flags))
        # What lasts may open or end without a press, and for other timers too.
        lasting = {rule.value for rule in LASTING}
        flagged = [flag for flag in flagged if flag not in lasting]
        told = [found for found in outcome.findings if found.refused or found.rule not in lasting]
        found = [(finding.rule, finding.refused) for finding in told]
        if outcome.verdict == "accepted":
            assert found == [(rule, False) for rule in flagged]
        elif outcome.timer is not None or (outcome.owner is not None and outcome.fact is None and outcome.subject):
            # One that opened at this very instant stays as it is told.
            opened = [one for one in outcome.findings if (one.rule, one.from_) == (outcome.rule, outcome.at)]
            same = any(one.timer_id == outcome.subject and not one.refused for one in opened)
            assert found == ([] if same else [(outcome.rule, True)])
        else:
            assert found == []
        assert all(finding.timer_id == outcome.subject for finding in told)


@given(histories, revisions)
def test_one_press_of_an_event_id_is_kept_in_thirty_days(log: list[Entry], under: Revisions) -> None:
    last: dict[object, datetime] = {}
    for outcome in outcomes(log, under):
        if outcome.event_id is None:
            continue
        if (before := last.get(outcome.event_id)) is not None:
            assert outcome.log_time - before >= timedelta(days=30)
        last[outcome.event_id] = outcome.log_time


@given(histories, revisions)
def test_a_repeat_gets_a_kept_answer_or_key_reused(log: list[Entry], under: Revisions) -> None:
    kept: set[bytes] = set()
    for one in folded(log, under)[1]:
        match one:
            case Kept():
                kept.add(one.body)
            case Repeated():
                assert one.body in kept or read_outcome(one.body).rule == Rule.KEY_REUSED
            case Voided():
                assert read_outcome(one.body).verdict == "void"


@given(histories, revisions)
def test_policy_revisions_never_go_back(log: list[Entry], under: Revisions) -> None:
    said = outcomes(log, under)
    assert all(one.policy_rev <= other.policy_rev for one, other in pairwise(said))
    assert all(outcome.policy_revision is None or outcome.policy_revision <= outcome.policy_rev for outcome in said)


@given(histories, revisions)
def test_one_owners_presses_do_not_depend_on_anothers(log: list[Entry], under: Revisions) -> None:
    """Noam's verdicts are the same on a log without dana's presses."""

    def said(of: Sequence[Entry]) -> Counter[tuple[object, ...]]:
        return Counter(
            (o.source_offset, o.verdict, o.rule, o.flags, o.findings, o.timer, o.changed)
            for o in outcomes(of, under)
            if o.owner == "noam"
        )

    # Revisions are the partition's, so only logs on which all presses name the same one are compared.
    level = [e for e in log if isinstance(e, LoggedPress) and e.envelope.policy_rev == 1]
    dana = {o.event_id for o in outcomes(level, under) if o.owner == "dana"}
    assert said([e for e in level if e.envelope.event_id not in dana]) == said(level)


@given(text, text, st.none() | text, st.booleans())
def test_owners_may_have_any_name_that_is_text(owner: str, client: str, job_id: str | None, billable: bool) -> None:  # noqa: FBT001 - drawn
    """Quotes, newlines, emoji and U+2028 are written and read back, and no two names are mixed up."""
    by = Actor(client=client, person=owner, role="person")
    how = {} if job_id is None else {"job_id": job_id}
    story = told.given(
        told.started("desk", at="09:00", owner=owner, by=by, billable=billable, **how),  # type: ignore[arg-type]
        told.stopped("desk", at="09:10", owner=owner, by=by),
    )
    assert [outcome.verdict for outcome in story.outcomes] == ["accepted", "accepted"]
    timer = story.timer("desk", owner)
    assert (timer.owner, timer.job_id, timer.billable, timer.total_us) == (owner, job_id, billable, 600_000_000)
    assert outcome_key(story.outcome) == f"acme/{owner}".encode()
