"""The change feed against running services: JSON lines, server-sent events, and what each tenant may hear."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from services.stint_cli.tenants import issue_bearer_token
from shared.events.topics import OUTCOMES
from tests.support.proof.told import TruthOfAnswers
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Person, Tenant, fresh_owner
from tests.support.stack.feed_reader import FeedReader, Page
from tests.support.stack.logs import LogRecord, read_topic
from tests.support.stack.waits import drained, published


@pytest.fixture
async def reads(tenant: Tenant) -> AsyncIterator[Callable[[Service], FeedReader]]:
    """Make readers of any feed, which fail at an answer that the OpenAPI document does not tell.

    Their streams are open, so no stream of events is read to its end before the test sees it.
    """
    made: list[httpx.AsyncClient] = []
    truth = TruthOfAnswers()

    async def heard(response: httpx.Response) -> None:
        if not response.headers["content-type"].startswith("text/event-stream"):
            await response.aread()
        assert truth.problem(response.request, response) is None

    def make(feed: Service) -> FeedReader:
        made.append(httpx.AsyncClient(base_url=feed.url, timeout=40, event_hooks={"response": [heard]}))
        return FeedReader(made[-1], tenant.token)

    yield make
    for one in made:
        await one.aclose()


@pytest.fixture
async def reader(crew: Crew, api: Api, reads: Callable[[Service], FeedReader]) -> FeedReader:
    assert api.token
    return reads(await crew.standing_feed())


def firsts(records: list[LogRecord], tenant: Tenant) -> dict[int, list[bytes]]:
    """Return the first occurrences of a tenant's outcomes, by partition, as the contract says how to read the topic."""
    last: dict[int, int] = {}
    found: dict[int, list[bytes]] = {}
    for record in records:
        outcome = json.loads(record.value or b"")
        if outcome["source_offset"] > last.get(record.partition, -1):
            last[record.partition] = outcome["source_offset"]
            if outcome["tenant"] == tenant.name:
                found.setdefault(record.partition, []).append(record.value or b"")
    return found


async def press_all(api: Api, owners: list[str]) -> int:
    """Start, pause, refuse and stop a timer of each owner; return how many outcomes that makes."""
    for owner in owners:
        timer = (await api.start(owner)).json()["id"]
        for verb in ("pause", "pause", "stop"):
            await api.press(verb, timer)
    return 4 * len(owners)


