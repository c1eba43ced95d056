"""The operator's commands on real parts: those who may press are made, listed and ended, and the API hears of it."""

import asyncio
import base64
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from deploy.local.settings import ROOT
from services.stint_cli.policies import read_policies
from services.stint_cli.watch.places import moves
from shared.events.policy import Preset
from shared.events.topics import COMMANDS, DEAD, EVENTS, TEXTS
from shared.packing.bodies import pack
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, fresh_owner
from tests.support.stack.logs import put
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained, published
from tests.support.stack.ways_in import bearer


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


async def test_a_tenant_may_begin_with_the_rules_of_zoho(terminal: Terminal, deployment: Deployment) -> None:
    """They may refuse a pause, so its first policy ends timers that run on."""
    assert (await terminal.json("tenants", "add", "salon", "--zone", "Europe/Berlin", "--preset", "zoho"))["made"]
    policy = (await read_policies(deployment.kafka)).latest("salon")
    assert policy is not None
    assert (policy.preset, policy.auto_close_seconds) == (Preset.ZOHO, 50_400)


async def test_the_commands_of_the_first_page_work_as_they_stand(terminal: Terminal) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [shlex.split(line, comments=True)[1:] for line in page if line.startswith(".venv/bin/stint ")]
    assert len(commands) >= 3
    for command in commands:
        status, _, err = await terminal.run(*command)
        assert status == 0, (command, err)


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


