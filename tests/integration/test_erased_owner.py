"""An owner's texts are erased over HTTP: from every read, from the texts' topic, and from the broker's disk."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from services.stint_cli.tenants import issue_bearer_token
from shared.events.topics import TEXTS
from tests.support.stack.api import Api
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Person, Tenant
from tests.support.stack.logs import read_topic
from tests.support.stack.stacks import CONTAINERS
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained, texts_kept

WITHIN_SECONDS: Final = 30.0
# The broker's cleaner looks every second (`tests/support/stack/stacks.py`).
CLEANED_WITHIN_SECONDS: Final = 60.0


@pytest.fixture
def admin(tenant: Tenant) -> str:
    return issue_bearer_token(TOKEN_KEY, tenant.name, "office", datetime.now(UTC), timedelta(hours=1), "admin")


async def erase(api: Api, admin: str, owner: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {admin}"} | ({} if key is None else {"Idempotency-Key": key})
    answer = await api.http.delete(f"/v1/owners/{owner}/texts", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["fact"] == {"kind": "texts_erased"}
    return answer


async def words_of(api: Api, timer: str) -> list[str | None]:
    read = (await api.timer(timer)).json()
    return [read["comment"], read["work_item"]]


async def no_words(api: Api, *timers: str) -> None:
    """Return when no timer has a text any more: within about a second of the verdict."""

    async def gone() -> bool:
        return all([await words_of(api, timer) == [None, None] for timer in timers])

    await eventually(gone, "no text is read", WITHIN_SECONDS)


async def texts_of(deployment: Deployment, canary: str) -> dict[bytes | None, bytes | None]:
    """Return the last record of each key that ever had a text with this word: None is a tombstone."""
    records = await read_topic(deployment.kafka, TEXTS)
    keys = {record.key for record in records if canary.encode() in (record.value or b"")}
    return {record.key: record.value for record in records if record.key in keys}


async def all_erased(deployment: Deployment, canary: str, count: int) -> None:
    """Return when the topic ends with a tombstone for each of `count` timers."""

    async def tombstones() -> bool:
        texts = await texts_of(deployment, canary)
        return len(texts) == count and not any(texts.values())

    await eventually(tombstones, f"{count} tombstones", WITHIN_SECONDS)


async def test_an_erased_owner_has_no_text_in_any_read_nor_on_the_topic(
    api: Api, admin: str, deployment: Deployment, tenant: Tenant
) -> None:
    person = await deployment.person(tenant)
    canary = f"canary-{person.owner}"
    running = (await api.start(person.owner, comment=f"{canary} a", work_item=f"{canary} b")).json()["id"]
    stopped = (await api.start(person.owner, comment=f"{canary} c")).json()["id"]
    await api.press("stop", stopped)
    # A refused start leaves a text without a timer.
    assert (await api.start(person.owner, comment=f"{canary} d", at="2999-01-01T00:00:00Z")).status_code == 422
    await texts_kept(deployment)
    assert await words_of(api, running) == [f"{canary} a", f"{canary} b"]
    total = (await api.timer(stopped)).json()["total_seconds"]

    await erase(api, admin, person.owner)
    await no_words(api, running, stopped)
    await all_erased(deployment, canary, 3)
    assert canary not in await _reads(api, person)
    rows = "SELECT count(*) FROM timer_text WHERE owner = $1"
    assert await deployment.pool.fetchval(rows, person.owner) == 0
    assert (await api.timer(stopped)).json()["total_seconds"] == total


async def _reads(api: Api, person: Person) -> str:
    """Return what dialects A and B tell of the owner's timers."""
    zoho = {"Authorization": f"Zoho-oauthtoken {person.token}"}
    listed = await api.http.get("/v2/timer/open", params={"limit": 1000}, headers=api.headers())
    current = await api.http.get("/people/api/timetracker/getcurrentlyrunningtimer", headers=zoho)
    assert (listed.status_code, current.status_code) == (200, 200)
    return listed.text + current.text


