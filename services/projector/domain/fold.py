"""Fold: one record of the log after the other, each to an answer (DESIGN, "Write path: the projector", step 5).

Known, void, settled, judged, evolved, in this order. The same log gives the same answers whatever the borders of
batches, the hits of caches and the number of projectors.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from services.projector.domain.effect import effect, timer_after
from services.projector.domain.evolve import evolve
from services.projector.domain.facts import fact_of
from services.projector.domain.judge import is_repeated_stop, judge
from services.projector.domain.ledger import Ledger, OwnerKey
from services.projector.domain.press import LoggedPress
from services.projector.domain.rules import Case
from services.projector.domain.settle import Settled, settle
from services.projector.domain.state import Timesheet
from services.projector.domain.verdict import Accepted, Refused
from shared.events.codec import Unreadable
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
from shared.events.outcome import Outcome, write_outcome
from shared.events.policy import Policy, PolicyBook
from shared.events.rules import Rule

# For so long a key is remembered, in log time.
REMEMBERED: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Kept:
    """A new verdict: an outcome that is written down, published and answered."""

    outcome: Outcome
    body: bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """A press that was judged before: `body` is the first answer, or an R24 that is answered and never kept."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Voided:
    """A press that is answered and counted, and never kept. `rule` is None where nobody asked for an answer."""

    rule: Rule | None
    body: bytes


Folded = Kept | Repeated | Voided

_NOTHING_SAID: Final[dict[str, Any]] = dict.fromkeys(
    (
        *("event_id", "event_type", "subject", "tenant", "owner", "actor", "dialect", "digest"),
        *("recorded_at", "asked_at", "at", "policy_revision"),
    )
)


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that no version can read, at its place on the log."""

    offset: int
    log_time: datetime
    unreadable: Unreadable


def fold_unreadable(ledger: Ledger, record: UnreadableRecord) -> Kept:
    """Keep an outcome that says only that something was there."""
    said = _NOTHING_SAID | {"source_offset": record.offset, "log_time": record.log_time}
    reason = record.unreadable.reason
    return _keep(ledger, Outcome(**said, policy_rev=ledger.policy_rev, verdict="unreadable", reason=reason), None)


def fold_press(ledger: Ledger, press: LoggedPress, policies: PolicyBook) -> Folded:
    """Say what a press amounts to, and write it into the ledger when it is kept. Raises what a rule raises."""
    if (answered := _answered(ledger, press)) is not None:
        return answered
    if not _lies_where_it_should(ledger, press):
        return _keep(ledger, _refused(ledger, press, Rule.INTERNAL, "wrong_partition"), None)
    in_force = policies.in_force(press.event.tenant, max(press.envelope.policy_rev, ledger.policy_rev))
    if in_force is None:
        return _keep(ledger, _refused(ledger, press, Rule.INTERNAL, "no_policy"), None)
    return _fold_in_force(ledger, press, *in_force)


def fold_failed(ledger: Ledger, press: LoggedPress) -> Folded:
    """Refuse a press that we failed on, unless it was answered before or is void: it may fail, and come, again.

    Its outcome names only the event, for nothing else can be relied on.
    """
    if (answered := _answered(ledger, press)) is not None:
        return answered
    known = {"event_id", "event_type", "subject", "tenant", "digest", "source_offset", "log_time", "policy_rev"}
    said = {name: value for name, value in _said(ledger, press, None).items() if name in known}
    rule = Rule.INTERNAL
    return _keep(ledger, Outcome(**(_NOTHING_SAID | said), verdict="refused", rule=rule, reason=rule.reason), None)


def owner_concerned(ledger: Ledger, event: AnyEvent, timer_id: int | None) -> OwnerKey | None:
    """Return the owner of the presser's tenant whom an event concerns, or None: the timer is unknown, or foreign."""
    match event:
        case TimerPaused() | TimerResumed() | TimerStopped():
            owner = None if timer_id is None else ledger.owner_of_timer(timer_id)
            return owner if owner is not None and owner[0] == event.tenant else None
        case _:
            return event.tenant, event.owner


def _answered(ledger: Ledger, press: LoggedPress) -> Repeated | Voided | None:
    known = ledger.verdict_on(press.envelope.event_id)
    if known is not None and press.log_time - known.log_time < REMEMBERED:
        same = known.digest == press.event.digest
        return Repeated(known.body if same else write_outcome(_refused(ledger, press, Rule.KEY_REUSED)))
    if (rule := _void_by(ledger, press)) is not None:
        return Voided(rule, write_outcome(_void(ledger, press, rule)))
    return None