def checks(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what `doctor` found, by check. Other tests of the session leave dead letters, so those are left out."""
    return {one["check"]: one for one in told["checks"] if one["check"] != "dead letters"}


async def doctor(terminal: Terminal) -> dict[str, dict[str, Any]]:
    _, out, err = await terminal.run("doctor", "--json")
    assert err == ""
    return checks(json.loads(out))


async def test_the_doctor_finds_nothing_wrong_with_what_is_well(
    terminal: Terminal, crew: Crew, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crew.be(apis=1, projectors=1)
    monkeypatch.setenv("STINT_CLI_HTTP_URL", crew.apis[0].url)
    monkeypatch.setenv("STINT_CLI_FEED_URL", (await crew.standing_feed()).url)
    await published(deployment)
    found = await doctor(terminal)
    assert {name: one["found"] for name, one in found.items() if not one["ok"]} == {}
    parts = {"postgres", "clock", "tables", "roles", "kafka", "partitions", "topics", "api", "feed", "commands"}
    assert parts <= found.keys()
    assert "partition 11" in found
    # How far a feed is behind was seen within the last 5 s, so another test's presses may be in it.
    assert (type(found["feed"]["behind"]), found["commands"]["stuck"]) == (int, [])
    assert found["partition 3"]["state"] == "judged"


async def test_the_doctor_says_what_is_wrong_and_what_to_do(
    terminal: Terminal, crew: Crew, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No projector, and an API that is not there. Presses wait on the log meanwhile."""
    monkeypatch.setattr(moves, "_MOVES_WITHIN_SECONDS", 0.3)
    await crew.be(apis=0, projectors=0)
    await put(deployment, 3, b"{}", [])
    await put(deployment, 2, b"{}", [], topic=COMMANDS)
    status, out, _ = await terminal.run("doctor")
    lines = out.splitlines()
    at = next(number for number, line in enumerate(lines) if "partition 3 " in line)
    assert (status, lines[at].split()[0], "no projector, lag 1" in lines[at]) == (1, "WRONG", True)
    assert "do: Start a projector" in lines[at + 1]
    assert any(line.startswith("WRONG  api ") for line in lines)
    at = next(number for number, line in enumerate(lines) if line.startswith("WRONG  commands "))
    assert re.search(r"lag [1-9][0-9]*, and APIs read 0 of ", lines[at])
    assert "do: Start an API" in lines[at + 1]
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    found = await doctor(terminal)
    assert (found["kafka"]["ok"], found["postgres"]["ok"], "partition 3" in found) == (False, True, False)
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://stint:x@127.0.0.1:1/stint")
    assert not (await doctor(terminal))["postgres"]["ok"]


async def test_the_doctor_names_a_topic_that_is_set_in_another_way(terminal: Terminal, deployment: Deployment) -> None:
    ours = str(30 * 24 * 60 * 60 * 1000)

    async def topics_are(said: str) -> bool:
        return bool((await doctor(terminal))["topics"]["found"] == said)

    try:
        await set_topic(deployment, TEXTS, "delete.retention.ms", "60000")
        said = f"{TEXTS} has delete.retention.ms=60000, not {ours}"
        await eventually(lambda: topics_are(said), "the broker knows")
        status, out, _ = await terminal.run("doctor")
        assert (status, "do: Correct it by hand" in out) == (1, True)
    finally:
        await set_topic(deployment, TEXTS, "delete.retention.ms", ours)
    await eventually(lambda: topics_are("all are there, and as they must be"), "the broker knows")


async def set_topic(deployment: Deployment, topic: str, name: str, value: str) -> None:
    """Set one setting of a topic, as an operator might by hand."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    client = AdminClient({"bootstrap.servers": deployment.kafka.bootstrap_servers})
    for future in client.incremental_alter_configs([resource]).values():
        await asyncio.to_thread(future.result)


async def test_an_outcome_is_shown_though_its_row_is_packed(terminal: Terminal, deployment: Deployment) -> None:
    insert = "INSERT INTO outcome (kpart, source_offset, log_time, body, packed) VALUES (1, $1, now(), '', $2)"
    offset, outcome = 1 << 50, {"v": 1, "owner": "dana\x1b[2J"}
    await deployment.pool.execute(insert, offset, pack(json.dumps(outcome).encode()))
    try:
        assert await terminal.json("outcomes", "show", f"1:{offset}") == outcome
        _, out, _ = await terminal.run("outcomes", "show", f"1:{offset}")
        assert '"owner": "dana\\u001b[2J"' in out
    finally:
        await deployment.pool.execute("DELETE FROM outcome WHERE source_offset = $1", offset)
    status, out, err = await terminal.run("outcomes", "show", f"1:{offset}")
    assert (status, out) == (1, "")
    assert f"there is no outcome at 1:{offset}" in err


async def test_a_dead_letter_is_listed_and_shown_with_its_bytes(
    terminal: Terminal, crew: Crew, deployment: Deployment
) -> None:
    raw = b"\xff\x1b[2J not ours"
    offset = await put(deployment, 5, raw, [("ce_type", b"poem.written.v1"), ("lost", None)], key=b"k")
    await crew.be(apis=0, projectors=1)

    async def listed() -> bool:
        found = await terminal.json("dead-letters", "list")
        return any((one["topic"], one["at"], one["reason"]) == (EVENTS, f"5:{offset}", "unknown_type") for one in found)

    await eventually(listed, "the projector has passed the record")
    shown = await terminal.json("dead-letters", "show", f"5:{offset}")
    assert shown == {
        "topic": EVENTS,
        "at": f"5:{offset}",
        "log_time": shown["log_time"],
        "key": {"base64": "aw==", "text": "k"},
        "headers": [
            {"name": "ce_type", "value": {"base64": "cG9lbS53cml0dGVuLnYx", "text": "poem.written.v1"}},
            {"name": "lost", "value": None},
        ],
        "value": {"base64": base64.b64encode(raw).decode()},
    }
    _, out, _ = await terminal.run("dead-letters", "show", f"5:{offset}")
    assert "ce_type: poem.written.v1\nlost: (none)\n" in out
    assert "\x1b" not in out
    _, out, _ = await terminal.run("doctor", "--json")
    [dead] = [one for one in json.loads(out)["checks"] if one["check"] == "dead letters"]
    assert (dead["ok"], dead["new"] >= 1) == (False, True)


async def test_a_command_that_could_not_be_read_is_listed_beside_the_events(
    terminal: Terminal, deployment: Deployment
) -> None:
    offset = await put(
        deployment, 0, b"not json", [("dead_reason", b"of before"), ("dead_reason", b"not_json")], topic=DEAD
    )
    listed = await terminal.json("dead-letters", "list")
    [found] = [one for one in listed if one["topic"] == DEAD and one["at"] == f"0:{offset}"]
    assert found["reason"] == "not_json"
    shown = await terminal.json("dead-letters", "show", f"0:{offset}", "--command")
    assert shown["value"]["text"] == "not json"
    status, out, err = await terminal.run("dead-letters", "show", "0:99999")
    assert (status, out, err.count("\n")) == (1, "", 1)
    last = deployment.partitions - 1
    _, _, err = await terminal.run("dead-letters", "show", "99:0")
    assert err == f"stint: {EVENTS} has no partition 99: its last one is {last}.\n"


async def test_the_audit_judges_all_presses_again_and_finds_no_difference(
    terminal: Terminal, api: Api, deployment: Deployment
) -> None:
    fresh = await deployment.tenant()
    await api.knows(fresh)
    await drained(deployment)
    status, out, err = await terminal.run("audit", "--tenant", fresh.name)
    assert (status, err, out.endswith(" events, no difference.\n")) == (0, "", True)
    assert int(out.split()[0]) > 0
    assert (await terminal.run("audit", "--tenant", "nobody"))[0] == 1
