"""A disk is sick, under Postgres' journal or under Kafka's log: slow, or it fails. No acknowledged press is lost.

Both parts write every press through to the disk here, which the other tests spare them, and strace stands between them
and the kernel. Each test counts the calls that its disk has spoiled.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient

# From where they are written: `admin` has them too, but does not say to mypy that it exports them.
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from shared.events.topics import EVENTS
from tests.faults.meanwhile import (
    answered,
    hears,
    is_not_ready,
    is_ready,
    kafka_has_ended,
    postgres_said,
    pressed_all_the_while,
)
from tests.faults.sick_disk import NEEDS_STRACE, SickDisk, Strace, children_of, fails_with, pid_of, strace_in, takes
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import LONG_SECONDS, Patient
from tests.support.stack.until import eventually

pytestmark = NEEDS_STRACE

SLOW_SECONDS: Final = 0.5
# So many calls are slow before the disk is quick again.
SLOW_CALLS: Final = 8
# Postgres replays its journal and writes its tables through first, on a disk that others use too.
RECOVERED_WITHIN_SECONDS: Final = 60.0


@pytest.fixture(scope="module")
async def strace(tmp_path_factory: pytest.TempPathFactory) -> Strace:
    """Give strace. Without it these tests are skipped, and say why."""
    return await strace_in(tmp_path_factory.mktemp("strace"))


@pytest.fixture
def patient(brief: Patient) -> Patient:
    """Give the same client, which waits longer for a verdict."""
    return replace(brief, wait_seconds=LONG_SECONDS)


async def test_with_postgres_disk_slow_verdicts_come_late_and_then_in_time_again(
    strace: Strace, brief: Patient, patient: Patient, deployment: Deployment, tenant: Tenant
) -> None:
    postgres = deployment.stack.postgres
    async with postgres_that_syncs(deployment), pressed_all_the_while(brief, tenant, deployment):

        def whole() -> list[int]:
            return [pid_of(postgres.process), *children_of(postgres.process)]

        async with strace.sick(whole, takes(SLOW_SECONDS)) as disk:
            await is_slow_for_a_while(disk, patient)
        await eventually(partial(judged_in_time, patient), "presses are judged as soon as before")


async def test_with_kafkas_disk_slow_presses_are_recorded_late_and_then_in_time_again(
    strace: Strace, brief: Patient, patient: Patient, deployment: Deployment, tenant: Tenant
) -> None:
    kafka = deployment.stack.kafka
    async with kafka_that_syncs(deployment), pressed_all_the_while(brief, tenant, deployment):
        async with strace.sick(lambda: [pid_of(kafka.process)], takes(SLOW_SECONDS)) as disk:
            await is_slow_for_a_while(disk, patient)
        await eventually(partial(judged_in_time, patient), "presses are judged as soon as before")


async def test_after_an_error_of_the_journals_disk_postgres_and_the_partitions_recover_by_themselves(
    strace: Strace, brief: Patient, deployment: Deployment, tenant: Tenant
) -> None:
    """What Postgres could not write through may be lost, so it ends all sessions and begins at its last checkpoint."""
    postgres = deployment.stack.postgres
    async with postgres_that_syncs(deployment), pressed_all_the_while(brief, tenant, deployment):
        # Not those that begin afterwards: the disk is well again.
        sessions = children_of(postgres.process)
        async with strace.sick(lambda: sessions, fails_with("EIO")) as disk:
            await eventually(partial(postgres_says, deployment, "reinitializing"), "Postgres ends all its sessions")
        assert disk.calls
        assert "PANIC:  could not fdatasync file" in postgres_said(deployment)
        assert await is_ready(brief.http)
        await eventually(partial(hears, 201, brief), "presses are judged again", RECOVERED_WITHIN_SECONDS)


async def test_after_an_error_of_kafkas_disk_the_broker_goes_on_where_it_was_when_it_is_started(
    strace: Strace, brief: Patient, crew: Crew, deployment: Deployment, tenant: Tenant
) -> None:
    """The broker ends when its only disk fails, in the midst of a press. Presses hear 503 until it is started."""
    kafka = deployment.stack.kafka
    async with kafka_that_syncs(deployment), pressed_all_the_while(brief, tenant, deployment):
        presses = list(kafka.log.glob(f"{EVENTS}-*/*.log"))
        async with strace.sick(lambda: [pid_of(kafka.process)], fails_with("EIO"), presses) as disk:
            await eventually(partial(kafka_has_ended, deployment), "the broker ends")
        assert disk.calls
        await eventually(partial(hears, 503, brief), "presses are refused")
        await eventually(partial(is_not_ready, brief.http), "the API says that it is not ready")
        await asyncio.to_thread(deployment.stack.start_kafka)
    await crew.settled()


@asynccontextmanager
async def postgres_that_syncs(deployment: Deployment) -> AsyncIterator[None]:
    """Run Postgres as in production: what a commit has written is on the disk before it returns."""
    postgres = deployment.stack.postgres
    usual = postgres.extra
    try:
        # After an end that it did not choose it makes sure of the whole disk with one call, not file by file: what
        # it takes to come back is not what is tested, and there are thousands of files.
        postgres.extra = {**usual, "fsync": "on", "recovery_init_sync_method": "syncfs"}
        await restarted(deployment)
        yield
    finally:
        postgres.extra = usual
        await restarted(deployment)


async def restarted(deployment: Deployment) -> None:
    await asyncio.to_thread(deployment.stack.stop_postgres)
    await asyncio.to_thread(deployment.stack.start_postgres)


@asynccontextmanager
async def kafka_that_syncs(deployment: Deployment) -> AsyncIterator[None]:
    """Let the broker write each press through to the disk before its ack. Replicas spare it that in production."""
    await sync_each_press(deployment, AlterConfigOpType.SET)
    try:
        yield
    finally:
        # A test that fails after its broker has ended leaves one to the next test all the same.
        if await kafka_has_ended(deployment):
            await asyncio.to_thread(deployment.stack.start_kafka)
        await sync_each_press(deployment, AlterConfigOpType.DELETE)


async def sync_each_press(deployment: Deployment, how: AlterConfigOpType) -> None:
    entry = ConfigEntry("flush.messages", "1", incremental_operation=how)
    topic = ConfigResource(ResourceType.TOPIC, EVENTS, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": deployment.kafka.bootstrap_servers})
    [done] = admin.incremental_alter_configs([topic]).values()
    await asyncio.to_thread(done.result)


async def is_slow_for_a_while(disk: SickDisk, patient: Patient) -> None:
    """Return when a press was judged late, and the disk was slow often."""

    async def often() -> bool:
        return disk.calls >= SLOW_CALLS

    await eventually(partial(judged_late, patient), "a press is judged late")
    await eventually(often, "the disk was slow often")
    # Asked again, because the API may have found the broker late for a moment.
    await eventually(partial(is_ready, patient.http), "the API says that it is ready")


async def judged_late(api: Patient) -> bool:
    """Say whether a start has a verdict. No verdict comes before a slow disk has what it needs."""
    answer = await answered(api)
    assert answer.status_code != 201 or answer.elapsed.total_seconds() >= SLOW_SECONDS
    return answer.status_code == 201


async def judged_in_time(api: Patient) -> bool:
    """Say whether a start has a verdict sooner than a slow disk would let it."""
    answer = await answered(api)
    return answer.status_code == 201 and answer.elapsed.total_seconds() < SLOW_SECONDS


async def postgres_says(deployment: Deployment, words: str) -> bool:
    """Say whether Postgres has logged some words since its start."""
    return words in postgres_said(deployment)
