"""The operator's commands on real parts: those who may press are made, listed and ended, and the API hears of it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.stint_cli.policies import read_policies
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, fresh_owner
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def http(crew: Crew, client: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """Give a client of an API that looks at each client and person again twice a second, and one projector."""
    await crew.be(apis=0, projectors=1)
    api = await crew.api({"COMMAND_API_TOKEN_FRESH_SECONDS": "0.5"})
    return client(api.url)


async def token_of(http: httpx.AsyncClient, credentials: dict[str, Any]) -> httpx.Response:
    """Ask for a token, as a client does."""
    auth = (credentials["client_id"], credentials["client_secret"])
    return await http.post("/oauth/token", auth=auth, data={"grant_type": "client_credentials"})


async def test_a_tenant_is_made_once_with_its_first_policy(terminal: Terminal, deployment: Deployment) -> None:
    made = await terminal.json("tenants", "add", "bakery", "--zone", "Europe/Berlin")
    assert made == {
        "tenant": "bakery",
        "zone": "Europe/Berlin",
        "preset": "native",
        "revision": made["revision"],
        "made": True,
    }
    again = await terminal.json("tenants", "add", "bakery", "--zone", "Asia/Tokyo", "--preset", "thebase")
    assert again == made | {"made": False}
    _, out, _ = await terminal.run("tenants", "add", "bakery", "--zone", "Asia/Tokyo")
    assert out.startswith("bakery is there already, and was not changed: Europe/Berlin, preset native")
    listed = await terminal.json("tenants", "list")
    assert [one for one in listed if one["tenant"] == "bakery"] == [
        {name: value for name, value in made.items() if name != "made"}
    ]
    record = (await read_policies(deployment.kafka)).record("bakery", made["revision"])
    assert record is not None
    assert (record.replaces, record.set_by) == (None, "stint avi")


async def test_a_tenant_with_a_zone_that_is_none_is_not_made(terminal: Terminal, deployment: Deployment) -> None:
    assert (await terminal.run("tenants", "add", "martian", "--zone", "Mars/Olympus"))[0] == 2
    assert not await deployment.pool.fetchval("SELECT EXISTS (SELECT FROM tenant WHERE name = 'martian')")
    status, _, err = await terminal.run("tenants", "add", "a/b", "--zone", "Europe/Berlin")
    assert (status, err.count("\n")) == (1, 1)


async def test_a_client_presses_with_what_was_printed_and_ends_when_it_is_revoked(
    terminal: Terminal, http: httpx.AsyncClient
) -> None:
    await terminal.json("tenants", "add", "office", "--zone", "Europe/Berlin")
    made = await terminal.json("clients", "add", "office", "--name", "CRM")
    token = (await token_of(http, made)).json()["access_token"]

    async def presses() -> int:
        answer = await http.post("/v1/timers", json={"owner": fresh_owner()}, headers=bearer(token))
        return answer.status_code

    await eventually(lambda: _is(presses, 201), "the API knows the tenant")

    rotated = await terminal.json("clients", "rotate", made["client_id"], "--keep-old-seconds", "600")
    assert rotated["client_secret"] != made["client_secret"]
    assert [(await token_of(http, one)).status_code for one in (made, rotated)] == [200, 200]
    again = await terminal.json("clients", "rotate", made["client_id"])
    assert [(await token_of(http, one)).status_code for one in (made, rotated, again)] == [401, 401, 200]
    assert await presses() == 201

    revoked = await terminal.json("clients", "revoke", made["client_id"])
    await eventually(lambda: _is(presses, 401), "its token has ended")
    assert (await token_of(http, again)).status_code == 401
    assert await terminal.json("clients", "revoke", made["client_id"]) == revoked
    assert (await terminal.run("clients", "rotate", made["client_id"]))[0] == 1
    [listed] = await terminal.json("clients", "list", "office")
    assert listed == {
        "client_id": made["client_id"],
        "tenant": "office",
        "role": "machine",
        "name": "CRM",
        "revoked_at": revoked["revoked_at"],
        "old_secret_until": None,
    }


async def _is(ask: Any, status: int) -> bool:  # noqa: ANN401 - any coroutine function
    return bool(await ask() == status)


async def test_a_reader_reads_its_tenant_and_presses_nothing(terminal: Terminal, http: httpx.AsyncClient) -> None:
    await terminal.json("tenants", "add", "library", "--zone", "Europe/Berlin")
    machine, reader = [
        (await token_of(http, await terminal.json("clients", "add", "library", "--role", role))).json()["access_token"]
        for role in ("machine", "reader")
    ]

    async def started() -> bool:
        return (await http.post("/v1/timers", json={"owner": "noa"}, headers=bearer(machine))).status_code == 201

    await eventually(started, "the API knows the tenant")
    timer = (await http.post("/v1/timers", json={"owner": "noa"}, headers=bearer(machine))).json()["id"]
    assert (await http.get(f"/v1/timers/{timer}", headers=bearer(reader))).status_code == 200
    refused = await http.post(f"/v1/timers/{timer}/stop", headers=bearer(reader))
    assert (refused.status_code, refused.json()["rule"]) == (403, "R06")


async def test_a_person_has_tokens_that_end_and_a_name_that_stays(terminal: Terminal, http: httpx.AsyncClient) -> None:
    await terminal.json("tenants", "add", "studio", "--zone", "Europe/Berlin")
    assert (await terminal.run("persons", "token", "studio", "noa"))[0] == 1
    assert (await terminal.json("persons", "add", "studio", "noa"))["name"] == "noa"
    alias = ["--alias", "noa@studio.example", "--alias", "E-7"]
    noa = await terminal.json("persons", "add", "studio", "noa", "--name", "Noa Bar", *alias)
    assert (
        await terminal.json("persons", "add", "studio", "noa")
        == noa
        == {
            "tenant": "studio",
            "owner": "noa",
            "name": "Noa Bar",
            "aliases": ["noa@studio.example", "E-7"],
        }
    )
    _, out, _ = await terminal.run("persons", "token", "studio", "noa", "--days", "7")
    token = out.strip()

    async def status() -> int:
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        answer = await http.get("/people/api/timetracker/getcurrentlyrunningtimer", headers=headers)
        return answer.status_code

    assert await status() == 200
    [listed] = await terminal.json("persons", "list", "studio")
    assert (listed["owner"], listed["tokens"], listed["aliases"]) == ("noa", 1, noa["aliases"])
    assert (await terminal.json("persons", "revoke", "studio", "noa"))["tokens_ended"] == 1
    await eventually(lambda: _is(status, 401), "the token has ended")
    assert (await terminal.json("persons", "revoke", "studio", "noa"))["tokens_ended"] == 0


async def test_whoever_is_not_there_is_said_in_one_line(terminal: Terminal) -> None:
    for argv in (
        ("clients", "add", "nobody"),
        ("clients", "list", "nobody"),
        ("clients", "revoke", "client-0"),
        ("persons", "add", "nobody", "dana"),
        ("persons", "list", "nobody"),
    ):
        status, out, err = await terminal.run(*argv)
        assert (status, out, err.count("\n")) == (1, "", 1), argv