def _fold_in_force(ledger: Ledger, press: LoggedPress, revision: int, policy: Policy) -> Folded:
    event, timer_id = press.event, press.envelope.subject
    owner = owner_concerned(ledger, event, timer_id)
    if owner is None:
        return _keep(ledger, _refused(ledger, press, Rule.TIMER_UNKNOWN, revision=revision), None)
    settled = settle(ledger.sheet_of(owner), policy, press.log_time)
    sheet = settled.sheet
    match event:
        case DeadlineReached():
            if not settled.found:
                return Voided(None, write_outcome(_void(ledger, press, None)))
            outcome = _settled_outcome(ledger, press, revision, settled)
        case TimerStarted() | TimerPaused() | TimerResumed() | TimerStopped():
            timer = None if isinstance(event, TimerStarted) else sheet.timers[_subject(press)]
            at = press.at(None if timer is None else timer.last_at)
            case_ = Case(press, event, _subject(press), sheet, timer, policy, at)
            outcome = _judged_outcome(ledger, case_, revision, settled)
        case _:
            outcome = _fact_outcome(ledger, press, event, revision, settled)
    return _keep(ledger, outcome, evolve(sheet, outcome))


def _judged_outcome(ledger: Ledger, case: Case, revision: int, settled: Settled) -> Outcome:
    said = _said(ledger, case.press, revision) | {"owner": case.sheet.owner, "at": case.at}
    before = None if case.timer is None else timer_after(case.timer)
    match judge(case):
        case Refused(rule=rule, reason=reason, findings=findings):
            return Outcome(
                **said,
                verdict="refused",
                rule=rule.value,
                reason=reason,
                findings=settled.findings + findings,
                timer=before,
                changed=settled.changed,
            )
        case Accepted() if is_repeated_stop(case):
            return Outcome(**said, verdict="accepted", findings=settled.findings, timer=before, changed=settled.changed)
        case Accepted(flags=flags, findings=findings):
            timer, change = effect(case, flags)
            return Outcome(
                **said,
                verdict="accepted",
                flags=flags,
                findings=settled.findings + findings,
                timer=timer_after(timer),
                changed=(*settled.changed, change),
            )
        case verdict:
            assert_never(verdict)


def _fact_outcome(ledger: Ledger, press: LoggedPress, event: OwnerFact, revision: int, settled: Settled) -> Outcome:
    said = _said(ledger, press, revision) | {"owner": event.owner}
    said |= {"findings": settled.findings, "changed": settled.changed}
    fact = fact_of(event)
    if fact is None:
        return Outcome(**said, verdict="refused", rule=Rule.VALUE_INVALID.value, reason="unknown_zone")
    return Outcome(**said, verdict="accepted", fact=fact)


def _settled_outcome(ledger: Ledger, press: LoggedPress, revision: int, settled: Settled) -> Outcome:
    said = _said(ledger, press, revision) | {"owner": settled.sheet.owner}
    return Outcome(**said, verdict="accepted", findings=settled.findings, changed=settled.changed)


def _refused(
    ledger: Ledger, press: LoggedPress, rule: Rule, reason: str | None = None, revision: int | None = None
) -> Outcome:
    said = _said(ledger, press, revision)
    return Outcome(**said, verdict="refused", rule=rule.value, reason=reason or rule.reason)


def _void(ledger: Ledger, press: LoggedPress, rule: Rule | None) -> Outcome:
    said = _said(ledger, press, None)
    return Outcome(**said, verdict="void", rule=rule and rule.value, reason=rule and rule.reason)


def _said(ledger: Ledger, press: LoggedPress, revision: int | None) -> dict[str, Any]:
    """Return what an outcome says whatever the verdict: the event, its times, and the policy it was judged by."""
    event, envelope = press.event, press.envelope
    return {
        "source_offset": press.offset,
        "event_id": envelope.event_id,
        "event_type": envelope.type,
        "subject": envelope.subject,
        "tenant": event.tenant,
        "owner": None,
        "actor": event.actor,
        "dialect": event.dialect,
        "digest": event.digest,
        "recorded_at": envelope.recorded_at,
        "log_time": press.log_time,
        "asked_at": event.asked_at,
        "at": press.moment,
        "policy_rev": max(ledger.policy_rev, envelope.policy_rev),
        "policy_revision": revision,
    }


def _void_by(ledger: Ledger, press: LoggedPress) -> Rule | None:
    expires_at = press.envelope.expires_at
    if expires_at is not None and press.log_time > expires_at:
        return Rule.EXPIRED
    if isinstance(press.event, TimerStarted) and ledger.owner_of_timer(_subject(press)) is not None:
        return Rule.ID_TAKEN
    return None


def _lies_where_it_should(ledger: Ledger, press: LoggedPress) -> bool:
    match press.event:
        case TimerPaused() | TimerResumed() | TimerStopped():
            slot = slot_of_timer(_subject(press))
        case event:
            slot = slot_of(event.tenant, event.owner)
            if isinstance(event, TimerStarted) and slot != slot_of_timer(_subject(press)):
                return False
    return partition_of(slot, ledger.partitions) == ledger.kpart


def _subject(press: LoggedPress) -> int:
    if press.envelope.subject is None:
        raise AssertionError("a timer event without a timer does not read (see shared.events.codec)")
    return press.envelope.subject


def _keep(ledger: Ledger, outcome: Outcome, sheet: Timesheet | None) -> Kept:
    body = write_outcome(outcome)
    ledger.keep(outcome, body, sheet)
    return Kept(outcome, body)
