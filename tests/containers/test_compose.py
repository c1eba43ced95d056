"""docker-compose.yml as operators run it: up, a press, a projector killed, a press, an API ended under load, down."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import pytest

from deploy.local.machine import free_ports
from deploy.local.settings import HOST, ROOT
from services.stint_cli.terminal.env_file import read_env

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

UNAVAILABLE = int(HTTPStatus.SERVICE_UNAVAILABLE)
WITHIN_SECONDS = 60.0
LARGE = 300_000


@dataclass(frozen=True)
class Deployment:
    """One deployment of the compose file, with a name, a port and a folder of its own."""

    environ: dict[str, str]
    env: dict[str, str]

    @property
    def url(self) -> str:
        return self.env["STINT_URL"]

    def compose(self, *arguments: str) -> str:
        return _run(["docker", "compose", *arguments], self.environ)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).split()

    def inspect(self, container: str) -> dict[str, object]:
        [found] = json.loads(_run(["docker", "inspect", container], self.environ))
        return dict(found)

    def said_by_the_gateway(self, status: int, since: datetime) -> list[dict[str, str]]:
        """Return what the gateway logged of requests that it answered so: which APIs it asked, and what they said."""
        lines = self.compose("logs", "--no-log-prefix", "--since", since.isoformat(), "gateway").splitlines()
        told = [json.loads(line) for line in lines if line.startswith('{"at":')]
        return [line for line in told if line["status"] == status]

    async def start(self, http: httpx.AsyncClient, **headers: str) -> httpx.Response:
        return await http.post("/v1/timers", json={"owner": self.env["STINT_OWNER"]}, headers=headers)

    async def press(self, http: httpx.AsyncClient, verb: str, timer: str) -> httpx.Response:
        """Press until it is judged. Until a dead projector is missed, the answer is 202; the key repeats the press."""
        headers = {"Idempotency-Key": str(uuid4())}
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                answer = await http.post(f"/v1/timers/{timer}/{verb}", headers=headers)
                if answer.status_code != HTTPStatus.ACCEPTED:
                    return answer
                await asyncio.sleep(0.2)


def _run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Bring a deployment up with `make docker-up`, and leave neither a container nor a volume."""
    home = tmp_path_factory.mktemp("compose")
    [port] = free_ports(1)
    environ = os.environ | {
        "COMPOSE_PROJECT_NAME": f"stint-test-{os.getpid()}",
        "STINT_HOME": str(home),
        "STINT_HTTP_PORT": str(port),
    }
    try:
        _run(["make", "docker-up"], environ)
        yield Deployment(environ, read_env(home / "docker.env"))
    finally:
        _run(["docker", "compose", "--profile", "by-hand", "down", "--volumes", "--timeout", "15"], environ)


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {deployment.env['STINT_TOKEN']}"}
    async with httpx.AsyncClient(base_url=deployment.url, headers=headers, timeout=40) as http:
        yield http


def test_only_the_gateway_is_published_and_only_on_loopback(deployment: Deployment) -> None:
    said = json.loads(deployment.compose("config", "--format", "json"))
    published = {name: service["ports"] for name, service in said["services"].items() if "ports" in service}
    assert [port["host_ip"] for port in published.pop("gateway")] == [HOST]
    assert published == {}


def test_every_container_is_limited_and_without_privileges(deployment: Deployment) -> None:
    """None may write its root, gain a privilege, or use memory and CPU without limit."""
    for container in deployment.compose("ps", "--quiet", "--all").split():
        found = deployment.inspect(container)
        host = found["HostConfig"]
        assert isinstance(host, dict)
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0


def test_our_image_is_small_and_runs_as_an_ordinary_user(deployment: Deployment) -> None:
    [found] = json.loads(_run(["docker", "image", "inspect", "stint:dev"], deployment.environ))
    # 238 MB: 128 of the base, 24 of debug symbols that wheels bring.
    assert found["Size"] < 240_000_000
    assert found["Config"]["User"] == "10001:10001"
    [api, *_] = deployment.containers("command-api")
    looks_for = (
        "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('ensurepip'), u.find_spec('setuptools'))"
    )
    said = _run(["docker", "exec", api, "python", "-c", looks_for], deployment.environ)
    assert said.split() == ["None", "None", "None"]


def test_each_service_logs_in_to_postgres_as_a_role_of_its_own(deployment: Deployment) -> None:
    """A feed connects when somebody asks for it."""
    asks = "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'stint%'"
    psql = ("psql", "--username=postgres", "--no-align", "--tuples-only", "--command", asks)
    said = deployment.compose("exec", "--no-TTY", "postgres", *psql)
    assert set(said.split()) - {"stint_feed"} == {"stint_command_api", "stint_projector"}


async def test_a_killed_projector_is_missed_and_replaced_and_loses_no_press(
    deployment: Deployment, http: httpx.AsyncClient
) -> None:
    started = await deployment.start(http)
    assert started.status_code == HTTPStatus.CREATED
    timer = started.json()["id"]
    [projector, *_] = deployment.containers("projector")
    _run(["docker", "kill", projector], deployment.environ)
    assert (await deployment.press(http, "pause", timer)).json()["state"] == "PAUSED"
    assert (await deployment.press(http, "resume", timer)).json()["state"] == "RUNNING"
    deployment.compose("up", "--detach", "--wait", "--no-recreate", "projector")
    stopped = await deployment.press(http, "stop", timer)
    assert stopped.status_code == HTTPStatus.OK
    assert stopped.json()["state"] == "STOPPED"


