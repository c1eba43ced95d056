"""P by the topics and by Postgres: an API whose topics have another number of partitions is not ready."""

import asyncio

import asyncpg
import pytest
import structlog

from services.command_api import partition_check
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.partition_check import PartitionCheck
from shared.events.topics import EVENTS, TEXTS
from tests.unit.command_api.fakes import ticks


class FakeDeployment:
    """What Postgres says of P: one answer after the other, and the last one stays."""

    def __init__(self, *answers: int | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def partitions(self) -> int | None:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ask(check: PartitionCheck, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Let a check ask about a hundred times, see that it goes on asking, and return its logs."""
    monkeypatch.setattr(partition_check, "ASK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(partition_check, "LOOK_AGAIN_SECONDS", 0.0)
    with structlog.testing.capture_logs() as logs:
        asking = asyncio.create_task(check.run())
        await ticks(200)
        assert not asking.done()
        asking.cancel()
    return [(entry["event"], entry["log_level"]) for entry in logs]


async def test_partitions_are_believed_until_postgres_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = FakeDeployment(ReadsAwayError(), None, 12)
    check = PartitionCheck({EVENTS: 12, TEXTS: 12}, deployment)  # type: ignore[arg-type]
    assert check.agree()
    assert await ask(check, monkeypatch) == [("postgres_away", "warning"), ("partitions_agree", "info")]
    assert check.agree()
    deployment.answers = [16]  # another deployment's dump was restored under us
    assert set(await ask(check, monkeypatch)) == {("partitions_disagree", "error")}
    assert not check.agree()
    deployment.answers = [12]
    assert await ask(check, monkeypatch) == [("partitions_agree", "info")]
    assert check.agree()


async def test_a_database_without_tables_is_asked_again_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that is started before the migrations finds such a database."""
    deployment = FakeDeployment(asyncpg.UndefinedTableError("no table"))
    check = PartitionCheck({EVENTS: 12, TEXTS: 12}, deployment)  # type: ignore[arg-type]
    assert await ask(check, monkeypatch) == [("partitions_unasked", "error")]
    assert deployment.asked > 10
    assert check.agree()
    deployment.answers = [16]
    await ask(check, monkeypatch)
    assert not check.agree()


async def test_postgres_that_stays_away_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that alone cannot reach it answered reads with 503 for as long as nobody complained."""
    deployment = FakeDeployment(ReadsAwayError())
    check = PartitionCheck({EVENTS: 12, TEXTS: 12}, deployment)  # type: ignore[arg-type]
    assert await ask(check, monkeypatch) == [("postgres_away", "warning")]
    monkeypatch.setattr(partition_check, "AWAY_SECONDS", 0.0)
    assert await ask(check, monkeypatch) == [("postgres_away", "error")]
    assert check.agree()


async def test_texts_on_another_number_of_partitions_are_not_ready() -> None:
    assert not PartitionCheck({EVENTS: 12, TEXTS: 6}, FakeDeployment(12)).agree()  # type: ignore[arg-type]
