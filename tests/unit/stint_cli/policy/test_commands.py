"""`policy put`: what it refuses before anything is sent."""

from datetime import UTC, datetime, timedelta

import pytest

from services.stint_cli.policy.commands import _set
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import PolicyBook
from shared.events.policies.document import Proposal
from shared.events.policy import Policy, Preset
from shared.kafka.policy_writer import REVISIONS_A_DAY_MAX, outgoing_policy

POLICY = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")


async def test_a_tenant_that_sets_revision_after_revision_has_to_wait() -> None:
    """A line of cron with `stint policy put` fills the memory of all processes as well as a PUT does."""
    book, first_at = PolicyBook(), datetime.now(UTC) - timedelta(hours=1)
    for number in range(REVISIONS_A_DAY_MAX):
        replaces = number - 1 if number else None
        sent = outgoing_policy("acme", POLICY, replaces=replaces, set_by="stint cron", set_at=first_at)
        assert book.apply(number, sent.key, sent.value, first_at) is not None
    other = Proposal(POLICY.model_copy(update={"timers_disabled": True}), None, says_replaces=False)
    next_at = (first_at + timedelta(hours=24)).isoformat(timespec="seconds")
    with pytest.raises(Trouble, match="acme has set 100 revisions within 24 hours") as told:
        await _set("acme", other, book)
    assert next_at in str(told.value)
