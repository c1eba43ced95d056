"""Outcomes: how the result of an entry is worded (docs/contract.md, section 9). Decides nothing."""

from datetime import datetime

from services.projector.domain.entry import LoggedPress, UnreadableRecord
from shared.events.outcome import Change, Fact, Finding, Outcome, TimerAfter, Verdict
from shared.events.rules import Rule
from shared.events.value import value


@value
class Kept:
    """A new outcome, and its bytes: the same for the row, the judged stream and the reply."""

    outcome: Outcome
    body: bytes


@value
class Came:
    """What came of a press: all fields of its outcome that the press itself does not have.

    `revision` is the policy that judged the press, None where none did. `at` is when the press counts, None for the
    moment at which it was pressed.
    """

    verdict: Verdict
    rule: Rule | None = None
    reason: str | None = None
    revision: int | None = None
    owner: str | None = None
    at: datetime | None = None
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    timer: TimerAfter | None = None
    changed: tuple[Change, ...] = ()
    fact: Fact | None = None
    due: datetime | None = None


def refused(rule: Rule, reason: str | None = None, revision: int | None = None) -> Came:
    """Word a refusal that names no timer and no owner."""
    return Came("refused", rule, reason or rule.reason, revision)


def void(rule: Rule | None) -> Came:
    """Word what is answered and never kept. `rule` None: nothing fell due."""
    return Came("void", rule, None if rule is None else rule.reason)


def outcome_of(press: LoggedPress, policy_rev: int, came: Came) -> Outcome:
    """Return the outcome of a press. `policy_rev` is the highest revision that the partition has met after it."""
    event, envelope = press.event, press.envelope
    return Outcome(
        source_offset=press.offset,
        event_id=envelope.event_id,
        event_type=envelope.type,
        subject=envelope.subject,
        tenant=event.tenant,
        owner=came.owner,
        actor=event.actor.told,
        dialect=event.dialect,
        digest=event.digest,
        recorded_at=envelope.recorded_at,
        log_time=press.log_time,
        asked_at=event.asked_at,
        at=came.at or press.moment,
        policy_rev=policy_rev,
        policy_revision=came.revision,
        verdict=came.verdict,
        rule=None if came.rule is None else came.rule.value,
        reason=came.reason,
        flags=came.flags,
        findings=came.findings,
        timer=came.timer,
        changed=came.changed,
        fact=came.fact,
        due=came.due,
    )


def outcome_of_our_failure(press: LoggedPress, policy_rev: int) -> Outcome:
    """Return R23 `internal`. It names only the event and its actor, because nothing else can be relied on."""
    event, envelope = press.event, press.envelope
    return Outcome(
        source_offset=press.offset,
        event_id=envelope.event_id,
        event_type=envelope.type,
        subject=envelope.subject,
        tenant=event.tenant,
        owner=None,
        actor=event.actor.told,
        dialect=None,
        digest=event.digest,
        recorded_at=None,
        log_time=press.log_time,
        asked_at=None,
        at=None,
        policy_rev=policy_rev,
        policy_revision=None,
        verdict="refused",
        rule=Rule.INTERNAL.value,
        reason=Rule.INTERNAL.reason,
    )


def outcome_of_the_unreadable(record: UnreadableRecord, policy_rev: int) -> Outcome:
    """Return the outcome of an unreadable record. It says only that a record was there, and why it does not read."""
    return Outcome(
        source_offset=record.offset,
        event_id=None,
        event_type=None,
        subject=None,
        tenant=None,
        owner=None,
        actor=None,
        dialect=None,
        digest=None,
        recorded_at=None,
        log_time=record.log_time,
        asked_at=None,
        at=None,
        policy_rev=policy_rev,
        policy_revision=None,
        verdict="unreadable",
        reason=record.unreadable.reason,
    )
