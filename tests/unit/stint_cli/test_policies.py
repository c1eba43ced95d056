"""Policies, as operators set them: an invalid one is not written."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.stint_cli.policies import publish_policy
from services.stint_cli.trouble import Trouble
from shared.events.policy import LongRunning, Policy, Preset, Rules

ZOHO = Policy(preset=Preset.ZOHO, zone="Asia/Jerusalem")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Written:
    """Stands in for a producer."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    async def send_and_wait(self, _topic: str, *, value: bytes, **_: object) -> SimpleNamespace:
        self.values.append(value)
        return SimpleNamespace(offset=7)


@pytest.fixture
def producer() -> Any:  # noqa: ANN401 - a stand-in for a producer
    return Written()


async def test_a_document_without_auto_close_is_not_written(producer: Any) -> None:  # noqa: ANN401
    """Under it a timer that is forgotten on a Friday would run until Monday."""
    with pytest.raises(Trouble, match="auto_close_seconds must be set while R10, R11, R12"):
        await publish_policy(producer, "acme", ZOHO, replaces=None, set_by="avi", set_at=NOW)
    assert producer.values == []


async def test_a_document_with_auto_close_is_written(producer: Any) -> None:  # noqa: ANN401
    ends = ZOHO.model_copy(update={"rules": Rules(R16=LongRunning(auto_close_seconds=50_400))})
    assert await publish_policy(producer, "acme", ends, replaces=None, set_by="avi", set_at=NOW) == 7
    assert len(producer.values) == 1