async def test_processes_ended_one_by_one_under_load_lose_no_press(
    deployment: Deployment, http: httpx.AsyncClient
) -> None:
    """Each gets SIGTERM and is started again, as in an upgrade. Every press reaches an API, and is answered.

    An API says 503 itself when Postgres or Kafka takes longer than it waits, as they may on a machine that is too
    small for a deployment and these tests. Such a press is repeated under its key.
    """
    began, over = datetime.now(UTC), asyncio.Event()

    async def keep_pressing() -> list[httpx.Response]:
        heard = []
        while not over.is_set():
            key = {"Idempotency-Key": str(uuid4())}
            answer = await deployment.start(http, **key)
            if answer.status_code == UNAVAILABLE:
                await asyncio.sleep(int(answer.headers["retry-after"]))
                answer = await deployment.start(http, **key)
            heard.append(answer)
        return heard

    pressing = [asyncio.create_task(keep_pressing()) for _ in range(8)]
    for ended in deployment.containers("command-api") + deployment.containers("projector")[:1]:
        await asyncio.to_thread(_run, ["docker", "stop", "--time", "30", ended], deployment.environ)
        assert deployment.inspect(ended)["State"]["ExitCode"] == 0  # type: ignore[index]
        await asyncio.to_thread(_run, ["docker", "start", ended], deployment.environ)
        await asyncio.to_thread(deployment.compose, "up", "--detach", "--wait", "--no-recreate")
    over.set()
    heard = [answer for answers in await asyncio.gather(*pressing) for answer in answers]
    assert len(heard) > 50
    assert [(answer.status_code, answer.text) for answer in heard if not answer.is_success] == []
    unavailable = deployment.said_by_the_gateway(UNAVAILABLE, began)
    # When it asked two APIs, both are named, and the last one's word is the answer.
    assert [line for line in unavailable if line["upstream_status"].split(", ")[-1] != str(UNAVAILABLE)] == []


async def test_the_gateway_words_a_too_large_body_as_its_dialect_does(http: httpx.AsyncClient) -> None:
    large = {"owner": "o" * LARGE}
    native = await http.post("/v1/timers", json=large)
    assert native.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert native.headers["content-type"] == "application/problem+json"
    assert native.json()["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    thebase = await http.post("/v2/timer/start", json=large)
    assert thebase.status_code == HTTPStatus.BAD_REQUEST
    assert thebase.json()["code"] == "BadRequest"


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics?name[]=x", "/%6detrics", "//metrics", "/metrics%0A", "/metrics/"]
)
async def test_the_gateway_shows_no_metrics(http: httpx.AsyncClient, path: str) -> None:
    refused, unknown = await http.get(path), await http.get("/v1/nothing")
    assert (refused.status_code, refused.content) == (unknown.status_code, unknown.content)


async def test_the_gateway_cuts_slow_headers(deployment: Deployment) -> None:
    reader, writer = await asyncio.open_connection(HOST, int(deployment.url.rpartition(":")[2]))
    writer.write(b"POST /v1/timers HTTP/1.1\r\nHost: here\r\nX-Slow: ")
    async with asyncio.timeout(60):
        assert b"200" not in await reader.read()
    writer.close()


async def test_without_any_api_the_gateway_says_503_in_each_dialect(
    deployment: Deployment, http: httpx.AsyncClient
) -> None:
    deployment.compose("stop", "--timeout", "30", "command-api")
    try:
        native = await deployment.start(http)
        assert (native.status_code, native.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
        assert native.json()["rule"] is None
        thebase = await http.post("/v2/timer/start", json={})
        assert (thebase.status_code, thebase.json()["code"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable")
        zoho = await http.get("/people/api/timetracker/timer", params={"timer": "start"})
        assert zoho.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert zoho.json()["response"]["errors"]["code"] == "SERVICE_UNAVAILABLE"
        people = "/people/api/timetracker"
        for call, said, message in (
            ("timer", {"timer": "start"}, "Error in adding timelog"),
            ("timer", {"timer": "start", "timeLogId": "7"}, "Error in restarting the timer"),
            ("timer", {"timer": "stop", "timeLogId": "7"}, "Error in pausing the timer"),
            ("getcurrentlyrunningtimer", {}, "Error in fetching the running timer"),
        ):
            answer = (await http.get(f"{people}/{call}", params=said)).json()["response"]
            assert (answer["message"], answer["uri"]) == (message, f"/api/timetracker/{call}")
        assert b"\r\nconnection: close\r\n" in (await _answer_before_the_body(deployment.url)).lower()
    finally:
        deployment.compose("up", "--detach", "--wait", "--no-recreate", "command-api")


async def _answer_before_the_body(url: str) -> bytes:
    """Return the head of an answer to a press whose body has not been sent yet."""
    reader, writer = await asyncio.open_connection(HOST, int(url.rpartition(":")[2]))
    writer.write(b"POST /v1/timers HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n")
    async with asyncio.timeout(15):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


async def test_recorded_presses_outlive_the_containers(deployment: Deployment, http: httpx.AsyncClient) -> None:
    timer = (await deployment.start(http)).json()["id"]
    stopped = (await deployment.press(http, "stop", timer)).json()
    _run(["make", "docker-down"], deployment.environ)
    _run(["make", "docker-up"], deployment.environ)
    assert read_env(Path(deployment.environ["STINT_HOME"]) / "docker.env") == deployment.env
    found = (await http.get(f"/v1/timers/{timer}")).json()
    assert {name: found[name] for name in stopped} == stopped