async def test_a_start_after_the_erasure_keeps_its_text(
    api: Api, admin: str, deployment: Deployment, owner: str
) -> None:
    old = (await api.start(owner, comment="old")).json()["id"]
    await erase(api, admin, owner, key="k")
    new = (await api.start(owner, comment="new")).json()["id"]
    await no_words(api, old)
    # The same request again is the same erasure, and takes nothing that was written since.
    await erase(api, admin, owner, key="k")
    await drained(deployment)
    await texts_kept(deployment)
    await asyncio.sleep(1)  # several looks of the eraser
    assert await words_of(api, new) == ["new", None]


async def test_a_retry_after_the_erasure_brings_no_text_back(
    api: Api, admin: str, deployment: Deployment, owner: str
) -> None:
    """The retry writes its text before the fold says that the press is known."""
    canary = f"canary-{owner}"
    first = await api.start(owner, key="k", comment=canary)
    await erase(api, admin, owner)
    await no_words(api, first.json()["id"])
    again = await api.start(owner, key="k", comment=canary)
    assert again.content == first.content
    assert len(await texts_of(deployment, canary)) == 2
    await all_erased(deployment, canary, 2)


async def test_another_owner_keeps_every_text(api: Api, admin: str, deployment: Deployment, owner: str) -> None:
    neighbours = f"{owner}-neighbour"
    timer = (await api.start(neighbours, comment="mine")).json()["id"]
    erased = (await api.start(owner, comment="theirs")).json()["id"]
    await texts_kept(deployment)
    await erase(api, admin, owner)
    await no_words(api, erased)
    assert await words_of(api, timer) == ["mine", None]


@pytest.mark.skipif(CONTAINERS, reason="the broker's disk is in its container")
async def test_an_erased_text_leaves_the_brokers_disk(
    api: Api, admin: str, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """What takes about eight days, in seconds: the segments close at once, and the cleaner waits for nothing."""
    canary = f"canary-{owner}"
    folder = deployment.stack.kafka.folder
    timer = (await api.start(owner, comment=canary)).json()["id"]
    await texts_kept(deployment)
    assert holds(folder, canary)
    async with cleaned_at_once(deployment):
        await erase(api, admin, owner)
        await no_words(api, timer)
        await all_erased(deployment, canary, 1)
        kpart = deployment.partition_of(tenant, owner)
        async with asyncio.timeout(CLEANED_WITHIN_SECONDS):
            while holds(folder, canary):
                # The segment that is written to is never cleaned, so write on.
                await deployment.producer.send_and_wait(TEXTS, None, b"1", kpart)
                await asyncio.sleep(1)


def holds(folder: Path, word: str) -> bool:
    """Return whether any file of the broker has a word."""
    return any(word.encode() in content for content in _contents(folder))


def _contents(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # a segment that is deleted at this moment
            if path.is_file():
                yield path.read_bytes()


@contextlib.asynccontextmanager
async def cleaned_at_once(deployment: Deployment) -> AsyncIterator[None]:
    """Make the broker compact the texts as soon as it looks, until the block ends."""
    haste = {
        "segment.ms": "100",
        "max.compaction.lag.ms": "1",
        "min.cleanable.dirty.ratio": "0.0",
        "file.delete.delay.ms": "100",
    }
    client = AdminClient({"bootstrap.servers": deployment.kafka.bootstrap_servers})
    before = client.describe_configs([ConfigResource(ResourceType.TOPIC, TEXTS)])
    (described,) = [await asyncio.to_thread(future.result) for future in before.values()]
    await _configure(client, haste)
    try:
        yield
    finally:
        await _configure(client, {name: described[name].value for name in haste})


async def _configure(client: AdminClient, values: dict[str, str]) -> None:
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in values.items()]
    resource = ConfigResource(ResourceType.TOPIC, TEXTS, incremental_configs=entries)
    for future in client.incremental_alter_configs([resource]).values():
        await asyncio.to_thread(future.result)
