"""`policy get | put | history | holidays` on real parts: the log of `/v1/policy`, repeatable, troubles in one line."""

import json
from typing import Any, Final

import pytest

from services.stint_cli.policies import read_policies
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually

DOCUMENT: Final[dict[str, Any]] = {"preset": "native", "zone": "Asia/Tokyo"}


@pytest.fixture
async def acme(deployment: Deployment) -> Tenant:
    return await deployment.tenant()


async def test_what_get_prints_is_edited_and_put(terminal: Terminal, acme: Tenant) -> None:
    status, out, _ = await terminal.run("policy", "get", acme.name)
    got = json.loads(out)
    assert (status, got) == (0, {"preset": "native", "zone": "Asia/Jerusalem", "replaces": acme.revision})
    file = terminal.folder / "policy.json"
    file.write_text(json.dumps(got | {"zone": "Asia/Tokyo"}))
    status, out, _ = await terminal.run("policy", "put", acme.name, str(file))
    in_force = (await terminal.json("policy", "get", acme.name))["revision"]
    assert (status, out) == (0, f"Revision {in_force} is in force for {acme.name}.\n")
    again = await terminal.run("policy", "put", acme.name, str(file))
    assert again == (0, f"Revision {in_force} says so already.\n", "")
    assert len(await terminal.json("policy", "history", acme.name)) == 2


async def test_put_names_the_revision_in_force_by_itself(terminal: Terminal, acme: Tenant) -> None:
    told = await terminal.json("policy", "put", acme.name, "-", stdin=DOCUMENT)
    assert told | {"revision": 0, "set_at": ""} == DOCUMENT | {
        "revision": 0,
        "replaces": acme.revision,
        "set_by": "stint avi",
        "set_at": "",
    }
    assert await terminal.json("policy", "put", acme.name, "-", stdin=DOCUMENT) == told


async def test_put_of_a_document_that_was_overtaken_fails(terminal: Terminal, acme: Tenant) -> None:
    stale = DOCUMENT | {"replaces": acme.revision}
    in_force = (await terminal.json("policy", "put", acme.name, "-", stdin=stale))["revision"]
    status, out, err = await terminal.run("policy", "put", acme.name, "-", stdin=stale | {"zone": "Africa/Cairo"})
    assert (status, out) == (1, "")
    assert err == (
        f"stint: Revision {in_force} is in force now: read it with `policy get`, and put your change into it.\n"
    )


async def test_an_older_revision_is_read_and_put_back(terminal: Terminal, acme: Tenant) -> None:
    await terminal.json("policy", "put", acme.name, "-", stdin=DOCUMENT)
    _, out, _ = await terminal.run("policy", "get", acme.name, "--revision", str(acme.revision))
    told = await terminal.json("policy", "put", acme.name, "-", stdin=json.loads(out))
    assert told["zone"] == "Asia/Jerusalem"
    assert (await terminal.json("policy", "get", acme.name, "--revision", str(told["replaces"])))[
        "zone"
    ] == "Asia/Tokyo"


async def test_the_history_is_listed_newest_first(terminal: Terminal, acme: Tenant) -> None:
    told = await terminal.json("policy", "put", acme.name, "-", stdin=DOCUMENT)
    history = await terminal.json("policy", "history", acme.name)
    assert [(one["revision"], one["replaces"], one["set_by"]) for one in history] == [
        (told["revision"], acme.revision, "stint avi"),
        (acme.revision, None, "tests"),
    ]
    _, out, _ = await terminal.run("policy", "history", acme.name)
    assert [line.split("  ")[::3] for line in out.splitlines()] == [
        [str(told["revision"]), f"replaces {acme.revision}"],
        [str(acme.revision), "the first"],
    ]


async def test_the_api_answers_what_a_command_has_set(terminal: Terminal, acme: Tenant, api: Api) -> None:
    told = await terminal.json("policy", "put", acme.name, "-", stdin=DOCUMENT)
    headers = {"Authorization": f"Bearer {acme.token}"}

    async def known() -> bool:
        answer = await api.http.get("/v1/policy", headers=headers)
        return answer.status_code == 200 and answer.json() == told

    await eventually(known, "the API has read the policy")
    history = await api.http.get("/v1/policy/history", headers=headers)
    assert history.json()["items"] == await terminal.json("policy", "history", acme.name)


