"""What Prometheus hears of running services: the numbers move with the presses, and no caller can make a new label."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families

from services.command_api import metrics as api_metrics
from services.feed import metrics as feed_metrics
from services.projector import metrics as projector_metrics
from shared.events.topics import TEXTS
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import PARTITIONS, Deployment, Tenant, fresh_owner
from tests.support.stack.feed_reader import FeedReader
from tests.support.stack.logs import put
from tests.support.stack.until import until
from tests.support.stack.waits import texts_kept
from tests.support.stack.ways_in import bearer

# It appears with the first command that is buried.
BURIED = "stint_commands_buried"

Labels = frozenset[tuple[str, str]]


async def scraped(service: Service) -> dict[tuple[str, Labels], float]:
    """Return every sample that a process shows."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{service.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def at(samples: Mapping[tuple[str, Labels], float], name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


async def test_the_numbers_move_with_the_presses(api: Api, crew: Crew, owner: str) -> None:
    [service], [projector] = crew.apis, crew.projectors
    before, before_folded = await scraped(service), await scraped(projector)

    timer = (await api.start(owner)).json()["id"]
    assert (await api.press("resume", timer)).json()["rule"] == "R07"
    assert (await api.press("stop", timer)).status_code == 200
    assert (await api.http.post("/v1/timers", json={}, headers=api.headers())).json()["rule"] == "R02"
    assert (await api.http.post("/v2/timer/start", json={}, headers=bearer("wrong"))).status_code == 401

    after, after_folded = await scraped(service), await scraped(projector)

    def moved(name: str, **labels: str) -> float:
        return at(after, name, **labels) - at(before, name, **labels)

    def moved_folded(name: str, **labels: str) -> float:
        return at(after_folded, name, **labels) - at(before_folded, name, **labels)

    assert moved("stint_presses_answered_total", dialect="native", answer="accepted", rule="none") == 2
    assert moved("stint_presses_answered_total", dialect="native", answer="refused", rule="R07") == 1
    assert moved("stint_requests_turned_away_total", dialect="native", rule="R02") == 1
    assert moved("stint_requests_turned_away_total", dialect="thebase", rule="R01") == 1
    assert moved("stint_verdict_seconds_count", dialect="native") == 3
    assert moved_folded("stint_presses_folded_total", dialect="native", verdict="refused", rule="R07") == 1
    assert moved_folded("stint_commit_seconds_count") >= 3
    assert moved_folded("stint_commit_seconds_sum") < 10

    live = [key for key, value in after_folded.items() if key[0] == "stint_partition_state" and value == 1]
    assert len(live) == PARTITIONS == at(after, "stint_partitions") == at(after_folded, "stint_partitions")
    assert {dict(labels)["state"] for _, labels in live} == {"live"}
    assert all(at(after, "stint_ready", check=check) == 1 for check in api_metrics.CHECKS)
    assert all(at(after_folded, "stint_ready", check=check) == 1 for check in projector_metrics.CHECKS)
    for samples in (after, after_folded):
        assert at(samples, "process_resident_memory_bytes") > 0
        assert at(samples, "stint_alarms_total", alarm="producer_broken") == 0


async def test_callers_that_wait_are_shown_while_they_wait(api: Api, crew: Crew) -> None:
    """Kafka has their presses already, and no projector reads them."""
    [service], [projector] = crew.apis, crew.projectors
    before = await scraped(service)
    assert at(before, "stint_waiters") == 0
    projector.freeze()
    headers = api.headers(None, Prefer="wait=30")
    presses = [
        asyncio.create_task(api.http.post("/v1/timers", json={"owner": fresh_owner()}, headers=headers))
        for _ in range(3)
    ]

    async def gauges() -> list[float]:
        now = await scraped(service)
        return [at(now, name) for name in ("stint_waiters", "stint_unacked_records", "stint_unacked_bytes")]

    await until(gauges, [3, 0, 0])
    projector.thaw()
    assert [(await press).status_code for press in presses] == [201] * 3
    assert await gauges() == [0, 0, 0]
    answered = ("stint_presses_answered_total", {"dialect": "native", "answer": "accepted", "rule": "none"})
    assert at(await scraped(service), answered[0], **answered[1]) - at(before, answered[0], **answered[1]) == 3


async def test_a_feed_shows_its_readers_and_what_is_in_its_window(api: Api, crew: Crew, tenant: Tenant) -> None:
    feed = await crew.feed({"FEED_WINDOW_OUTCOMES_MAX": "5"})

    async def readers() -> float:
        return at(await scraped(feed), "stint_feed_readers")

    assert await readers() == 0
    async with httpx.AsyncClient(base_url=feed.url, timeout=20) as http:
        reader = FeedReader(http, tenant.token)
        async with aclosing(reader.events(after="now")) as events:
            await anext(events)
            for _ in range(6):
                assert (await api.start(fresh_owner())).status_code == 201
            heard = [await anext(events) for _ in range(6)]
            assert await readers() == 1
        await until(readers, 0)
    shown = await scraped(feed)
    assert (len(heard), at(shown, "stint_feed_window_outcomes")) == (6, 5)
    # Beside the bytes of each outcome there is what it costs as an object, so this is no measure of one of them.
    assert at(shown, "stint_feed_window_bytes") > 5 * 500
    assert at(shown, "stint_feed_requests_total", answer="events") == 1
    # Every partition has its own, and the feed has read all that these tests wrote.
    lags = {dict(labels)["partition"] for name, labels in shown if name == "stint_feed_lag_offsets"}
    assert lags == {str(partition) for partition in range(PARTITIONS)}


