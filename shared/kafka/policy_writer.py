"""Policies on their way to their topic: the record of one, for the API and for the operator's commands alike.

The guard against unfit documents stands here, because readers accept what is on the topic.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.events.policies.book import PolicyRecord
from shared.events.policy import Policy


class UnfitPolicyError(ValueError):
    """The document may not be set (`Policy.unfit`): its text says why."""


@dataclass(frozen=True, slots=True)
class OutgoingPolicy:
    """A record for `timer.policies.v1`, partition POLICIES_PARTITION."""

    key: bytes
    value: bytes


def outgoing_policy(
    tenant: str, document: Policy, *, replaces: int | None, set_by: str, set_at: datetime
) -> OutgoingPolicy:
    """Return the record of a policy, void for readers unless `replaces` is in force. Raises UnfitPolicyError."""
    if unfit := document.unfit:
        raise UnfitPolicyError("; ".join(unfit))
    record = PolicyRecord(replaces=replaces, set_by=set_by, set_at=set_at, document=document)
    # As its author wrote it. What was left out is the preset's, and a later release may change a preset.
    return OutgoingPolicy(tenant.encode(), record.model_dump_json(by_alias=True, exclude_unset=True).encode())
