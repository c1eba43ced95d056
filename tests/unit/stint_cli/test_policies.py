"""Policies, as operators set them: an invalid one is not written, and what may be recorded is said to be so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka.errors import KafkaConnectionError

from services.stint_cli import policies
from services.stint_cli.directory import tenants
from services.stint_cli.policies import ensure_first_policy, publish_policy, set_policy
from services.stint_cli.policy import commands
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import PolicyBook
from shared.events.policies.document import Proposal
from shared.events.policy import LongRunning, Policy, Preset, Rules
from shared.kafka.clients import KafkaAddress
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

    async def fetchval(self, sql: str, *values: object) -> object:
        if "INSERT INTO tenant" in sql:
            self.written.append(f"tenant {values[0]}")
        return datetime.now(UTC) + self._ahead if "clock_timestamp" in sql else True

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


ADDRESS: Final = KafkaAddress(bootstrap_servers="nowhere:1")


async def _set() -> None:
    await set_policy(ADDRESS, "acme", NATIVE, replaces=None, set_by="avi", set_at=NOW)


async def _ensure() -> None:
    assert await ensure_first_policy(ADDRESS, "acme", NATIVE, set_by="avi", set_at=NOW)


@pytest.fixture
def on_kafka(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let `policies` find a topic that reads as empty, and a producer whose sends end as the test says."""

    def of(send: Callable[[], Awaitable[object]], *reads: Trouble | PolicyBook) -> None:
        found = iter(reads)

        async def send_and_wait(*_: object, **__: object) -> object:
            return await send()

        @asynccontextmanager
        async def opened(_address: object) -> AsyncIterator[SimpleNamespace]:
            yield SimpleNamespace(send_and_wait=send_and_wait)

        async def read_policies(_address: object) -> PolicyBook:
            read = next(found)
            if isinstance(read, Trouble):
                raise read
            return read

        monkeypatch.setattr(policies, "_producer", opened)
        monkeypatch.setattr(policies, "read_policies", read_policies)

    return of


async def _acked() -> object:
    return SimpleNamespace(offset=7)


@pytest.mark.parametrize("run", [_set, _ensure])
async def test_a_policy_that_is_not_acknowledged_in_time_may_come_into_force(
    run: Callable[[], Awaitable[None]], on_kafka: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "_SENT_WITHIN_SECONDS", 0.01)
    on_kafka(asyncio.Event().wait, PolicyBook())
    with pytest.raises(
        Trouble, match=r"does not acknowledge the policy\. It may come into force: look with `policy get`"
    ):
        await asyncio.wait_for(run(), 5)


@pytest.mark.parametrize("run", [_set, _ensure])
async def test_a_policy_whose_acknowledgement_was_lost_may_be_recorded(
    run: Callable[[], Awaitable[None]], on_kafka: Callable[..., None]
) -> None:
    async def lost() -> object:
        raise KafkaConnectionError("gone")

    on_kafka(lost, PolicyBook())
    with pytest.raises(Trouble, match=r"may be recorded, or not \(.*gone\): look with `policy get`"):
        await run()


async def test_a_policy_that_was_acknowledged_and_cannot_be_read_back_is_told_as_recorded(
    on_kafka: Callable[..., None],
) -> None:
    on_kafka(_acked, Trouble("timer.policies.v1 cannot be read: gone. Look at Kafka."))
    with pytest.raises(Trouble) as raised:
        await _set()
    assert str(raised.value) == (
        "The policy is recorded as revision 7, and counts unless another one came just before it. Only reading it "
        "back failed: timer.policies.v1 cannot be read: gone. Look at Kafka. Look with `policy get`."
    )
