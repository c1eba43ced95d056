"""The ledger: what the fold of one partition knows, and what a batch adds to that before it is committed.

Sheets and verdicts are values. A batch writes beside what was known before, so a batch that fails leaves no trace.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.projector.domain.sheet.state import Timesheet
from shared.events.idempotency import Recalled, Use, recall
from shared.events.outcome import Outcome
from shared.events.value import value

OwnerKey = tuple[str, str]


@value
class KnownOutcome:
    """A verdict that was given before. `body` is the outcome as it was written; empty: its row is damaged."""

    digest: str | None
    log_time: datetime
    body: bytes

    def recalled_by(self, again: Use) -> Recalled:
        """Return what a press under the same event id is. To a damaged verdict any press is a repeat."""
        recalled = recall(Use(self.digest, self.log_time), again)
        # The first digest is lost, so this may be the same request or another. It must not count twice, nor get an R24.
        return "known" if recalled == "reused" and not self.body else recalled


@value
class Known:
    """What is known of a partition before a batch: sheets by owner, which owner a timer has, verdicts by event id."""

    sheets: Mapping[OwnerKey, Timesheet]
    owner_of: Mapping[int, OwnerKey]
    verdicts: Mapping[UUID, KnownOutcome]
    policy_rev: int


@dataclass(slots=True)
class Ledger:
    """One batch of one partition, while it is folded. `before` is what was known; the other fields are what it adds."""

    kpart: int
    partitions: int
    before: Known
    policy_rev: int = field(init=False)
    sheets: dict[OwnerKey, Timesheet] = field(default_factory=dict)
    owner_of: dict[int, OwnerKey] = field(default_factory=dict)
    verdicts: dict[UUID, KnownOutcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.policy_rev = self.before.policy_rev

    def verdict_on(self, event_id: UUID) -> KnownOutcome | None:
        """Return the newest verdict given on an event id, or None."""
        return self.verdicts.get(event_id) or self.before.verdicts.get(event_id)

    def sheet_of(self, owner: OwnerKey) -> Timesheet:
        """Return an owner's sheet; for an unknown owner, an empty one."""
        return self.sheets.get(owner) or self.before.sheets.get(owner) or Timesheet(*owner)

    def owner_of_timer(self, timer_id: int) -> OwnerKey | None:
        """Return the owner of a timer, or None: there is no such timer."""
        return self.owner_of.get(timer_id) or self.before.owner_of.get(timer_id)

    def keep(self, outcome: Outcome, body: bytes, sheet: Timesheet | None) -> None:
        """Remember a verdict, and the sheet of its owner after it."""
        self.policy_rev = outcome.policy_rev
        if outcome.event_id is not None:
            self.verdicts[outcome.event_id] = KnownOutcome(outcome.digest, outcome.log_time, body)
        if sheet is not None:
            owner = (sheet.tenant, sheet.owner)
            self.sheets[owner] = sheet
            for change in outcome.changed:
                self.owner_of[change.timer] = owner
