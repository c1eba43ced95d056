"""A policy as a record: as its author wrote it, and never an unfit one."""

import json
from datetime import UTC, datetime

import pytest

from shared.events.policies.book import PolicyBook
from shared.events.policy import LongRunning, Policy, Preset, Rules
from shared.kafka.policy_writer import UnfitPolicyError, outgoing_policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NATIVE = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")


def test_a_record_holds_what_its_author_wrote_and_no_default() -> None:
    """What is left out is the preset's, and a later release may change a preset."""
    sent = outgoing_policy("acme", NATIVE, replaces=None, set_by="avi", set_at=NOW)
    assert (sent.key, json.loads(sent.value)) == (
        b"acme",
        {
            "replaces": None,
            "set_by": "avi",
            "set_at": "2026-03-01T00:00:00Z",
            "document": {"preset": "native", "zone": "Asia/Jerusalem"},
        },
    )
    book = PolicyBook()
    assert book.apply(0, sent.key, sent.value, NOW) is not None
    assert book.latest("acme") == NATIVE


def test_an_unfit_document_becomes_no_record() -> None:
    zoho = Policy(preset=Preset.ZOHO, zone="Asia/Jerusalem", rules=Rules(R16=LongRunning(long_running_seconds=36_000)))
    with pytest.raises(UnfitPolicyError, match=r"rules\.R16\.auto_close_seconds must be set"):
        outgoing_policy("acme", zoho, replaces=None, set_by="avi", set_at=NOW)
