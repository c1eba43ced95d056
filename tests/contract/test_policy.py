"""The tenant's policy over HTTP, against running services: revisions, races, and the presses that they judge."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.stint_cli.tenants import issue_bearer_token
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Tenant, fresh_owner
from tests.support.stack.ways_in import bearer

DOCUMENT: Final[dict[str, Any]] = {"preset": "native", "zone": "Asia/Jerusalem"}


@dataclass(frozen=True, slots=True)
class Office:
    """A tenant of the test's own, and an HTTP client of one API with its admin's token."""

    tenant: Tenant
    http: httpx.AsyncClient

    async def put(self, replaces: int | None, *, zone: str = "Asia/Jerusalem", **rules: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """Set the policy."""
        said = DOCUMENT | {"zone": zone, "rules": rules, "replaces": replaces}
        return await self.http.put("/v1/policy", json=said, headers=bearer(self.tenant.token))

    async def get(self, path: str = "", **headers: str) -> httpx.Response:
        """Read a policy, or the history."""
        return await self.http.get(f"/v1/policy{path}", headers=bearer(self.tenant.token) | headers)

    async def overlaps(self, machine: str) -> list[str]:
        """Return the flags of a second start while the first one runs."""
        owner = fresh_owner()
        first, second = [
            await self.http.post("/v1/timers", json={"owner": owner}, headers=bearer(machine)) for _ in range(2)
        ]
        assert (first.status_code, second.status_code) == (201, 201)
        flags: list[str] = second.json()["flags"]
        return flags


@pytest.fixture
async def office(api: Api, deployment: Deployment) -> Office:
    tenant = await deployment.tenant(role="admin")
    await api.knows(tenant)
    return Office(tenant, api.http)


def machine_of(tenant: Tenant) -> str:
    """Return a token of the tenant's machine."""
    return issue_bearer_token(TOKEN_KEY, tenant.name, "crm", datetime.now(UTC), timedelta(hours=1))


async def test_a_policy_is_set_read_and_remembered(office: Office) -> None:
    first = office.tenant.revision
    answer = await office.put(first, zone="Asia/Tokyo")
    told = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{told["revision"]}"')
    assert told | {"revision": 0, "set_at": ""} == DOCUMENT | {
        "zone": "Asia/Tokyo",
        "rules": {},
        "revision": 0,
        "replaces": first,
        "set_by": office.tenant.client,
        "set_at": "",
    }
    assert datetime.now(UTC) - datetime.fromisoformat(told["set_at"]) < timedelta(seconds=30)
    assert (await office.get()).content == answer.content
    assert (await office.get(f"/{told['revision']}")).content == answer.content
    assert (await office.get(f"/{first}")).json()["zone"] == "Asia/Jerusalem"
    assert (await office.get(**{"If-None-Match": answer.headers["etag"]})).status_code == 304
    history = (await office.get("/history")).json()
    assert [(item["revision"], item["replaces"]) for item in history["items"]] == [
        (told["revision"], first),
        (first, None),
    ]


async def test_if_match_names_the_revision_and_a_stale_one_is_409(office: Office) -> None:
    """Not 412: one thing has one status, however the caller named the revision."""

    async def put(zone: str, etag: str) -> httpx.Response:
        headers = bearer(office.tenant.token) | {"If-Match": etag}
        return await office.http.put("/v1/policy", json=DOCUMENT | {"zone": zone}, headers=headers)

    first = (await office.get()).headers["etag"]
    answer = await put("Asia/Tokyo", first)
    assert (answer.status_code, answer.json()["replaces"]) == (200, office.tenant.revision)
    stale = await put("Africa/Cairo", first)
    assert (stale.status_code, stale.json()["detail"]) == (
        409,
        f"Revision {answer.json()['revision']} is in force. Read it, and replace that one.",
    )
    assert (await office.get()).content == answer.content
    assert (await put("Africa/Cairo", answer.headers["etag"])).status_code == 200


async def test_a_policy_is_read_after_the_position_that_is_named(office: Office) -> None:
    started = await office.http.post(
        "/v1/timers", json={"owner": fresh_owner()}, headers=bearer(machine_of(office.tenant))
    )
    passed = started.json()["position"]
    partition, _, offset = passed.partition(":")
    ahead = f"{partition}:{int(offset) + 1_000_000}"

    async def asked(position: str) -> list[int]:
        paths = ("", f"/{office.tenant.revision}", "/history")
        answers = await asyncio.gather(*(office.get(path, **{"X-Min-Position": position}) for path in paths))
        return [answer.status_code for answer in answers]

    assert await asked(passed) == [200] * 3
    assert await asked("soon") == [400] * 3
    began = asyncio.get_running_loop().time()
    assert await asked(ahead) == [503] * 3
    assert asyncio.get_running_loop().time() - began >= 2.0


