"""Policies, as operators set them: an invalid one is not written."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.stint_cli.directory import tenants
from services.stint_cli.policies import publish_policy
from services.stint_cli.policy import commands
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import PolicyBook
from shared.events.policies.document import Proposal
from shared.events.policy import LongRunning, Policy, Preset, Rules
from shared.kafka.policy_writer import outgoing_policy

ZOHO = Policy(preset=Preset.ZOHO, zone="Asia/Jerusalem")
NATIVE = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")
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


class Laptop:
    """Stands in for Postgres, whose clock is `ahead` of the one here, and for the topic of policies. All is empty.

    Where it differs: each tenant is said to exist, and a policy that is set is kept as its arguments alone.
    """

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.written: list[str] = []

    @asynccontextmanager
    async def opened(self, _settings: object) -> AsyncIterator["Laptop"]:
        yield self

    async def fetchval(self, sql: str, *_values: object) -> object:
        return datetime.now(UTC) + self._ahead if "clock_timestamp" in sql else True

    async def execute(self, _sql: str, tenant: str) -> None:
        self.written.append(f"tenant {tenant}")

    async def read_policies(self, _address: object) -> PolicyBook:
        return PolicyBook()

    async def set_policy(self, _address: object, tenant: str, document: Policy, **how: Any) -> PolicyBook:  # noqa: ANN401
        self.written.append(f"policy of {tenant}")
        book, sent = PolicyBook(), outgoing_policy(tenant, document, **how)
        assert book.apply(0, sent.key, sent.value, how["set_at"]) is not None
        return book


async def add_tenant() -> None:
    await tenants._add("acme", zone="Asia/Jerusalem")


async def put_first_policy() -> None:
    await commands._set("acme", Proposal(NATIVE, None, says_replaces=False), PolicyBook())


FIRST = {
    "tenants add": (add_tenant, ["tenant acme", "policy of acme"]),
    "policy put": (put_first_policy, ["policy of acme"]),
}


@pytest.fixture
def on_a_laptop(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], Laptop]:
    def of(ahead: timedelta) -> Laptop:
        monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "nowhere:1")
        monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://nowhere:1/stint")
        laptop = Laptop(ahead)
        for module in (tenants, commands):
            for name in ("opened", "read_policies", "set_policy"):
                monkeypatch.setattr(module, name, getattr(laptop, name))
        return laptop

    return of


@pytest.mark.parametrize("command", FIRST)
@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(hours=6), "is 6:00:00 behind Postgres'"),
        (timedelta(days=-7), "is 7 days, 0:00:00 ahead of Postgres'"),
    ],
)
async def test_a_laptop_whose_clock_is_wrong_sets_no_first_policy(
    on_a_laptop: Callable[[timedelta], Laptop], command: str, ahead: timedelta, said: str
) -> None:
    """No tenant is made either: one without a policy would be answered 503."""
    laptop = on_a_laptop(ahead)
    with pytest.raises(Trouble, match=said):
        await FIRST[command][0]()
    assert laptop.written == []


@pytest.mark.parametrize("command", FIRST)
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(seconds=25), timedelta(seconds=-25)])
async def test_a_clock_that_is_nearly_right_will_do(
    on_a_laptop: Callable[[timedelta], Laptop], command: str, ahead: timedelta
) -> None:
    laptop = on_a_laptop(ahead)
    run, written = FIRST[command]
    await run()
    assert laptop.written == written
