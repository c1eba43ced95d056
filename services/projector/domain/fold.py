"""Fold: one entry of the log after the other, each to an answer (docs/architecture.md, the write path, step 5).

    known -> void -> settled up to the press -> judged -> evolved -> settled up to the log

The same log gives the same answers, whatever the borders of batches, the hits of caches and the number of projectors.
Begin at `fold_entry`; or at `refuse_entry`, for an entry on which `fold_entry` or the store failed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from services.projector.domain.due.alike import grouped
from services.projector.domain.due.deadlines import looked_since
from services.projector.domain.due.moved import came_late, settle_anew
from services.projector.domain.due.settle import (
    IN_TIME,
    Late,
    Settled,
    look_ahead,
    settle,
    settle_in_order,
    stopped_meanwhile,
)
from services.projector.domain.effect import effect, findings_ended
from services.projector.domain.entry import Entry, LoggedPress, UnreadableRecord
from services.projector.domain.outcomes import (
    Came,
    Kept,
    outcome_of,
    outcome_of_our_failure,
    outcome_of_the_unreadable,
    refused,
    void,
)
from services.projector.domain.rules.case import Case, TimerEvent
from services.projector.domain.rules.judge import Accepted, Refused, is_repeated_stop, judge
from services.projector.domain.sheet.evolve import learned, with_changes
from services.projector.domain.sheet.facts import fact_of
from services.projector.domain.sheet.ledger import Ledger, OwnerKey
from services.projector.domain.sheet.state import Timesheet
from services.projector.domain.sheet.taken_back import with_end_taken_back
from shared.events.idempotency import Use, key_reused
from shared.events.ids import partition_of, slot_of, slot_of_timer
from shared.events.models import (
    AnyEvent,
    DeadlineReached,
    OwnerFact,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from shared.events.outcome import CHANGES_MAX, Fact, Finding, Outcome, write_outcome
from shared.events.policies.book import PolicyBook, Timeline
from shared.events.policies.terms import Terms
from shared.events.rules import Rule
from shared.events.value import replace, value

# How many timers a press may change, with the switches that it makes. The rest of an outcome is for what fell due.
_CHANGES_OF_A_PRESS_MAX: Final = CHANGES_MAX // 2
_CHANGES_BEFORE_A_PRESS_MAX: Final = CHANGES_MAX - _CHANGES_OF_A_PRESS_MAX


@value
class Repeated:
    """A press that was judged before: `body` is the first answer (empty: damaged), or an R24 that is never kept."""

    body: bytes


@value
class Voided:
    """A press that is answered and counted, and never kept.

    `rule` is None for a deadline at which nothing fell due. Then `owner` was looked at, and `due` is the owner's next
    deadline (None: there is none).
    """

    rule: Rule | None
    body: bytes
    owner: OwnerKey | None = None
    due: datetime | None = None


Folded = Kept | Repeated | Voided


def fold_entry(ledger: Ledger, entry: Entry, policies: PolicyBook) -> Folded:
    """Return what an entry amounts to, and write it into the ledger when it is kept. Raises what a rule raises."""
    if isinstance(entry, UnreadableRecord):
        return _keep(ledger, outcome_of_the_unreadable(entry, ledger.policy_rev), None)
    if (answered := _answered(ledger, entry)) is not None:
        return answered
    if not _is_on_its_partition(ledger, entry):
        return _keep_alone(ledger, entry, refused(Rule.INTERNAL, "wrong_partition"), policies)
    policy_rev = entry.envelope.policy_rev
    if policy_rev > policies.position:
        # The keeper has waited for the revision, and the policies' topic does not have it: it was never written.
        return _keep_alone(ledger, entry, refused(Rule.INTERNAL, "no_such_policy"), policies)
    revision = policies.in_force(entry.event.tenant, max(policy_rev, ledger.policy_rev))
    if revision is None:
        return _keep_alone(ledger, entry, refused(Rule.INTERNAL, "no_policy"), policies)
    return _fold_in_force(ledger, entry, policies, revision)


def refuse_entry(ledger: Ledger, entry: Entry, policies: PolicyBook) -> Folded:
    """Refuse a press that our own code failed on. A repeat gets the first answer; a void press stays void."""
    if isinstance(entry, UnreadableRecord):
        return _keep(ledger, outcome_of_the_unreadable(entry, ledger.policy_rev), None)
    if (answered := _answered(ledger, entry)) is not None:
        return answered
    return _keep(ledger, outcome_of_our_failure(entry, _policy_rev_after(ledger, entry, policies)), None)


def owner_concerned(ledger: Ledger, event: AnyEvent, timer_id: int | None) -> OwnerKey | None:
    """Return the owner that an event concerns, or None: its timer is unknown, or another tenant's."""
    match event:
        case TimerPaused() | TimerResumed() | TimerStopped():
            owner = None if timer_id is None else ledger.owner_of_timer(timer_id)
            return owner if owner is not None and owner[0] == event.tenant else None
        case _:
            return event.tenant, event.owner


