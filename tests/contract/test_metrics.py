"""What Prometheus hears of running services: the numbers move with the presses, and no caller can make a new label."""

import asyncio
from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.command_api import metrics as api_metrics
from services.projector import metrics as projector_metrics
from tests.contract.ways_in import bearer
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import PARTITIONS, Tenant

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


async def folded(projector: Service, before: Mapping[tuple[str, Labels], float], presses: int) -> None:
    """Return when a projector has counted so many more presses. A reply may come before the count."""
    said = {"dialect": "native", "verdict": "accepted", "rule": "none"}
    async with asyncio.timeout(10):
        while True:
            now = await scraped(projector)
            if (
                at(now, "stint_presses_folded_total", **said) - at(before, "stint_presses_folded_total", **said)
                >= presses
            ):
                return
            await asyncio.sleep(0.05)


async def test_the_numbers_move_with_the_presses(api: Api, crew: Crew, owner: str) -> None:
    [service], [projector] = crew.apis, crew.projectors
    before, before_folded = await scraped(service), await scraped(projector)

    timer = (await api.start(owner)).json()["id"]
    assert (await api.press("resume", timer)).json()["rule"] == "R07"
    assert (await api.press("stop", timer)).status_code == 200
    assert (await api.http.post("/v1/timers", json={}, headers=api.headers())).json()["rule"] == "R02"
    assert (await api.http.post("/v2/timer/start", json={}, headers=bearer("wrong"))).status_code == 401
    await folded(projector, before_folded, 2)

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
    assert moved_folded("stint_commit_seconds_count") == 3
    assert moved_folded("stint_commit_seconds_sum") < 10

    live = [key for key, value in after_folded.items() if key[0] == "stint_partition_state" and value == 1]
    assert len(live) == PARTITIONS == at(after, "stint_partitions") == at(after_folded, "stint_partitions")
    assert {dict(labels)["state"] for _, labels in live} == {"live"}
    assert all(at(after, "stint_ready", check=check) == 1 for check in api_metrics.CHECKS)
    assert all(at(after_folded, "stint_ready", check=check) == 1 for check in projector_metrics.CHECKS)
    for samples in (after, after_folded):
        assert at(samples, "process_resident_memory_bytes") > 0
        assert at(samples, "stint_alarms_total", alarm="producer_broken") == 0


async def test_no_request_can_make_a_new_label(api: Api, crew: Crew, owner: str, tenant: Tenant) -> None:
    """Each odd request once before, so that the words that are known have been said; then more of them, and no more."""
    [service], [projector] = crew.apis, crew.projectors

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
        )

    await odd("one")
    known = (await scraped(service)).keys(), (await scraped(projector)).keys()
    for salt in ("two", "three", "four"):
        await odd(salt)
    seen = (await scraped(service)).keys(), (await scraped(projector)).keys()
    assert [after - before for before, after in zip(known, seen, strict=True)] == [set(), set()]
    for keys, theirs in zip(seen, (api_metrics, projector_metrics), strict=True):
        assert {dict(labels)["alarm"] for name, labels in keys if name == "stint_alarms_total"} == set(
            theirs.ALARM_NAMES
        )
        assert not [labels for _, labels in keys if {tenant.name, owner} & {word for _, word in labels}]
