"""What an API shows: each gauge has the number of its own part."""

import asyncio
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.command_api.desk.tally import Tally
from services.command_api.metrics import ALARM_NAMES, readings
from services.command_api.submit.replies import Waiters
from services.command_api.submit.sender import Sender
from shared.events.topics import EVENTS, TEXTS
from shared.kafka.kept_producer import KeptProducer
from shared.process.alarms import Alarms
from shared.process.metrics import registry_of
from tests.unit.command_api.fakes import FakeProducer

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
# With what a record costs beside its key, value and headers.
RECORD_BYTES: Final = 600


def unacked(count: int) -> Sender:
    """Return a sender that has taken records of RECORD_BYTES, and has no producer to send them with."""
    sender = Sender(
        KeptProducer(FakeProducer, [EVENTS]),
        publish_within_seconds=5.0,
        stalled_after_seconds=30.0,
        records_max=100,
        bytes_max=100_000,
        ack_times=lambda *_: None,
    )
    for _ in range(count):
        sender.send(EVENTS, 0, b"k" * 100, b"v" * 300, [("ce_id", b"i" * 100)], lambda _: None)
    return sender


async def test_each_gauge_of_an_api_has_the_number_of_its_own_part() -> None:
    waiters, sender = Waiters(100), unacked(2)
    for number in range(5):
        assert waiters.open(UUID(int=number), asyncio.get_running_loop().time() + 60, NOW) is not None
    read = readings(
        tally=Tally(),
        waiters=waiters,
        sender=sender,
        ready={"stays": lambda: True, "producer": lambda: False},
        partitions={EVENTS: 12, TEXTS: 7},
        alarms=Alarms(ALARM_NAMES),
    )
    families = text_string_to_metric_families(generate_latest(registry_of(read)).decode())
    ours = [family for family in families if family.name.startswith("stint_") and family.type == "gauge"]
    shown = {(one.name, *one.labels.values()): one.value for family in ours for one in family.samples}
    assert shown == {
        ("stint_waiters",): 5,
        ("stint_unacked_records",): 2,
        ("stint_unacked_bytes",): 2 * RECORD_BYTES,
        ("stint_partitions",): 12,
        ("stint_ready", "stays"): 1,
        ("stint_ready", "producer"): 0,
    }
    await sender.close(0)