def _answered(ledger: Ledger, press: LoggedPress) -> Repeated | Voided | None:
    known = ledger.verdict_on(press.envelope.event_id)
    if known is not None:
        match known.recalled_by(Use(press.event.digest, press.log_time)):
            case "known":
                return Repeated(known.body)
            case "reused":
                envelope, event = press.envelope, press.event
                outcome = key_reused(envelope, event, press.offset, press.log_time, ledger.policy_rev)
                return Repeated(write_outcome(outcome))
            case "forgotten":
                pass
            case recalled:
                assert_never(recalled)
    if (rule := _void_by(ledger, press)) is not None:
        return Voided(rule, _written(ledger, press, void(rule)))
    return None


def _fold_in_force(ledger: Ledger, press: LoggedPress, policies: PolicyBook, revision: int) -> Folded:
    """Settle up to the press, judge it, settle up to the log: three steps on one sheet, and one outcome."""
    owner = owner_concerned(ledger, press.event, press.envelope.subject)
    if owner is None:
        return _keep_alone(ledger, press, refused(Rule.TIMER_UNKNOWN, revision=revision), policies)
    timeline = policies.timeline(press.event.tenant, revision)
    sheet, log_time, subject = ledger.sheet_of(owner), press.log_time, press.envelope.subject or -1
    if is_tick := isinstance(press.event, DeadlineReached):
        due = settle_in_order(sheet, timeline, log_time, CHANGES_MAX)
        if not due.found:
            return Voided(None, _written(ledger, press, void(None)), owner, look_ahead(sheet, timeline, log_time).due)
        came = _judged(press, due.sheet, timeline.latest)
    else:
        due, came = _pressed(press, sheet, timeline)
    # From the sheet as it stood, as a reader of the outcome does: an end that is taken back is undone by its change.
    changed, findings = (*due.changed, *came.changed), (*due.findings, *came.findings)
    sheet = learned(with_changes(sheet, changed, findings, log_time), came.fact, log_time)
    sheet = grouped(sheet, timeline, log_time)
    at, room = came.at or press.moment, CHANGES_MAX - len(changed)
    if came_late(sheet, came.changed, at):
        since = settle_anew(sheet, timeline, at, log_time, room)
        ahead = look_ahead(since.sheet, timeline, log_time)
    else:
        ahead = look_ahead(sheet, timeline, log_time)
        since = Settled(ahead.sheet) if is_tick else settle(ahead.sheet, timeline, log_time, log_time, room)
        if since.found:
            ahead = look_ahead(since.sheet, timeline, log_time)
    pressed = since.sheet.timers.get(subject)
    whole = replace(
        came,
        revision=revision,
        owner=sheet.owner,
        findings=_told_once((*findings, *since.findings)),
        timer=None if pressed is None else pressed.after,
        changed=(*changed, *since.changed),
        due=ahead.due,
    )
    return _keep(ledger, outcome_of(press, _policy_rev_after(ledger, press, policies), whole), ahead.sheet)


