"""Canaries: texts, tokens and secrets go in by every way, well, refused and through a fault. No log tells one."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import httpx2 as httpx
import pytest

from deploy.local.postgres import SERVICES
from services.stint_cli.database import connected
from services.stint_cli.tenants import issue_bearer_token
from shared.events.ids import slot_of
from shared.events.texts import TimerText
from shared.events.topics import DEAD, TEXTS
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Person, Tenant, fresh_owner
from tests.support.stack.foreign_presses import ids, put_start
from tests.support.stack.logs import put, read_topic
from tests.support.stack.other_service import other_service
from tests.support.stack.stacks import CONTAINERS
from tests.support.stack.terminals import Terminal
from tests.support.stack.waits import drained, texts_kept

TIMER: Final = "/people/api/timetracker/timer"
JSON: Final = {"Content-Type": "application/json"}


@dataclass
class Cage:
    """All that must not come out: each word of ours begins with `stem`; tokens and secrets are as they were made."""

    stem: str
    secrets: set[str] = field(default_factory=set)

    def word(self, about: str) -> str:
        """Return a text, or a wrong token or secret, for one place."""
        return f"{self.stem}-{about}"

    def keeps(self, *secrets: str) -> None:
        """Keep tokens and secrets in, and the parts of a token."""
        self.secrets |= {part for secret in secrets for part in (secret, *secret.split("."))}

    def out(self, text: str) -> list[str]:
        """Return the words that got out, and what stands around them."""
        places = [text.find(word) for word in (self.stem, *self.secrets)]
        return [text[max(0, at - 100) : at + 100] for at in places if at >= 0]


@dataclass(frozen=True)
class Place:
    """One API with its tenant, a person of it, and what they must not see again."""

    http: httpx.AsyncClient
    tenant: Tenant
    person: Person
    cage: Cage

    @property
    def machine(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tenant.token}"}

    @property
    def zoho(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self.person.token}"}

    async def said(self, method: str, path: str, status: int, **options: object) -> httpx.Response:
        """Send a request that must be answered with this status."""
        answer = await self.http.request(method, path, **options)  # type: ignore[arg-type] # httpx' own
        assert answer.status_code == status, (path, options, answer.status_code, answer.text)
        return answer


@pytest.fixture
async def place(api: Api, deployment: Deployment, tenant: Tenant, owner: str) -> Place:
    person, cage = await deployment.person(tenant), Cage(f"canary-{owner}")
    dsns = [deployment.dsn_of(service, deployment.dsn) for service in SERVICES]
    passwords = {dsn.partition("@")[0].rpartition(":")[2] for dsn in (deployment.dsn, *dsns)}
    assert len(passwords) == 1 + len(SERVICES)
    basic = base64.b64encode(f"{tenant.client}:{tenant.secret}".encode()).decode()
    cage.keeps(tenant.token, tenant.secret, basic, person.token, TOKEN_KEY, *passwords)
    return Place(api.http, tenant, person, cage)


async def by_dialect_a(place: Place) -> None:
    word, machine = place.cage.word, place.machine
    start = {"owner": place.person.owner, "comment": word("a")}
    await place.said("POST", "/v2/timer/start", 201, json=start, headers=machine)
    await place.said("POST", "/v2/timer/start", 400, json=start | {"comment": word("a") * 400}, headers=machine)
    await place.said("POST", "/v2/timer/start", 400, json=start | {"comment": [word("a")]}, headers=machine)
    await place.said("POST", "/v2/timer/start", 400, json=start | {"start_time": word("a")}, headers=machine)
    await place.said("POST", "/v2/timer/start", 400, content=word("a").encode(), headers=machine | JSON)
    await place.said("POST", "/v2/timer/start", 401, json=start, headers={"Authorization": f"Bearer {word('token')}"})
    await place.said("POST", f"/v2/timer/start?access_token={place.tenant.token}", 401, json=start)
    await place.said("PUT", f"/v2/timer/{word('id')}", 404, headers=machine)
    form = {"grant_type": "client_credentials"}
    made = await place.said("POST", "/oauth/token", 200, data=form, auth=(place.tenant.client, place.tenant.secret))
    place.cage.keeps(made.json()["access_token"])
    await place.said("POST", "/oauth/token", 401, data=form, auth=(place.tenant.client, word("secret")))
    await place.said("POST", "/oauth/token", 401, data=form | {"client_secret": place.tenant.secret})
    await place.said("POST", "/oauth/token", 400, data={"grant_type": word("grant")})


async def by_dialect_b(place: Place) -> None:
    word, zoho = place.cage.word, place.zoho
    today = datetime.now(UTC).date().isoformat()
    start = {"user": place.person.owner, "jobId": "J-1", "workDate": today, "billingStatus": "1", "timer": "start"}
    texts = {"description": word("b"), "workItem": word("b")}
    await place.said("POST", TIMER, 200, params=start | texts, headers=zoho)
    await place.said("POST", TIMER, 200, data=start | texts, headers=zoho)
    await place.said("GET", TIMER, 400, params=start | {"description": word("b") * 40}, headers=zoho)
    await place.said("GET", TIMER, 400, params=start | texts | {"timer": word("b")}, headers=zoho)
    await place.said("POST", TIMER, 400, params=texts, data=start | texts, headers=zoho)
    await place.said("POST", TIMER, 401, data=start | texts, headers={"Authorization": f"Zoho-oauthtoken {word('t')}"})
    await place.said("POST", f"{TIMER}?authtoken={place.person.token}", 401, data=start | texts)


async def by_dialect_c(place: Place, admin: str) -> None:
    word, machine = place.cage.word, place.machine
    start, keyed = {"owner": fresh_owner(), "comment": word("c"), "work_item": word("c")}, {"Idempotency-Key": "one"}
    await place.said("POST", "/v1/timers", 201, json=start, headers=machine | keyed)
    await place.said("POST", "/v1/timers", 422, json=start | {"job_id": "J-1"}, headers=machine | keyed)
    await place.said("POST", "/v1/timers", 422, json=start | {"at": "2999-01-01T00:00:00Z"}, headers=machine)
    for wrong in ({"comment": 7}, {"comment": "\0" + word("c")}, {word("c"): word("c")}, {"work_item": word("c") * 40}):
        await place.said("POST", "/v1/timers", 400, json=start | wrong, headers=machine)
    await place.said("POST", "/v1/timers", 413, json=start | {"comment": word("c") * 9999}, headers=machine)
    await place.said("POST", "/v1/timers", 401, json=start, headers={"Authorization": f"Basic {word('token')}"})
    await place.said("GET", f"/v1/timers?access_token={word('token')}", 401)
    await place.said("GET", f"/{word('path')}", 404, headers=machine)
    boss = {"Authorization": f"Bearer {admin}"}
    await place.said("PUT", "/v1/policy", 400, json={"preset": word("c"), word("c"): word("c")}, headers=boss)
    profile = f"/v1/owners/{start['owner']}"
    await place.said("PUT", profile, 400, json={"zone": word("c")}, headers=boss)


async def by_kafka(place: Place, deployment: Deployment) -> int:
    """Return how many dead letters there are to be."""
    word, owner = place.cage.word, fresh_owner()
    body = {"tenant": place.tenant.name, "owner": owner}
    async with other_service(deployment, place.tenant) as service:
        theirs = {"authorization": place.machine["Authorization"].encode()}
        bad = [
            (json.dumps(body | {"comment": word("d")}).encode(), theirs),
            (word("d").encode(), theirs),
            (json.dumps(body).encode(), {"ce_source": word("d").encode()}),
            (json.dumps(body).encode(), {"ce_type": word("d").encode()}),
            (json.dumps(body | {"at": word("d")}).encode(), theirs),
        ]
        for value, other in bad:
            await service.put(owner, value, service.headers("start", "x", **other))
        assert (await service.asks("start", "good", key=owner, owner=owner)).verdict == "accepted"
    return len(bad)


async def by_the_log(place: Place, deployment: Deployment) -> None:
    """Write what no API writes: records that do not read, or that Postgres refuses for their data."""
    word, owner = place.cage.word, fresh_owner()
    timer = ids.draw(slot_of(place.tenant.name, owner))
    kpart = deployment.partition_of(place.tenant, owner)
    said = {"tenant": place.tenant.name, "owner": owner}
    unfit = TimerText(**said, event_id=UUID(int=1), comment="\0" + word("text"))
    for value in (unfit.model_dump_json().encode(), word("text").encode()):
        await put(deployment, kpart, value, {}, key=str(timer).encode(), topic=TEXTS)
    await put_start(deployment, place.tenant, owner, {"body": word("event").encode()})
    await put_start(deployment, place.tenant, owner, {"ce_type": word("event").encode(), "ce_time": word("e").encode()})


async def through_a_fault(place: Place, deployment: Deployment) -> None:
    """Press while Postgres ends every session of ours, twice."""
    press = Api(place.http, place.tenant.token)
    for _ in range(2):
        starts = [asyncio.create_task(press.start(fresh_owner(), comment=place.cage.word("fault"))) for _ in range(20)]
        async with connected(deployment.stack.postgres.superuser_dsn) as conn:
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name IN ('command_api', 'stint-projector')"
            )
        assert {answer.status_code for answer in await asyncio.gather(*starts)} <= {201, 202, 503}


async def at_the_terminal(place: Place, terminal: Terminal) -> list[str]:
    """Make and rotate credentials, which are printed once. Return what later commands print."""
    tenant, person = place.tenant.name, place.person.owner
    made = await terminal.json("clients", "add", tenant, "--name", "library")
    rotated = await terminal.json("clients", "rotate", made["client_id"], "--keep-old-seconds", "60")
    issued = await terminal.json("persons", "token", tenant, person)
    place.cage.keeps(made["client_secret"], rotated["client_secret"], issued["token"])
    form, bearer = {"grant_type": "client_credentials"}, {"Authorization": f"Bearer {issued['token']}"}
    for secret in (made["client_secret"], rotated["client_secret"]):
        answer = await place.said("POST", "/oauth/token", 200, data=form, auth=(made["client_id"], secret))
        place.cage.keeps(answer.json()["access_token"])
    await place.said("GET", "/v1/timers", 200, headers=bearer)
    later = [
        ("clients", "list"),
        ("clients", "revoke", made["client_id"]),
        ("persons", "list", tenant),
        ("persons", "revoke", tenant, person),
        ("persons", "token", tenant, "nobody"),
        ("policy", "put", tenant, "-"),
        ("dead-letters", "list"),
        ("doctor",),
    ]
    said: list[str] = []
    for command in later:
        _, out, err = await terminal.run(*command, stdin={"preset": place.cage.word("cli")})
        said += [out, err]
    return said


async def test_no_log_metric_or_reason_tells_a_text_a_token_or_a_secret(
    place: Place, crew: Crew, deployment: Deployment, terminal: Terminal
) -> None:
    cage, now = place.cage, datetime.now(UTC)
    admin = issue_bearer_token(TOKEN_KEY, place.tenant.name, "office", now, timedelta(hours=1), "admin")
    cage.keeps(admin)
    feed = await crew.standing_feed()
    await by_dialect_a(place)
    await by_dialect_b(place)
    await by_dialect_c(place, admin)
    async with httpx.AsyncClient(base_url=feed.url) as reader:
        reads = Place(reader, place.tenant, place.person, cage)
        await reads.said("GET", "/v1/feed", 200, headers=place.machine)
        await reads.said("GET", "/v1/feed", 400, params={"after": cage.word("feed")}, headers=place.machine)
        await reads.said("GET", "/v1/feed", 401, headers={"Authorization": f"Bearer {cage.word('feed')}"})
        await reads.said("GET", f"/v1/feed?access_token={place.tenant.token}", 401)
    buried = await by_kafka(place, deployment)
    await by_the_log(place, deployment)
    await through_a_fault(place, deployment)
    await drained(deployment)
    await texts_kept(deployment)

    letters = [letter for letter in await read_topic(deployment.kafka, DEAD) if cage.out(str(letter))]
    assert len(letters) == buried
    told = [str([letter.header("dead_reason"), letter.header("dead_detail")]) for letter in letters]
    told += await at_the_terminal(place, terminal)
    told += [row["reason"] for row in await deployment.pool.fetch("SELECT reason FROM dead_letter")]
    for service in (*crew.apis, *crew.projectors, feed):
        told.append((await place.http.get(f"{service.url}/metrics")).text)
    logs = {file.name: file.read_text(errors="replace") for file in deployment.stack.settings.logs.glob("*.log")}
    assert {f"{service.name}.log" for service in crew.everybody()} <= logs.keys()
    # What was written was heard: each record that does not read is reported, and each session that was ended.
    expected = ["text_unreadable", "record_unreadable"]
    if not CONTAINERS:  # there, the containers' own programs keep what they say
        assert {"kafka.log", "postgres.log"} < logs.keys()
        expected.append("terminating connection due to administrator command")
    heard = "".join(logs.values())
    assert [word for word in expected if word not in heard] == []
    assert [said for text in (*told, *logs.values()) for said in cage.out(text)] == []

    # The control of what is looked at behind every test.
    planted = deployment.stack.settings.logs / "planted.log"
    planted.write_text(f'{{"event":"token_issued","token":"{place.person.token}"}}')
    assert deployment.telling_logs() == ["planted.log"]
    planted.unlink()


def test_a_word_that_got_out_is_shown_with_what_stands_around_it() -> None:
    """The control."""
    cage = Cage("canary-dana")
    cage.keeps("head.claims.signature")
    assert cage.out("nothing") == []
    assert cage.out('{"comment":"canary-dana-b"}') == ['{"comment":"canary-dana-b"}']
    assert cage.out("at=claims&x") == ["at=claims&x"]
