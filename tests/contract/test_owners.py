"""Dialect C, `/v1/owners`, against running services: what admins state is judged, told and read back."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2 as httpx
import pytest

from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Person, Tenant
from tests.support.stack.ways_in import bearer, zoho

WINDOW = {"checked_in_at": "2026-01-05T08:00:00Z", "checked_out_at": "2026-01-05T12:00:00Z"}


class Office:
    """An admin's calls about one owner."""

    def __init__(self, http: httpx.AsyncClient, token: str, owner: str) -> None:
        self.http, self.token, self.path = http, token, f"/v1/owners/{owner}"

    async def states(self, method: str, path: str = "", body: object = None, **headers: str) -> httpx.Response:
        return await self.http.request(method, self.path + path, json=body, headers=bearer(self.token) | headers)

    async def knows(self, position: str | None = None, token: str | None = None) -> httpx.Response:
        headers = {} if position is None else {"X-Min-Position": position}
        return await self.http.get(self.path, headers=bearer(token or self.token) | headers)


@pytest.fixture
def office(http: httpx.AsyncClient, admin: str, owner: str) -> Office:
    return Office(http, admin, owner)


async def test_what_is_stated_about_an_owner_is_known(office: Office, owner: str) -> None:
    stated: list[tuple[str, str, object, dict[str, Any]]] = [
        (
            "PUT",
            "",
            {"zone": "Europe/Berlin", "active": True},
            {"kind": "profile", "zone": "Europe/Berlin", "active": True},
        ),
        ("PUT", "", {"timers_disabled": True}, {"kind": "profile", "timers_disabled": True}),
        ("PUT", "/leave/2026-04-02", None, {"kind": "leave", "day": "2026-04-02", "granted": True}),
        ("PUT", "/leave/2026-04-03", None, {"kind": "leave", "day": "2026-04-03", "granted": True}),
        ("DELETE", "/leave/2026-04-02", None, {"kind": "leave", "day": "2026-04-02", "granted": False}),
        ("PUT", "/estimates/J-1", {"seconds": 60}, {"kind": "estimate", "job_id": "J-1", "seconds": 60}),
        ("PUT", "/estimates/J-1", {"seconds": 7200}, {"kind": "estimate", "job_id": "J-1", "seconds": 7200}),
    ]
    answer = None
    for method, path, body, fact in stated:
        answer = await office.states(method, path, body)
        assert answer.status_code == 200, answer.text
        assert answer.json() | {"position": None} == {"owner": owner, "fact": fact, "position": None}
    assert answer is not None
    known = await office.knows(answer.json()["position"])
    assert known.json() | {"position": None} == {
        "owner": owner,
        "zone": "Europe/Berlin",
        "timers_disabled": True,
        "active": True,
        "aliases": None,
        "leave": ["2026-04-03"],
        "attendance": [],
        "estimates": [{"job_id": "J-1", "seconds": 7200}],
        "position": None,
    }
    partition, offset = answer.json()["position"].split(":")
    told_partition, told_offset = known.json()["position"].split(":")
    assert (told_partition, int(told_offset) >= int(offset)) == (partition, True)


async def test_windows_of_a_day_are_told_apart_by_their_check_in(office: Office) -> None:
    second = {"checked_in_at": "2026-01-05T14:00:00+01:00", "on": "2026-01-05"}
    for body in (WINDOW, second, second | {"checked_out_at": "2026-01-05T16:00:00Z"}):
        assert (await office.states("POST", "/attendance", body)).status_code == 200
    assert (await office.knows()).json()["attendance"] == [
        {
            "on": "2026-01-05",
            "checked_in_at": "2026-01-05T08:00:00.000000Z",
            "checked_out_at": "2026-01-05T12:00:00.000000Z",
        },
        {
            "on": "2026-01-05",
            "checked_in_at": "2026-01-05T13:00:00.000000Z",
            "checked_out_at": "2026-01-05T16:00:00.000000Z",
        },
    ]


async def test_an_attendance_is_on_the_owners_local_day_else_the_tenants(office: Office, tenant: Tenant) -> None:
    assert tenant.zone == "Asia/Jerusalem"
    late = {"checked_in_at": "2026-01-05T22:30:00Z"}
    assert (await office.states("POST", "/attendance", late)).json()["fact"]["on"] == "2026-01-06"
    await office.states("PUT", "", {"zone": "America/New_York"})
    assert (await office.states("POST", "/attendance", late)).json()["fact"]["on"] == "2026-01-05"
    assert [window["on"] for window in (await office.knows()).json()["attendance"]] == ["2026-01-05"]


async def test_a_zone_that_an_admin_set_cuts_the_days_of_the_owners_next_interval(
    office: Office, api: Api, deployment: Deployment, owner: str
) -> None:
    await office.states("PUT", "", {"zone": "America/New_York"})
    started = await api.start(owner)
    stopped = await api.press("stop", started.json()["id"])
    assert stopped.status_code == 200
    zones = await deployment.pool.fetch('SELECT zone FROM "interval" WHERE owner = $1', owner)
    assert [row["zone"] for row in zones] == ["America/New_York"]