async def test_of_two_puts_at_once_one_is_200_and_the_other_409(office: Office) -> None:
    first = office.tenant.revision
    answers = await asyncio.gather(*(office.put(first, zone=zone) for zone in ("Asia/Tokyo", "Africa/Cairo")))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    in_force = won.json()["revision"]
    assert lost.json()["detail"] == f"Revision {in_force} is in force. Read it, and replace that one."
    assert (await office.get()).json()["revision"] == in_force


async def test_of_two_puts_to_two_replicas_one_comes_into_force(
    office: Office, crew: Crew, client: Callable[..., httpx.AsyncClient]
) -> None:
    """Each API looks by itself, and only the topic decides."""
    other = Office(office.tenant, client((await crew.api()).url))
    first = office.tenant.revision
    answers = await asyncio.gather(office.put(first, zone="Asia/Tokyo"), other.put(first, zone="Africa/Cairo"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    # A replica that is behind reads up to the end of the topic before it compares.
    for one in (office, other):
        moved = await one.put(first, zone="Asia/Kolkata")
        assert (moved.status_code, str(won["revision"]) in moved.json()["detail"]) == (409, True)


async def test_a_put_that_is_repeated_is_answered_the_same_and_recorded_once(office: Office) -> None:
    first = await office.put(office.tenant.revision, zone="Asia/Tokyo")
    again = await office.put(office.tenant.revision, zone="Asia/Tokyo")
    assert (again.status_code, again.content) == (200, first.content)
    assert len((await office.get("/history")).json()["items"]) == 2


async def test_a_press_after_the_put_is_judged_by_it(office: Office) -> None:
    machine = machine_of(office.tenant)
    assert await office.overlaps(machine) == ["R13"]
    allowed = await office.put(office.tenant.revision, R13={"mode": "allow"})
    assert allowed.status_code == 200
    assert await office.overlaps(machine) == []
    flagged = await office.put(allowed.json()["revision"], R13={"mode": "flag"})
    assert flagged.status_code == 200
    assert await office.overlaps(machine) == ["R13"]


async def test_a_restarted_api_knows_the_whole_history(
    office: Office, crew: Crew, client: Callable[..., httpx.AsyncClient]
) -> None:
    revision = (await office.put(office.tenant.revision, zone="Asia/Tokyo")).json()["revision"]
    known = await office.get("/history")
    api = await crew.api()
    await api.stop()
    api.launch()
    await api.ready()
    restarted = Office(office.tenant, client(api.url))
    assert (await restarted.get("/history")).content == known.content
    assert (await restarted.get(f"/{office.tenant.revision}")).json()["zone"] == "Asia/Jerusalem"
    assert (await restarted.get()).json()["revision"] == revision


async def test_a_tenant_gets_its_first_policy_over_http(office: Office) -> None:
    name = fresh_owner()
    token = issue_bearer_token(TOKEN_KEY, name, "office", datetime.now(UTC), timedelta(hours=1), "admin")
    fresh = Office(Tenant(name, "office", "", token, -1, ""), office.http)
    assert (await fresh.get()).status_code == 404
    assert (await fresh.put(office.tenant.revision)).json()["detail"].startswith("The tenant has no policy yet")
    assert (await fresh.put(None)).json()["replaces"] is None
    assert (await fresh.get()).status_code == 200


async def test_tenants_do_not_see_each_others_policies(office: Office, other_tenant: Tenant) -> None:
    theirs = await office.get(f"/{other_tenant.revision}")
    unknown = await office.get("/999999999")
    assert (theirs.status_code, theirs.content) == (404, unknown.content)
    assert (await office.put(other_tenant.revision)).status_code == 409


async def test_only_an_admin_may_set_a_policy_and_no_person_reads_it(office: Office, deployment: Deployment) -> None:
    person = await deployment.person(office.tenant)
    said = DOCUMENT | {"replaces": office.tenant.revision}
    machine = machine_of(office.tenant)
    for token, status in ((machine, 200), (person.token, 403)):
        put = await office.http.put("/v1/policy", json=said, headers=bearer(token))
        assert (put.status_code, put.json()["rule"]) == (403, "R06")
        for path in ("", f"/{office.tenant.revision}", "/history"):
            assert (await office.http.get(f"/v1/policy{path}", headers=bearer(token))).status_code == status


async def test_a_wrong_document_is_told_by_its_path(office: Office) -> None:
    for rules, detail in (
        ({"R11": {"mode": "loud"}}, "rules.R11.mode: may be off, flag, block, strict."),
        (
            {"R13": {"mode": "allow", "limit": 1}},
            "rules.R13.limit: is not known; rules.R13 may be an object with mode.",
        ),
    ):
        answer = await office.put(office.tenant.revision, **rules)
        assert (answer.status_code, answer.json()["detail"]) == (400, detail)
    zone = await office.put(office.tenant.revision, zone="Asia/Nowhere")
    assert (
        zone.json()["detail"] == "zone: is no time zone that this release knows: it may be one such as Asia/Jerusalem."
    )
    # Nothing was recorded.
    assert (await office.get()).json()["revision"] == office.tenant.revision
