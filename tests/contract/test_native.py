"""Dialect C against running services."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2 as httpx
import pytest

from shared.events.ids import parse_timer_id
from tests.support.stack.deployments import Person, Tenant
from tests.support.stack.until import until
from tests.support.stack.ways_in import bearer, fresh_number


async def _start(http: httpx.AsyncClient, tenant: Tenant, **said: object) -> httpx.Response:
    answer = await http.post("/v1/timers", json={"owner": str(fresh_number())} | said, headers=bearer(tenant.token))
    assert answer.status_code == 201, answer.text
    return answer


async def _press(http: httpx.AsyncClient, tenant: Tenant, location: str, verb: str, **headers: str) -> httpx.Response:
    return await http.post(f"{location}/{verb}", headers=bearer(tenant.token) | headers)


async def test_a_timer_from_start_to_stop(http: httpx.AsyncClient, tenant: Tenant) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    started = await _start(http, tenant, at=at.isoformat(), job_id="J-1", comment="quiet", work_item="desk")
    location = started.headers["location"]
    assert "quiet" not in started.text
    assert started.json() | {"id": 0, "timelog_id": 0, "owner": 0, "position": 0} == {
        "id": 0,
        "timelog_id": 0,
        "owner": 0,
        "account_id": None,
        "job_id": "J-1",
        "project_id": None,
        "billable": True,
        "work_date": None,
        "reference": None,
        "state": "RUNNING",
        "started_at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "stopped_at": None,
        "total_seconds": 0,
        "total_minutes": "0.0",
        "flags": ["late"],
        "position": 0,
    }
    states = []
    answer = started
    for minutes, verb in ((9, "pause"), (5, "resume"), (2.5, "stop")):
        then = (at + timedelta(minutes=10 - minutes)).isoformat()
        answer = await http.post(f"{location}/{verb}", json={"at": then}, headers=bearer(tenant.token))
        states.append((answer.status_code, answer.json()["state"], answer.json()["total_seconds"]))
    assert states == [(200, "PAUSED", 60), (200, "RUNNING", 60), (200, "STOPPED", 210)]
    again = await _press(http, tenant, location, "stop")
    assert again.json() | {"position": 0} == answer.json() | {"position": 0}
    assert again.json()["total_minutes"] == "3.5"


async def test_a_read_shows_texts_and_intervals(http: httpx.AsyncClient, tenant: Tenant) -> None:
    started = await _start(http, tenant, comment="בוקר", work_item="desk")
    location, position = started.headers["location"], started.json()["position"]

    async def texts() -> tuple[object, object]:
        read = (await http.get(location, headers=bearer(tenant.token) | {"X-Min-Position": position})).json()
        return read["comment"], read["work_item"]

    await until(texts, ("בוקר", "desk"))
    stopped = (await _press(http, tenant, location, "stop")).json()
    read = (await http.get(location, headers=bearer(tenant.token))).json()
    assert read["intervals"] == [{"start": stopped["started_at"], "end": stopped["stopped_at"]}]
    assert {name: read[name] for name in stopped} == stopped


async def test_a_reference_and_a_reason_stay_with_their_timer(http: httpx.AsyncClient, tenant: Tenant) -> None:
    started = await _start(http, tenant, reference="crm/7 é")
    location = started.headers["location"]
    keyed = bearer(tenant.token) | {"Idempotency-Key": "p-1"}
    paused = await http.post(f"{location}/pause", json={"reason": "lunch"}, headers=keyed)
    other = await http.post(f"{location}/pause", json={"reason": "call"}, headers=keyed)
    await _press(http, tenant, location, "resume")
    stopped = (await _press(http, tenant, location, "stop")).json()
    position = {"X-Min-Position": stopped["position"]}
    read = (await http.get(location, headers=bearer(tenant.token) | position)).json()
    assert [said["reference"] for said in (started.json(), paused.json(), stopped, read)] == ["crm/7 é"] * 4
    assert (other.status_code, other.json()["rule"]) == (422, "R24")
    assert [interval.get("reason", "none") for interval in read["intervals"]] == ["lunch", "none"]


async def test_one_key_hears_one_answer(http: httpx.AsyncClient, tenant: Tenant) -> None:
    said = {"owner": str(fresh_number())}
    headers = bearer(tenant.token) | {"Idempotency-Key": "k-1"}
    first = await http.post("/v1/timers", json=said, headers=headers)
    again = await http.post("/v1/timers", json=said, headers=headers)
    other = await http.post("/v1/timers", json=said | {"job_id": "J"}, headers=headers)
    assert (again.status_code, again.content, again.headers["location"]) == (
        201,
        first.content,
        first.headers["location"],
    )
    assert (other.status_code, other.json()["rule"]) == (422, "R24")


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_an_unknown_timer_is_404(http: httpx.AsyncClient, tenant: Tenant, verb: str) -> None:
    answer = await _press(http, tenant, f"/v1/timers/{2**62 + 1}", verb)
    assert (answer.status_code, answer.content) == (
        404,
        (
            b'{"type":"tag:stint.invalid,2026:rule/R05","title":"timer_unknown","status":404,'
            b'"detail":"There is no such timer.","rule":"R05"}'
        ),
    )
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_press_that_the_state_does_not_allow_is_409(http: httpx.AsyncClient, tenant: Tenant) -> None:
    location = (await _start(http, tenant)).headers["location"]
    assert (await _press(http, tenant, location, "resume")).json()["rule"] == "R07"
    assert (await _press(http, tenant, location, "stop")).status_code == 200
    assert (await _press(http, tenant, location, "pause")).status_code == 409


async def test_a_person_presses_and_reads_only_their_own(
    http: httpx.AsyncClient, tenant: Tenant, person: Person, other_person: Person
) -> None:
    started = await http.post("/v1/timers", json={"owner": person.owner}, headers=bearer(person.token))
    location = started.headers["location"]
    for_another = await http.post("/v1/timers", json={"owner": person.owner}, headers=bearer(other_person.token))
    stop = await http.post(f"{location}/stop", headers=bearer(other_person.token))
    assert [(a.status_code, a.json()["rule"]) for a in (for_another, stop)] == [(403, "R06"), (403, "R06")]
    assert (await http.get(location, headers=bearer(person.token))).status_code == 200
    assert (await http.get(location, headers=bearer(other_person.token))).status_code == 404
    assert (await http.get(location, headers=bearer(tenant.token))).json()["state"] == "RUNNING"


async def test_an_outcome_is_there_for_a_caller_that_did_not_wait(http: httpx.AsyncClient, tenant: Tenant) -> None:
    hurried = await http.post(
        "/v1/timers", json={"owner": str(fresh_number())}, headers=bearer(tenant.token) | {"Prefer": "wait=0"}
    )
    assert hurried.status_code in {201, 202}
    if hurried.status_code == 201:  # the verdict came before the answer
        return
    assert hurried.headers["retry-after"] == "1"
    told = await http.get(hurried.headers["location"], headers=bearer(tenant.token) | {"Prefer": "wait=5"})
    assert (told.status_code, told.json()["event_id"], told.json()["verdict"]) == (
        200,
        hurried.json()["event_id"],
        "accepted",
    )


async def test_an_outcome_that_is_not_there(http: httpx.AsyncClient, tenant: Tenant) -> None:
    started = await _start(http, tenant)
    partition, _, offset = started.json()["position"].partition(":")
    nobody = f"/v1/outcomes/{uuid4()}"
    past = await http.get(f"{nobody}?at={partition}:{offset}", headers=bearer(tenant.token))
    ahead = await http.get(f"{nobody}?at={partition}:{int(offset) + 1_000_000}", headers=bearer(tenant.token))
    nowhere = await http.get(nobody, headers=bearer(tenant.token))
    assert [a.status_code for a in (past, ahead, nowhere)] == [404, 202, 404]
    assert ahead.headers["retry-after"] == "1"


async def test_a_position_that_is_not_reached_is_503(http: httpx.AsyncClient, tenant: Tenant) -> None:
    started = await _start(http, tenant)
    partition, _, offset = started.json()["position"].partition(":")
    headers = bearer(tenant.token) | {"X-Min-Position": f"{partition}:{int(offset) + 1_000_000}"}
    answer = await http.get(started.headers["location"], headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_both_spellings_are_one_timer(http: httpx.AsyncClient, tenant: Tenant) -> None:
    said = (await _start(http, tenant)).json()
    assert str(parse_timer_id(said["id"])) == said["timelog_id"]
    answers = [
        await http.get(f"/v1/timers/{said[name]}", headers=bearer(tenant.token)) for name in ("id", "timelog_id")
    ]
    assert answers[0].content == answers[1].content


async def test_a_key_does_not_reach_from_one_target_to_another(http: httpx.AsyncClient, tenant: Tenant) -> None:
    locations = [(await _start(http, tenant)).headers["location"] for _ in range(2)]
    answers = [await _press(http, tenant, location, "stop", **{"Idempotency-Key": "same"}) for location in locations]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()["id"] != answers[1].json()["id"]


async def test_nothing_that_a_caller_sent_comes_back_in_headers_or_problems(http: httpx.AsyncClient) -> None:
    headers = {"Host": "evil.test", "traceparent": "evil", "Prefer": "evil", "X-Min-Position": "evil"}
    paths = ("/v1/timers/evil", "/v2/timer/open?limit=evil", "/evil", "/v1/timers/", "/people/evil")
    heard = [await http.get(path, headers=headers) for path in paths]
    assert all("evil" not in answer.text + str(answer.headers) for answer in heard)