async def test_an_alarm_is_counted_where_it_is_logged(api: Api, crew: Crew, deployment: Deployment) -> None:
    assert api.token
    [projector] = crew.projectors
    before = await scraped(projector)
    await put(deployment, 0, b"no text", {}, key=b"stranger", topic=TEXTS)
    await texts_kept(deployment)
    await projector.says("text_unreadable")
    after = await scraped(projector)
    for name, label in (
        ("stint_alarms_total", {"alarm": "text_unreadable"}),
        ("stint_dead_letters_total", {"log": "texts"}),
    ):
        assert at(after, name, **label) - at(before, name, **label) == 1


async def test_a_process_shows_every_metric_of_the_page_and_no_other(api: Api, crew: Crew, owner: str) -> None:
    """After one press of each kind: a counter with rules appears with its first press."""
    assert (await api.start(owner)).status_code == 201
    assert (await api.start("")).status_code == 400
    feed = await crew.standing_feed()
    for service, metrics in (
        (crew.apis[0], api_metrics.METRICS),
        (crew.projectors[0], projector_metrics.METRICS),
        (feed, feed_metrics.METRICS),
    ):
        text = (await api.http.get(f"{service.url}/metrics")).text
        shown = {family.name for family in text_string_to_metric_families(text) if family.samples}
        ours = {metric.name.removesuffix("_total") for metric in metrics}
        # Whether a command was buried before this depends on the tests that ran.
        assert {name for name in shown if name.startswith("stint_")} | {BURIED} == ours | {BURIED}
        assert {name.partition("_")[0] for name in shown} == {"stint", "process", "python"}


def odd_for_the_feed(url: str, salt: str, machine: dict[str, str]) -> list[tuple[tuple[str, str], dict[str, str]]]:
    """Return odd requests, as method, address and headers."""
    events = {"Accept": "text/event-stream"}
    return [
        (("GET", f"{url}/v1/feed?after={salt}"), machine),
        (("GET", f"{url}/v1/feed?{salt}={salt}"), machine | events),
        (("GET", f"{url}/v1/feed?after=now&limit={salt}"), machine),
        (("GET", f"{url}/v1/feed"), machine | events | {"Last-Event-ID": salt}),
        (("GET", f"{url}/v1/feed"), bearer(salt)),
        ((salt.upper(), f"{url}/v1/feed"), machine),
        (("GET", f"{url}/v1/feed/{salt}"), machine | {"X-Dialect": salt}),
        (("GET", f"{url}/metrics/{salt}"), machine),
    ]


async def test_no_request_can_make_a_new_label(api: Api, crew: Crew, owner: str, tenant: Tenant) -> None:
    """Each odd request once, so that the words that are known have been said; then others like them: no new word."""
    feed = await crew.standing_feed()
    processes = [(crew.apis[0], api_metrics), (crew.projectors[0], projector_metrics), (feed, feed_metrics)]

    async def odd(salt: str) -> None:
        machine = bearer(tenant.token)
        await asyncio.gather(
            api.http.post("/v1/timers", json={"owner": owner, "comment": salt}, headers=machine | {"X-Dialect": salt}),
            api.http.post("/v1/timers", json={"owner": salt, salt: salt}, headers=machine),
            api.http.post("/v1/timers", content=salt.encode(), headers=machine),
            api.http.post(f"/v1/timers/{salt}/stop", headers=machine | {"Idempotency-Key": salt * 99}),
            api.http.post("/v2/timer/start", json={"owner": salt}, headers=bearer(salt)),
            api.http.get(f"/people/api/timetracker/timer?timer={salt}", headers=bearer(salt)),
            api.http.get(f"/people/api/timetracker/timer?timer={salt}", headers=machine),
            api.http.get(f"/metrics/{salt}"),
            api.http.get(f"/metrics?name[]={salt}"),
            api.http.request(salt.upper(), f"/v1/{salt}"),
            *(api.http.request(*each, headers=headers) for each, headers in odd_for_the_feed(feed.url, salt, machine)),
        )

    async def series() -> tuple[set[tuple[str, Labels]], ...]:
        # Without our own ticks, which come when they come.
        said = [(await scraped(one)).keys() for one, _ in processes]
        return tuple({key for key in keys if ("dialect", "stint") not in key[1]} for keys in said)

    await odd("one")
    known = await series()
    for salt in ("two", "three", "four"):
        await odd(salt)
    seen = await series()
    assert [after - before for before, after in zip(known, seen, strict=True)] == [set()] * 3
    for keys, (_, theirs) in zip(seen, processes, strict=True):
        assert {dict(labels)["alarm"] for name, labels in keys if name == "stint_alarms_total"} == set(
            theirs.ALARM_NAMES
        )
        assert not [labels for _, labels in keys if {tenant.name, owner} & {word for _, word in labels}]
