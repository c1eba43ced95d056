"""Policies on their way to their topic: the record of one, for the API and for the operator's commands alike.

The guards against unfit documents and against endless ones stand here, because readers accept what is on the topic.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy

# Of one tenant. Each revision stays in the memory of each process for ever, and people set a few a year.
REVISIONS_A_DAY_MAX: Final = 100
_DAY: Final = timedelta(hours=24)


class UnfitPolicyError(ValueError):
    """The document may not be set (`Policy.unfit`): its text says why."""


@dataclass(frozen=True, slots=True)
class OutgoingPolicy:
    """A record for `timer.policies.v1`, partition POLICIES_PARTITION."""

    key: bytes
    value: bytes


def set_again_at(book: PolicyBook, tenant: str, now: datetime) -> datetime | None:
    """Return when a tenant may set its next revision, None: now. It has set its share of the last 24 hours."""
    settings = book.history(tenant, None, REVISIONS_A_DAY_MAX)
    if len(settings) < REVISIONS_A_DAY_MAX:
        return None
    again_at = settings[-1].begins + _DAY
    return again_at if again_at > now else None


def outgoing_policy(
    tenant: str, document: Policy, *, replaces: int | None, set_by: str, set_at: datetime
) -> OutgoingPolicy:
    """Return the record of a policy, void for readers unless `replaces` is in force. Raises UnfitPolicyError."""
    if unfit := document.unfit:
        raise UnfitPolicyError("; ".join(unfit))
    record = PolicyRecord(replaces=replaces, set_by=set_by, set_at=set_at, document=document)
    # As its author wrote it. What was left out is the preset's, and a later release may change a preset.
    return OutgoingPolicy(tenant.encode(), record.model_dump_json(by_alias=True, exclude_unset=True).encode())