async def test_a_tenant_gets_its_first_policy_and_a_name_that_is_none_gets_none(
    terminal: Terminal, deployment: Deployment
) -> None:
    await deployment.pool.execute("INSERT INTO tenant (name) VALUES ('bare')")
    assert (await terminal.run("policy", "get", "bare"))[0] == 1
    assert (await terminal.json("policy", "put", "bare", "-", stdin=DOCUMENT))["replaces"] is None
    status, _, err = await terminal.run("policy", "put", "baer", "-", stdin=DOCUMENT)
    assert (status, err) == (
        1,
        "stint: There is no tenant baer: look at the name, or make it with `stint tenants add`.\n",
    )
    assert (await read_policies(deployment.kafka)).latest("baer") is None


async def test_what_is_made_of_a_tenant_is_said_when_half_of_it_was_there(
    terminal: Terminal, deployment: Deployment
) -> None:
    """A run that ended in between left the row alone; an older dump was restored without the row."""
    name = f"half-{fresh_owner()}"
    add = ("tenants", "add", name, "--zone", "Asia/Tokyo")
    await deployment.pool.execute("INSERT INTO tenant (name) VALUES ($1)", name)
    status, out, _ = await terminal.run(*add)
    assert (status, out.partition(":")[0]) == (0, f"{name} is there already, and was given its first policy")
    await deployment.pool.execute("DELETE FROM tenant WHERE name = $1", name)
    status, out, _ = await terminal.run(*add)
    assert (status, out.partition(":")[0]) == (0, f"Made {name}; it has a policy already, which was not changed")
    assert not (await terminal.json(*add))["made"]
    await deployment.pool.execute("DELETE FROM tenant WHERE name = $1", name)
    assert (await terminal.json(*add))["made"]


async def test_holidays_are_printed_as_put_takes_them(terminal: Terminal, acme: Tenant) -> None:
    asked = ("policy", "holidays", acme.name, "--country", "IL", "--year", "2026", "--language", "en_US")
    status, out, _ = await terminal.run(*asked)
    said = json.loads(out)
    assert (status, said["replaces"], said["zone"]) == (0, acme.revision, "Asia/Jerusalem")
    assert {"day": "2026-04-02", "name": "Pesach"} in said["holidays"]
    assert len(await terminal.json("policy", "history", acme.name)) == 1


async def test_holidays_are_put_once_however_often_they_are_asked_for(terminal: Terminal, acme: Tenant) -> None:
    asked = ("policy", "holidays", acme.name, "--country", "il", "--year", "2026", "--put")
    told = await terminal.json(*asked)
    assert told["replaces"] == acme.revision
    assert await terminal.json(*asked) == told
    assert (await terminal.json("policy", "get", acme.name))["holidays"] == told["holidays"]


@pytest.mark.parametrize(
    "argv",
    [
        ("get",),
        ("get", "acme", "--revision", "x"),
        ("put", "acme"),
        ("holidays", "acme", "--country", "IL", "--year", "26"),
        ("drop", "acme"),
    ],
)
async def test_a_misused_command_ends_with_2(terminal: Terminal, argv: tuple[str, ...]) -> None:
    assert (await terminal.run("policy", *argv))[0] == 2


@pytest.mark.parametrize("command", ["get", "put", "history", "holidays"])
async def test_each_command_explains_itself_with_an_example(terminal: Terminal, command: str) -> None:
    status, out, _ = await terminal.run("policy", command, "--help")
    assert (status, f"stint policy {command} acme" in out.partition("Example:")[2]) == (0, True)


async def test_without_a_broker_one_line_says_so(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    status, out, err = await terminal.run("policy", "get", "acme")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "Kafka refuses the connection at 127.0.0.1:1" in err