def _told_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with each key once, as it was told last.

    A refused press at the very instant of a finding leaves the finding as it is.
    """
    if not findings:
        return ()
    told: dict[tuple[int, str, datetime], Finding] = {}
    for found in findings:
        key = (found.timer_id, found.rule, found.from_)
        if key not in told or not found.refused:
            told[key] = found
    return tuple(told.values())


def _pressed(press: LoggedPress, sheet: Timesheet, timeline: Timeline) -> tuple[Settled, Came]:
    """Return what fell due up to a press, and what comes of the press.

    A start or resume is judged with the automatic stops that its log time has passed. A fact counts from its log time.
    """
    if isinstance(press.event, TimerPaused | TimerStopped):
        return _ended(press, sheet, timeline)
    if not press.event.opens:
        due = settle(sheet, timeline, press.log_time, press.log_time, CHANGES_MAX)
        return due, _judged(press, due.sheet, timeline.latest)
    room = _CHANGES_BEFORE_A_PRESS_MAX
    stops = stopped_meanwhile(sheet, timeline, press.moment, press.log_time, room)
    before, room = (sheet, room) if stops is None else (stops.sheet, room - len(stops.changed))
    due = _settled(press, before, timeline, room)
    came = _judged(press, due.sheet, timeline.latest)
    if came.verdict == "refused":
        due = _settled(press, before, timeline, room, ends=False)
    return (due if stops is None else stops.then(due)), came


def _ended(press: LoggedPress, sheet: Timesheet, timeline: Timeline) -> tuple[Settled, Came]:
    """Return the same for a pause or stop. One that belongs before an end that nobody pressed takes the end back.

    It is judged with the automatic stops of other timers that its log time has passed, because a limit of a day counts
    whole what has ended. When it is refused it takes nothing back, and what falls due later is settled after it.
    """
    subject, moment, log_time, room = _subject(press), press.moment, press.log_time, _CHANGES_BEFORE_A_PRESS_MAX
    if with_end_taken_back(sheet, subject, moment, log_time) is None:
        due = _settled(press, sheet, timeline, room)
        left = room - len(due.changed)
        stops = stopped_meanwhile(due.sheet, timeline, moment, log_time, left, runs_on=subject)
        due = due if stops is None else due.then(stops)
    else:
        due = _until_taken_back(press, sheet, timeline)
    came = _judged(press, due.sheet, timeline.latest)
    return (due if came.verdict == "accepted" else _settled(press, sheet, timeline, room, ends=False)), came


def _until_taken_back(press: LoggedPress, sheet: Timesheet, timeline: Timeline) -> Settled:
    """Return what fell due before a press that takes an end back, and the sheet with that end undone.

    First comes all that a tick at its log time would tell, as nearly always one has: other timers may have crossed a
    limit with the time that is taken back. What has ended since the press ran beside it, or had not begun.
    """
    told = settle_in_order(sheet, timeline, press.log_time, _CHANGES_BEFORE_A_PRESS_MAX)
    taken_back = with_end_taken_back(told.sheet, _subject(press), press.moment, press.log_time)
    if taken_back is None:
        raise AssertionError("nothing falls due for a timer that has ended, so its end is as it was")
    late = Late(looked_since(press.moment, press.log_time))
    room = _CHANGES_BEFORE_A_PRESS_MAX - len(told.changed)
    return replace(told, sheet=taken_back).then(_settled(press, taken_back, timeline, room, late))


def _settled(
    press: LoggedPress, sheet: Timesheet, timeline: Timeline, room: int, late: Late = IN_TIME, *, ends: bool = True
) -> Settled:
    """Return what fell due up to a press; one that is refused ends no interval, and tells nothing of a first minute."""
    subject = _subject(press)
    may_end = {subject} if ends else set[int]()
    if ends and press.event.opens and timeline.latest.switches:
        may_end |= {timer.id for timer in sheet.running_beside(subject)}
    timer = sheet.timers.get(subject)
    at = press.at(None if timer is None else timer.last_at)
    return settle(sheet, timeline, at, press.log_time, room, may_end, late)


def _judged(press: LoggedPress, sheet: Timesheet, terms: Terms) -> Came:
    match press.event:
        case DeadlineReached():
            return Came("accepted")
        case TimerStarted() | TimerPaused() | TimerResumed() | TimerStopped() as event:
            return _judged_timer(press, event, sheet, terms)
        case event:
            return _judged_fact(event)


def _judged_timer(press: LoggedPress, event: TimerEvent, sheet: Timesheet, terms: Terms) -> Came:
    timer_id = _subject(press)
    timer = None if isinstance(event, TimerStarted) else sheet.timers[timer_id]
    at = press.at(None if timer is None else timer.last_at)
    case_ = Case(press, event, timer_id, sheet, timer, terms, at)
    match judge(case_):
        case Refused(rule=rule, reason=reason, findings=findings):
            return Came("refused", rule, reason, at=at, findings=findings)
        case Accepted() if is_repeated_stop(case_):
            return Came("accepted", at=at)
        case Accepted(flags=flags, findings=findings, switches=switches) as accepted:
            kept = accepted
            if len(switches) >= _CHANGES_OF_A_PRESS_MAX:
                kept = replace(accepted, switches=switches[: _CHANGES_OF_A_PRESS_MAX - 1])
            findings = (*findings_ended(case_, kept), *findings)
            return Came("accepted", at=at, flags=flags, findings=findings, changed=effect(case_, kept))
        case verdict:
            assert_never(verdict)


def _judged_fact(event: OwnerFact) -> Came:
    match fact_of(event):
        case Fact() as fact:
            return Came("accepted", fact=fact)
        case reason:
            return Came("refused", Rule.VALUE_INVALID, reason)


def _void_by(ledger: Ledger, press: LoggedPress) -> Rule | None:
    expires_at = press.envelope.expires_at
    if expires_at is not None and press.log_time > expires_at:
        return Rule.EXPIRED
    if isinstance(press.event, TimerStarted) and ledger.owner_of_timer(_subject(press)) is not None:
        return Rule.ID_TAKEN
    return None


def _is_on_its_partition(ledger: Ledger, press: LoggedPress) -> bool:
    match press.event:
        case TimerPaused() | TimerResumed() | TimerStopped():
            slot = slot_of_timer(_subject(press))
        case event:
            slot = slot_of(event.tenant, event.owner)
            if isinstance(event, TimerStarted) and slot != slot_of_timer(_subject(press)):
                return False
    return partition_of(slot, ledger.partitions) == ledger.kpart


def _subject(press: LoggedPress) -> int:
    subject = press.envelope.subject
    if subject is None:
        raise AssertionError("a timer event without a timer does not read (see shared.events.codec)")
    return subject


def _policy_rev_after(ledger: Ledger, press: LoggedPress, policies: PolicyBook) -> int:
    """Return the highest revision that the partition has met after a press. One that was never written is not met."""
    named = press.envelope.policy_rev
    return max(ledger.policy_rev, named) if named <= policies.position else ledger.policy_rev


def _written(ledger: Ledger, press: LoggedPress, came: Came) -> bytes:
    return write_outcome(outcome_of(press, ledger.policy_rev, came))


def _keep_alone(ledger: Ledger, press: LoggedPress, came: Came, policies: PolicyBook) -> Kept:
    """Keep an outcome that names no owner: no sheet changes."""
    return _keep(ledger, outcome_of(press, _policy_rev_after(ledger, press, policies), came), None)


def _keep(ledger: Ledger, outcome: Outcome, sheet: Timesheet | None) -> Kept:
    body = write_outcome(outcome)
    ledger.keep(outcome, body, sheet)
    return Kept(outcome, body)
