"""Policies, as operators set them: an invalid one is not written."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.stint_cli.policies import check_clock, publish_policy
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


class Clock:
    """Stands in for a connection to a Postgres whose clock is `ahead` of the one here."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    async def fetchval(self, _sql: str) -> datetime:
        return datetime.now(UTC) + self._ahead


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(hours=6), "is 6:00:00 behind Postgres'"),
        (timedelta(days=-7), "is 7 days, 0:00:00 ahead of Postgres'"),
    ],
)
async def test_a_laptop_whose_clock_is_wrong_sets_no_first_policy(ahead: timedelta, said: str) -> None:
    with pytest.raises(Trouble, match=said):
        await check_clock(cast("Any", Clock(ahead)))


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(seconds=25), timedelta(seconds=-25)])
async def test_a_clock_that_is_nearly_right_will_do(ahead: timedelta) -> None:
    await check_clock(cast("Any", Clock(ahead)))
