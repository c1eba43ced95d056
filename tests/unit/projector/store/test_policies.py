"""Rows of policies that Postgres does not take: a warning at first, and an alarm when it lasts."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.projector.store import policies
from services.projector.store.policies import PolicyRows
from shared.events.policies.book import PolicyRecord
from shared.events.policy import Policy, Preset

RECORD = PolicyRecord(
    replaces=None,
    set_by="ann",
    set_at=datetime(2026, 3, 2, tzinfo=UTC),
    document=Policy(preset=Preset.NATIVE, zone="UTC"),
)


class Pool:
    """Stands in for a pool of connections that fails a few times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.wrote = asyncio.Event()

    async def fetch(self, *_: object) -> list[object]:
        self.failures -= 1
        if self.failures >= 0:
            raise OSError("away")
        self.wrote.set()
        return []


async def test_rows_that_are_not_written_for_long_are_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports lacked the policies, and each second had one more warning."""
    monkeypatch.setattr(policies, "_RETRY_AFTER_SECONDS", 0.02)
    monkeypatch.setattr(policies, "_PASSING_SECONDS", 0.05)
    pool: Any = Pool(10)
    rows = PolicyRows(pool)
    rows.add(0, "acme", RECORD)
    with capture_logs() as said:
        writing = asyncio.create_task(rows.run())
        await asyncio.wait_for(pool.wrote.wait(), 5)
        writing.cancel()
    told = [(one["log_level"], one["event"], one["policies"]) for one in said]
    assert told == [("warning", "policies_not_kept", 1), ("error", "policies_not_kept", 1)]