async def test_a_statement_under_one_key_is_learned_once(office: Office) -> None:
    first = await office.states("POST", "/attendance", WINDOW, **{"Idempotency-Key": "k"})
    again = await office.states("POST", "/attendance", WINDOW, **{"Idempotency-Key": "k"})
    assert (first.status_code, first.content) == (200, again.content)
    await office.states("POST", "/attendance", WINDOW | {"checked_out_at": "2026-01-05T13:00:00Z"})
    # A late retry of the first changes nothing.
    await office.states("POST", "/attendance", WINDOW, **{"Idempotency-Key": "k"})
    (window,) = (await office.knows()).json()["attendance"]
    assert window["checked_out_at"] == "2026-01-05T13:00:00.000000Z"


async def test_another_statement_under_a_used_key_is_refused(office: Office) -> None:
    assert (await office.states("PUT", "/leave/2026-04-02", **{"Idempotency-Key": "k"})).status_code == 200
    other = await office.states("DELETE", "/leave/2026-04-02", **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["rule"]) == (422, "R24")
    assert (await office.knows()).json()["leave"] == ["2026-04-02"]


async def test_a_key_belongs_to_the_owner(office: Office, http: httpx.AsyncClient, admin: str, owner: str) -> None:
    answers = [
        await one.states("PUT", "/leave/2026-04-02", **{"Idempotency-Key": "k"})
        for one in (office, Office(http, admin, f"{owner}-2"))
    ]
    assert [answer.json()["owner"] for answer in answers] == [owner, f"{owner}-2"]


async def test_a_statement_that_is_not_waited_for_is_202_and_its_outcome_follows(office: Office) -> None:
    recorded = await office.states("PUT", "/leave/2026-04-02", Prefer="wait=0")
    if recorded.status_code == 200:
        return  # judged before it was looked at
    assert recorded.status_code == 202
    outcome = await office.http.get(recorded.headers["location"], headers=bearer(office.token) | {"Prefer": "wait=10"})
    assert outcome.json()["fact"] == {"kind": "leave", "about": "2026-04-02", "body": {"granted": True}}


async def test_an_unknown_zone_is_refused_and_the_old_one_stays(office: Office) -> None:
    await office.states("PUT", "", {"zone": "Europe/Berlin"})
    refused = await office.states("PUT", "", {"zone": "Mars/Olympus"})
    assert (refused.status_code, refused.json()["rule"]) == (400, "R03")
    assert (await office.knows()).json()["zone"] == "Europe/Berlin"


async def test_machines_and_persons_state_nothing(office: Office, tenant: Tenant, person: Person) -> None:
    for token in (tenant.token, person.token):
        refused = await office.http.put(office.path, json={"active": False}, headers=bearer(token))
        assert (refused.status_code, refused.json()["rule"]) == (403, "R06")
    assert (await office.knows()).json()["active"] is None


async def test_machines_read_every_owner_and_a_person_only_itself(
    office: Office, http: httpx.AsyncClient, tenant: Tenant, admin: str, person: Person
) -> None:
    await office.states("PUT", "", {"active": True})
    assert (await office.knows(token=tenant.token)).json()["active"] is True
    foreign = await office.knows(token=person.token)
    unknown = await Office(http, admin, "nobody").knows(token=person.token)
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    own = await Office(http, admin, person.owner).knows(token=person.token)
    assert (own.status_code, own.json()["aliases"]) == (200, list(person.aliases))


async def test_another_tenants_owner_of_the_same_name_is_another(office: Office, other_tenant: Tenant) -> None:
    await office.states("PUT", "", {"active": True})
    assert (await office.knows(token=other_tenant.token)).json()["active"] is None


async def test_aliases_are_the_persons_and_count_when_the_token_is_read_next(
    http: httpx.AsyncClient, admin: str, deployment: Deployment, tenant: Tenant
) -> None:
    """The API has not met the person's token yet, so the new alias counts at once; a known token waits a minute."""
    person = await deployment.person(tenant)
    office = Office(http, admin, person.owner)
    answer = await office.states("PUT", "", {"aliases": ["E-17"]})
    assert (answer.status_code, answer.json()["aliases"]) == (200, ["E-17"])
    assert (await office.knows()).json()["aliases"] == ["E-17"]
    started = await http.post(
        "/people/api/timetracker/timer",
        params={
            "timer": "start",
            "user": "e-17",
            "jobId": "J-1",
            "billingStatus": "billable",
            "workDate": _today(tenant.zone),
        },
        headers=zoho(person.token),
    )
    assert started.status_code == 200, started.text


async def test_aliases_of_an_owner_who_is_no_person_are_404(office: Office) -> None:
    answer = await office.states("PUT", "", {"aliases": ["E-17"], "active": False})
    assert (answer.status_code, answer.json()["rule"]) == (404, None)
    assert (await office.knows()).json()["active"] is None


async def test_statements_of_one_moment_all_count(office: Office) -> None:
    days = [f"2026-04-{day:02}" for day in range(1, 21)]
    answers = await asyncio.gather(*(office.states("PUT", f"/leave/{day}") for day in days))
    assert {answer.status_code for answer in answers} == {200}
    assert (await office.knows()).json()["leave"] == days


def _today(zone: str) -> str:
    return datetime.now(ZoneInfo(zone)).date().isoformat()
