"""Dialect C's reports against running services: findings and days."""

import asyncio
import io
import re
import zipfile
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2 as httpx

from services.command_api.dialects.native.reports.accept import XLSX
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Person, Tenant, fresh_owner

# An evening before 02:00, when clocks change there.
ON = (datetime.now(UTC) - timedelta(days=3)).date()
EVENING = datetime.combine(ON, time(22, 30), ZoneInfo("Asia/Jerusalem")).astimezone(UTC)
MIDNIGHT = EVENING + timedelta(minutes=90)
NIGHT = EVENING + timedelta(hours=2, minutes=45)


def spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


async def worked(api: Api, owner: str, start: datetime, end: datetime, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Start and stop a timer; return it as it was answered."""
    timer = (await api.start(owner, at=spelt(start), **said)).json()["id"]
    answer = await api.press("stop", timer, at=spelt(end))
    assert answer.status_code == 200, answer.text
    stopped: dict[str, Any] = answer.json()
    return stopped


async def got(api: Api, path: str, position: str | None = None, **params: str | int) -> httpx.Response:
    more = {} if position is None else {"X-Min-Position": position}
    return await api.http.get(path, params=params, headers=api.headers(None, **more))


async def test_days_are_split_at_the_owners_midnight(api: Api, owner: str) -> None:
    await worked(api, owner, EVENING, NIGHT + timedelta(microseconds=250_000))
    last = await worked(api, owner, EVENING, EVENING + timedelta(minutes=30), billable=False)
    await api.start(owner, at=spelt(NIGHT))  # an open interval is in no total
    days = await got(api, f"/v1/owners/{owner}/days", last["position"])
    assert days.status_code == 200, days.text
    first, second = ON.isoformat(), (ON + timedelta(days=1)).isoformat()
    assert days.json() | {"position": 0} == {
        "zone": "Asia/Jerusalem",
        "items": [
            {"day": first, "seconds": 7200, "billable_seconds": 5400, "changed_after_lock": False}
            | {"first_at": spelt(EVENING), "last_at": spelt(MIDNIGHT), "pause_seconds": 0},
            {"day": second, "seconds": 4500.25, "billable_seconds": 4500.25, "changed_after_lock": False}
            | {"first_at": spelt(MIDNIGHT), "last_at": spelt(NIGHT + timedelta(microseconds=250_000))}
            | {"pause_seconds": 0},
        ],
        "position": 0,
    }
    one = await got(api, f"/v1/owners/{owner}/days", days.json()["position"], **{"from": second, "to": second})
    assert one.json()["items"] == days.json()["items"][1:]


async def test_an_account_and_a_job_have_days_of_all_their_owners(api: Api, owner: str) -> None:
    account, job, other = f"A of {owner}", f"=J of {owner}", fresh_owner()
    until = EVENING + timedelta(minutes=30)
    await worked(api, owner, EVENING, until, account_id=account, job_id=job)
    last = await worked(api, other, EVENING, until, job_id=job, billable=False)
    first = await got(api, f"/v1/accounts/{account}/days")
    days = await got(api, f"/v1/jobs/{job}/days", last["position"])
    day = {"day": ON.isoformat(), "changed_after_lock": False, "first_at": None, "last_at": None, "pause_seconds": None}
    assert first.json()["items"] == [day | {"seconds": 1800, "billable_seconds": 1800}]
    assert days.json() == {
        "zone": "Asia/Jerusalem",
        "items": [day | {"seconds": 3600, "billable_seconds": 1800}],
        "position": None,
    }
    csv = await api.http.get(f"/v1/jobs/{job}/days?bom=1", headers=api.headers(None, Accept="text/csv"))
    line = csv.content.decode("utf-8-sig").splitlines()[1]
    assert line == f'"\'{job}","{ON.isoformat()}","Asia/Jerusalem",3600,1800,false,,,'


async def test_days_come_as_a_workbook_whose_ids_are_texts(api: Api, owner: str) -> None:
    job = f"=1+{uuid4().int:039}"
    last = await worked(api, owner, EVENING, EVENING + timedelta(minutes=30), job_id=job)
    headers = api.headers(None, **{"Accept": XLSX, "X-Min-Position": last["position"]})
    answer = await api.http.get(f"/v1/jobs/{job}/days?from={ON}&to={ON}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    assert answer.headers["content-disposition"] == f'attachment; filename="job-days-{ON}-{ON}.xlsx"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    cells = [(place, inner) for place, inner in re.findall(r'<c r="(\w+)"[^>]*>(.*?)</c>', sheet) if place[1:] == "2"]
    assert cells[0] == ("A2", f"<is><t>{job}</t></is>")
    assert [inner for _, inner in cells[3:]] == ["<v>1800</v>", "<v>1800</v>", "<v>0</v>"]


async def test_a_day_that_a_press_moved_after_its_lock_says_so(api: Api, deployment: Deployment, owner: str) -> None:
    """The books of the first day were closed after half an hour of work. A whole night comes later."""
    tenant = await deployment.tenant(role="admin")
    await api.knows(tenant)
    office, job = Api(api.http, tenant.token), f"job of {owner}"
    first, second = ON.isoformat(), (ON + timedelta(days=1)).isoformat()
    before = await worked(office, owner, EVENING, EVENING + timedelta(minutes=30), job_id=job)
    days = await got(office, f"/v1/owners/{owner}/days", before["position"])
    assert [(item["seconds"], item["changed_after_lock"]) for item in days.json()["items"]] == [(1800, False)]
    locked = {"preset": "native", "zone": "Asia/Jerusalem", "replaces": tenant.revision}
    locked |= {"rules": {"R15": {"mode": "flag", "locked_before": second}}}
    put = await api.http.put("/v1/policy", json=locked, headers=office.headers())
    assert put.status_code == 200, put.text

    after = await worked(office, owner, EVENING + timedelta(minutes=30), NIGHT, job_id=job)
    expected = [(first, 5400, True), (second, 4500, False)]
    for path in (f"/v1/owners/{owner}/days", f"/v1/jobs/{job}/days"):
        days = await got(office, path, after["position"])
        said = [(item["day"], item["seconds"], item["changed_after_lock"]) for item in days.json()["items"]]
        assert said == expected
    rows = (
        "SELECT day::text, total_us / 1000000, changed_after_lock FROM fold_v1.day_total WHERE owner = $1 ORDER BY day"
    )
    assert [tuple(row) for row in await deployment.pool.fetch(rows, owner)] == expected
    told = (await got(office, "/v1/violations", owner=owner, rule="R15")).json()["items"]
    # The start lies on a locked day. The stop adds to it what lies before midnight.
    assert [(item["from"], item["to"], item["amount_seconds"]) for item in told] == [
        (spelt(EVENING + timedelta(minutes=30)), spelt(MIDNIGHT), 3600)
    ]


async def test_a_history_tells_every_press_and_what_came_of_it(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    me = await deployment.person(tenant, owner)
    mine = {"Authorization": f"Bearer {me.token}"}
    timer = (await api.http.post("/v1/timers", json={"owner": owner}, headers=mine)).json()["id"]
    paused = (await api.press("pause", timer)).json()
    assert (await api.press("pause", timer)).status_code == 409
    stopped = (await api.press("stop", timer)).json()
    path = f"/v1/timers/{timer}/history"
    page = (await got(api, path, stopped["position"], limit=3)).json()
    rest = (await api.http.get(path, params={"cursor": page["next_cursor"]}, headers=mine)).json()
    items = page["items"] + rest["items"]
    assert [(item["what"], item["role"], item["verdict"], item["rule"], item["state"]) for item in items] == [
        ("start", "person", "accepted", None, "RUNNING"),
        ("pause", "machine", "accepted", None, "PAUSED"),
        ("pause", "machine", "refused", "R07", "PAUSED"),
        ("stop", "machine", "accepted", None, "STOPPED"),
    ]
    assert (items[0]["person"], items[0]["dialect"], items[1]["position"]) == (owner, "native", paused["position"])
    assert rest["next_cursor"] is None


async def test_timers_are_listed_while_more_come_in(api: Api, owner: str) -> None:
    """Five timers of a job, two to a page; a sixth is started after the first page, before all of them."""
    job = f"job of {owner}"
    times = [EVENING + timedelta(minutes=n) for n in range(5)]
    ids = [(await api.start(owner, at=spelt(at), job_id=job, reference=f"r{at.minute}")).json()["id"] for at in times]
    stopped = await api.press("stop", ids[1])
    filters: dict[str, Any] = {"owner": owner, "job": job, "flag": "late", "from": spelt(EVENING), "limit": 2}
    page = (await got(api, "/v1/timers", stopped.json()["position"], **filters)).json()
    await api.start(owner, at=spelt(EVENING + timedelta(hours=1)), job_id=job)
    seen = page["items"]
    while page["next_cursor"] is not None:
        page = (await got(api, "/v1/timers", **filters, cursor=page["next_cursor"])).json()
        seen += page["items"]
    assert [item["id"] for item in seen] == ids[::-1]
    assert {name: seen[3][name] for name in stopped.json()} == stopped.json()
    assert "comment" in seen[3]
    (one,) = (await got(api, "/v1/timers", owner=owner, reference=seen[0]["reference"])).json()["items"]
    assert one == seen[0]
    running = (await got(api, "/v1/timers", job=job, state="RUNNING")).json()["items"]
    assert [item["id"] for item in running][1:] == [id_ for id_ in ids[::-1] if id_ != ids[1]]


async def test_current_timers_are_an_owners_own(api: Api, deployment: Deployment, tenant: Tenant, owner: str) -> None:
    first, second, third = [(await api.start(owner, comment="quiet")).json()["id"] for _ in range(3)]
    await api.press("pause", first)
    await api.press("stop", second)
    resumed = (await api.press("resume", first)).json()
    path = f"/v1/owners/{owner}/current"
    current = (await got(api, path, resumed["position"])).json()
    assert [(item["id"], item["state"]) for item in current["items"]] == [(first, "RUNNING"), (third, "RUNNING")]
    me, other = await deployment.person(tenant, owner), await deployment.person(tenant)
    mine, theirs = [
        await api.http.get(path, headers={"Authorization": f"Bearer {person.token}"}) for person in (me, other)
    ]
    assert (mine.status_code, len(mine.json()["items"]), theirs.status_code) == (200, 2, 404)


async def test_findings_are_paged_with_every_filter(api: Api, owner: str) -> None:
    """Four timers side by side: the second, third and fourth overlap (R13)."""
    starts = [await api.start(owner, at=spelt(EVENING + timedelta(minutes=n))) for n in range(4)]
    position = starts[-1].json()["position"]
    whole = (await got(api, "/v1/violations", position, owner=owner)).json()
    assert [item["rule"] for item in whole["items"]] == ["R13"] * 3
    assert whole["next_cursor"] is None
    first, second = whole["items"][0], starts[1].json()
    assert first | {"event_id": 0, "policy_revision": 0} == {
        "timer_id": second["id"],
        "owner": owner,
        "rule": "R13",
        "from": second["started_at"],
        "to": None,
        "amount_seconds": None,
        "refused": False,
        "event_id": 0,
        "policy_revision": 0,
    }
    assert (await api.outcome(first["event_id"])).json()["subject"] == second["timelog_id"]

    filters = {"owner": owner, "rule": "R13", "from": spelt(EVENING), "to": spelt(NIGHT)}
    seen: list[dict[str, Any]] = []
    cursors: list[str | None] = [""]
    while cursors[-1] is not None:
        page = (await got(api, "/v1/violations", **filters, limit=1, cursor=cursors[-1] or "")).json()
        seen += page["items"]
        cursors.append(page["next_cursor"])
    assert seen == whole["items"]
    other = await got(api, "/v1/violations", owner=owner, cursor=cursors[1] or "")
    assert (other.status_code, other.json()["rule"]) == (400, "R03")
    later = await got(api, "/v1/violations", owner=owner, **{"from": first["from"], "to": seen[1]["from"]})
    assert later.json()["items"] == [first]


async def test_a_person_reads_only_their_own_reports(api: Api, person: Person, other_person: Person) -> None:
    dana, noa = (Api(api.http, one.token) for one in (person, other_person))
    for one in (person, other_person):
        for _ in range(2):
            position = (await api.start(one.owner)).json()["position"]
            assert (await got(api, "/v1/violations", position)).status_code == 200
    mine = await got(dana, "/v1/violations")
    assert {item["owner"] for item in mine.json()["items"]} == {person.owner}
    foreign = await got(noa, "/v1/violations", owner=person.owner)
    days = await got(noa, f"/v1/owners/{person.owner}/days")
    assert (foreign.status_code, foreign.content) == (404, days.content)
    assert (await got(dana, f"/v1/owners/{person.owner}/days")).status_code == 200


async def test_another_tenant_reads_nothing_of_ours(api: Api, other_tenant: Tenant, owner: str) -> None:
    stopped = await worked(api, owner, EVENING, NIGHT)
    stranger = Api(api.http, other_tenant.token)
    theirs = (await got(stranger, f"/v1/owners/{owner}/days", stopped["position"])).json()
    assert (theirs["zone"], theirs["items"]) == ("America/New_York", [])
    assert (await got(stranger, "/v1/violations", owner=owner)).json() == {"items": [], "next_cursor": None}


async def test_reports_without_a_token_or_with_a_position_ahead(api: Api, deployment: Deployment) -> None:
    paths = ("/v1/violations", f"/v1/owners/{fresh_owner()}/days")
    assert [(await api.http.get(path)).status_code for path in paths] == [401, 401]
    ahead = f"{deployment.partitions - 1}:{10**12}"
    answers = await asyncio.gather(*(got(api, path, ahead) for path in paths))
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "1"), (503, "1")]