def by_partition(deployment: Deployment, tenant: Tenant, outcomes: list[bytes]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for body in outcomes:
        found.setdefault(deployment.partition_of(tenant, json.loads(body)["owner"]), []).append(body)
    return found


async def test_the_feed_tells_what_the_topic_has_byte_for_byte(
    api: Api, reader: FeedReader, deployment: Deployment, tenant: Tenant
) -> None:
    begin = (await reader.page(after="now")).position
    owners = [fresh_owner() for _ in range(5)]
    count = await press_all(api, owners)
    page = Page(position=begin)
    while len(page.outcomes) < count:
        more = await reader.page(after=page.position, wait=10)
        assert more.outcomes, f"{len(page.outcomes)} of {count} came"
        page = Page(page.outcomes + more.outcomes, page.positions + more.positions, more.position)
    records = await read_topic(deployment.kafka, OUTCOMES)
    written = {
        partition: [body for body in bodies if json.loads(body)["owner"] in owners]
        for partition, bodies in firsts(records, tenant).items()
    }
    assert by_partition(deployment, tenant, page.outcomes) == {p: bodies for p, bodies in written.items() if bodies}
    assert len(set(page.positions)) == count
    # Nothing more, and the last line still says where to go on.
    assert (await reader.page(after=page.position)).outcomes == []


async def test_a_reader_goes_on_exactly_after_any_line_in_either_form(api: Api, reader: FeedReader) -> None:
    begin = (await reader.page(after="now")).position
    count = await press_all(api, [fresh_owner() for _ in range(3)])
    heard = await reader.heard(count, after=begin)
    page = await reader.page(after=begin)
    assert [data.encode() for _, data in heard] == page.outcomes
    for at, position in enumerate(page.positions):
        assert (await reader.page(after=position)).outcomes == page.outcomes[at + 1 :]
        assert (await reader.page(after=heard[at][0])).outcomes == page.outcomes[at + 1 :]
    middle = count // 2
    # A browser repeats its first request, and says by `Last-Event-ID` how far it came.
    assert await reader.heard(count - middle, heard[middle - 1][0], after=begin) == heard[middle:]
    in_parts: list[bytes] = []
    after = begin
    while (part := await reader.page(after=after, limit=5)).outcomes:
        in_parts, after = in_parts + part.outcomes, part.position
    assert in_parts == page.outcomes


async def test_another_process_of_the_feed_goes_on_where_one_stopped(
    api: Api, crew: Crew, reader: FeedReader, reads: Callable[[Service], FeedReader]
) -> None:
    """One that read the past when it began, and orders the partitions in another way."""
    begin = (await reader.page(after="now")).position
    count = await press_all(api, [fresh_owner() for _ in range(4)])
    heard = await reader.heard(count, after=begin)
    other = reads(await crew.feed())
    for at in range(0, count, 3):
        rest = (await other.page(after=heard[at][0])).outcomes
        assert sorted(rest) == sorted(data.encode() for _, data in heard[at + 1 :])


async def test_a_place_that_left_the_window_is_410_and_names_where_to_go_on(
    api: Api, crew: Crew, deployment: Deployment, reader: FeedReader, reads: Callable[[Service], FeedReader]
) -> None:
    await published(deployment)  # so that nothing of other tests comes between
    owner = fresh_owner()
    narrow = reads(await crew.feed({"FEED_WINDOW_OUTCOMES_MAX": "5"}))
    begin = (await narrow.page(after="now")).position
    timer = (await api.start(owner)).json()["id"]
    for verb in ("pause", "resume", "pause", "resume", "pause", "resume", "pause", "resume", "stop"):
        assert (await api.press(verb, timer)).status_code == 200
    # A feed with more room tells all ten: the control, and the truth.
    heard = await reader.heard(10, after=begin)
    outcomes = [data.encode() for _, data in heard]
    # From the last place but one there is one outcome: when it came, the narrow feed has read all.
    assert (await narrow.page(after=heard[-2][0], wait=20)).outcomes == outcomes[-1:]

    gone = await narrow.ask(after=begin)
    assert (gone.status_code, gone.headers["content-type"]) == (410, "application/problem+json")
    page = await narrow.page(after=gone.json()["after"])
    assert page.outcomes == outcomes[-5:]
    assert (await narrow.page(after=page.position)).outcomes == []
    # The stream of events says so too, and the whole window is where an empty position begins.
    with pytest.raises(httpx.HTTPStatusError, match="410"):
        await narrow.heard(1, after=begin)
    assert (await narrow.page()).outcomes == outcomes[-5:]


async def test_a_tenant_hears_nothing_of_another(
    api: Api, reader: FeedReader, deployment: Deployment, tenant: Tenant, other_tenant: Tenant
) -> None:
    stranger = FeedReader(reader.http, other_tenant.token)
    await drained(deployment)  # the fixtures have pressed too
    begin = (await reader.page(after="now")).position
    waiting = asyncio.create_task(stranger.page(after=begin, wait=30))
    count = await press_all(api, [fresh_owner() for _ in range(3)])
    heard = await reader.heard(count, after=begin)
    assert not waiting.done()
    # The control: the stranger does hear, and its own alone.
    own = Api(api.http, other_tenant.token)
    await own.start(fresh_owner())
    page = await waiting
    assert [json.loads(body)["tenant"] for body in page.outcomes] == [other_tenant.name]
    # Neither from the beginning, nor with another tenant's position.
    await drained(deployment)
    for position in ("", heard[0][0]):
        told = (await stranger.page(after=position, limit=10_000)).outcomes
        assert {json.loads(body)["tenant"] for body in told} == {other_tenant.name}
        assert tenant.name.encode() + b'"' not in b"".join(told)


async def test_every_client_of_a_tenant_reads_and_a_person_does_not(
    reader: FeedReader, tenant: Tenant, person: Person, admin: str
) -> None:
    assert (await FeedReader(reader.http, admin).ask(after="now")).status_code == 200
    refused = await FeedReader(reader.http, person.token).ask(after="now")
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert refused.json()["rule"] == "R06"
    long_ago = datetime.now(UTC) - timedelta(days=2)
    expired = issue_bearer_token(TOKEN_KEY, tenant.name, tenant.client, long_ago, timedelta(days=1))
    foreign = issue_bearer_token("k" * 32, tenant.name, tenant.client, datetime.now(UTC), timedelta(days=1))
    for token in ("an-opaque-one-that-nobody-has", expired, foreign):
        unknown = await FeedReader(reader.http, token).ask(after="now")
        assert (unknown.status_code, unknown.json()["rule"]) == (401, "R01")
        assert unknown.headers["www-authenticate"] == "Bearer"


async def test_open_streams_end_promptly_when_the_process_is_asked_to(
    crew: Crew, reader: FeedReader, reads: Callable[[Service], FeedReader]
) -> None:
    """A stream ends as an answer ends: its reader reconnects, and goes on after the last id."""
    # A process that waits for its streams is killed before its grace is over, and has another status.
    leaving = await crew.feed({"FEED_GRACE_SECONDS": "60"})
    theirs = reads(leaving)
    began = asyncio.Event()

    async def read_on() -> list[tuple[str, str | None]]:
        heard = []
        async for event in theirs.events(after="now"):
            began.set()
            heard.append(event)
        return heard

    reading = asyncio.create_task(read_on())
    await asyncio.wait_for(began.wait(), 10)
    assert await leaving.stop() == 0
    [(position, data)] = await reading
    assert data is None
    assert (await reader.page(after=position)).outcomes == []
