"""Audit: judge all presses of a partition again with today's code, and list each difference to what is recorded.

Pure, and streaming: no body of an outcome is kept. What grows in memory are the owners' sheets, with all timers and
intervals, because a late press may need any of them; and for each press of the last 31 days its event id, digest and
time. Each press is judged after the *recorded* outcomes of the presses before it. So a difference is one line of the
list, and causes no other.
Safe to run: always; it writes nothing. On one release the only differences are presses that we failed on (R23).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.projector.domain.entry import Entry, LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.ports import RawRecord
from shared.events.codec import Newer, Unreadable, read
from shared.events.outcome import NewerOutcomeError, Outcome, UnreadableOutcomeError, read_outcome
from shared.events.policies.book import NO_REVISION, PolicyBook

# A key is remembered for 30 days, so older verdicts need not be kept in memory.
_FORGOTTEN_AFTER: Final = timedelta(days=31)
_FORGET_EVERY: Final = 10_000
# Stands for the body of an earlier outcome. A repeat is recognised by its digest, and nobody gets its answer here.
_NO_BODY_NEEDED: Final = b"."
_ALL_READ: Final = range(0)


@dataclass(frozen=True, slots=True)
class Difference:
    """One record whose outcome is another today. None: nothing is recorded, or nothing would be kept today."""

    kpart: int
    source_offset: int
    recorded: bytes | None
    today: bytes | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the outcome that differ; all of them where there is only one outcome."""
        recorded, today = json.loads(self.recorded or b"{}"), json.loads(self.today or b"{}")
        return tuple(name for name in {**recorded, **today} if recorded.get(name) != today.get(name))


class UnjudgedError(Exception):
    """A partition could not be judged to its last outcome: from `source_offset` on, for the reason `why`."""

    def __init__(
        self,
        kpart: int,
        source_offset: int,
        why: Literal["newer_event", "newer_outcome", "newer_policy", "no_outcomes"],
    ) -> None:
        super().__init__(f"{kpart}:{source_offset}: {why}")
        self.kpart = kpart
        self.source_offset = source_offset
        self.why = why


def audit(
    kpart: int,
    events: Iterable[RawRecord],
    outcomes: Iterable[bytes],
    policies: PolicyBook,
    partitions: int,
    unread_policies: range = _ALL_READ,
) -> Iterator[Difference]:
    """Yield every difference of one partition, from its beginning to its last outcome.

    `events` and `outcomes` come in the order of their topics, and are read as they are needed. Events after the last
    outcome have not been judged, so they are not compared. `unread_policies` are the revisions from the first one that
    only a newer release can read up to the end of the topic: `policies` holds those before them.

    Raises UnjudgedError, after the differences before it:
    - at an event of a newer release, or at a press that is judged by one of `unread_policies`;
    - behind the last press whose outcome this release can read, when an outcome of a newer release follows;
    - at the first event that keeps an outcome today where there is none at all: the judged stream was emptied, no
      projector has run, or the presses were made just now.
    """
    recorded = _first_occurrences(kpart, outcomes)
    upcoming = next(recorded, None)
    any_outcome = upcoming is not None
    ledger = Ledger(kpart, partitions, Known({}, {}, {}, NO_REVISION))
    for event in events:
        if upcoming is None and any_outcome:
            return
        kept = upcoming if upcoming is not None and upcoming.outcome.source_offset == event.offset else None
        body = None if kept is None else kept.body
        today = _judged_today(ledger, event, policies, unread_policies)
        if today is not None and not any_outcome:
            raise UnjudgedError(kpart, event.offset, "no_outcomes")
        if today != body:
            yield Difference(kpart, event.offset, body, today)
        if kept is not None:
            _take(ledger, kept.outcome)
            upcoming = next(recorded, None)
        if event.offset % _FORGET_EVERY == 0:
            _forget(ledger, moment_of(event.timestamp))
    # Outcomes whose events are not on the log.
    while upcoming is not None:
        yield Difference(kpart, upcoming.outcome.source_offset, upcoming.body, None)
        upcoming = next(recorded, None)


def _first_occurrences(kpart: int, outcomes: Iterable[bytes]) -> Iterator[Kept]:
    upto = -1
    for body in outcomes:
        try:
            outcome = read_outcome(body)
        except UnreadableOutcomeError:
            continue  # a foreign record: the projector passes over it too
        except NewerOutcomeError:
            # Only that release can read which press it is of, and what it changed.
            raise UnjudgedError(kpart, upto + 1, "newer_outcome") from None
        if outcome.source_offset > upto:
            upto = outcome.source_offset
            yield Kept(outcome, body)


def _judged_today(ledger: Ledger, event: RawRecord, policies: PolicyBook, unread_policies: range) -> bytes | None:
    """Return the outcome that would be kept today, or None. Leaves the ledger as it is. Raises UnjudgedError."""
    log_time = moment_of(event.timestamp)
    recorded = Known(ledger.sheets, ledger.owner_of, ledger.verdicts, ledger.policy_rev)
    # The fold writes into a second ledger, so that the first holds recorded outcomes only.
    beside = Ledger(ledger.kpart, ledger.partitions, recorded)
    entry: Entry
    match read(event.headers, event.value):
        case Newer():
            raise UnjudgedError(ledger.kpart, event.offset, "newer_event")
        case Unreadable() as unreadable:
            entry = UnreadableRecord(event.offset, log_time, unreadable)
        case press:
            # As the projector: by no older revision than the highest that the partition has met.
            if max(press.envelope.policy_rev, ledger.policy_rev) in unread_policies:
                raise UnjudgedError(ledger.kpart, event.offset, "newer_policy")
            entry = LoggedPress(event.offset, log_time, press)
    try:
        folded = fold_entry(beside, entry, policies)
    except Exception:  # noqa: BLE001 - the projector does the same with a press that a rule fails on
        folded = refuse_entry(beside, entry, policies)
    return folded.body if isinstance(folded, Kept) else None


def _take(ledger: Ledger, outcome: Outcome) -> None:
    """Remember a recorded outcome."""
    sheet = None
    if outcome.tenant is not None and outcome.owner is not None:
        sheet = evolve(ledger.sheet_of((outcome.tenant, outcome.owner)), outcome)
    ledger.keep(outcome, _NO_BODY_NEEDED, sheet)


def _forget(ledger: Ledger, now: datetime) -> None:
    old = [event_id for event_id, known in ledger.verdicts.items() if now - known.log_time > _FORGOTTEN_AFTER]
    for event_id in old:
        del ledger.verdicts[event_id]
