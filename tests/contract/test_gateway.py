"""The gateway, as operators run it: a real nginx with deploy/gateway/nginx.conf before an API and a feed.

Only addresses and folders of that file are changed. Debian's nginx is fetched once (tests/support/stack/debian.py);
where it cannot be had, these tests are skipped and say so.
"""

import asyncio
import os
import re
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, closing, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
import pytest

from deploy.local.machine import free_ports
from deploy.local.settings import HOST, ROOT, Settings
from services.feed.calls.feed import EVENTS_HEADERS
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.debian import program_in
from tests.support.stack.deployments import Tenant, fresh_owner
from tests.support.stack.feed_reader import FeedReader
from tests.support.stack.until import eventually

CONF: Final = (ROOT / "deploy" / "gateway" / "nginx.conf").read_text(encoding="utf-8")
OUR_DIRECTIVE: Final = "proxy_buffering off;"
DEAF: Final = "proxy_ignore_headers X-Accel-Buffering;"
WITHIN_SECONDS: Final = 10.0
# More than the kernel keeps for three connections on one machine.
MUCH_BYTES: Final = 64 * 1024 * 1024
# What still takes more takes it within this time.
QUIET_SECONDS: Final = 0.5

Gateway = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="module")
def nginx() -> Path:
    try:
        program = program_in(Settings.from_environment().cache, "usr/sbin/nginx", "nginx")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    runs = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    if runs.returncode:
        pytest.skip(f"Debian's nginx does not run on this machine: {runs.stderr.strip()}")
    return program


def placed(conf: str, folder: Path, gateway: int, api: str, feed: str) -> str:
    """Return a configuration with the addresses and folders of this test. Each replacement must find its words."""
    [health] = free_ports(1)
    for words, here in {
        "/tmp/": f"{folder}/",
        "listen 127.0.0.1:8081;": f"listen {HOST}:{health};",
        "listen 8080 backlog=4096;": f"listen {HOST}:{gateway};",
        "command-api:8080;": f"{api};",
        "feed:8080;": f"{feed};",
        "/dev/stdout": f"{folder}/access.log",
        "/dev/stderr": f"{folder}/error.log",
    }.items():
        assert words in conf, words
        conf = conf.replace(words, here)
    return conf


@pytest.fixture
async def gateway(nginx: Path, crew: Crew, api: Api, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Start gateways before the standing API and feed, with the configuration that a test makes of the file."""
    begun: list[asyncio.subprocess.Process] = []
    clients: list[httpx.AsyncClient] = []
    standing = (await crew.standing_feed()).url.removeprefix("http://")

    async def start(conf: str, feed: str = standing, at: str | None = None) -> httpx.AsyncClient:
        [port] = free_ports(1)
        folder = tmp_path / str(port)
        folder.mkdir()
        file = folder / "nginx.conf"
        file.write_text(placed(conf, folder, port, at or api.http.base_url.netloc.decode(), feed))
        # As root, its workers would be nobody, who may not enter this folder.
        more = "daemon off; user root root;" if os.geteuid() == 0 else "daemon off;"
        words = ("-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file), "-g", more)
        process = await asyncio.create_subprocess_exec(str(nginx), *words, stderr=asyncio.subprocess.DEVNULL)
        begun.append(process)
        client = httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=40)
        clients.append(client)

        async def answers() -> bool:
            with suppress(httpx.TransportError):
                return (await client.get("/metrics")).status_code == 404
            assert process.returncode is None, (folder / "error.log").read_text()
            return False

        await eventually(answers, "the gateway answers")
        return client

    yield start
    for client in clients:
        await client.aclose()
    for process in begun:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def without(directive: str) -> str:
    """Return the configuration without a directive in the feed's location."""
    block = re.search(r"location = /v1/feed {.*?\n        }", CONF, re.DOTALL)
    assert block is not None
    assert block[0].count(directive) == 1
    return CONF.replace(block[0], block[0].replace(directive, ""))


def deaf(conf: str) -> str:
    """Return a configuration that does not listen to the feed's own `X-Accel-Buffering: no`."""
    return conf.replace("location = /v1/feed {", f"location = /v1/feed {{\n            {DEAF}")


async def test_an_event_passes_at_once_while_its_stream_is_open(gateway: Gateway, tenant: Tenant, api: Api) -> None:
    owner = fresh_owner()
    async with (
        asyncio.timeout(WITHIN_SECONDS),
        aclosing(FeedReader(await gateway(CONF), tenant.token).events(after="now")) as events,
    ):
        assert (await anext(events))[1] is None
        assert (await api.start(owner)).status_code == 201
        async for _, data in events:
            if data is not None and owner in data:
                break


@asynccontextmanager
async def endless_feed() -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """Run a feed with much to tell, and the real one's headers. Give its address, and how many bytes were taken."""
    taken = 0
    writers: list[asyncio.StreamWriter] = []
    said = "".join(f"{name}: {value}\r\n" for name, value in EVENTS_HEADERS.items())

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writers.append(writer)
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\n{said}Connection: close\r\n\r\n".encode())
            while taken < MUCH_BYTES:
                writer.write(b": quiet\n" * 8192)
                await writer.drain()
                taken += 65_536
            await reader.read()

    async with await asyncio.start_server(tell, HOST, 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}", lambda: taken
        for writer in writers:
            writer.transport.abort()


async def taken_for_a_reader_that_takes_nothing(gateway: Gateway, conf: str) -> int:
    """Return how much of an endless feed a gateway has taken when it takes no more."""
    async with endless_feed() as (feed, taken):
        http = await gateway(conf, feed=feed)
        async with http.stream("GET", "/v1/feed") as answer:
            assert answer.status_code == 200
            before = -1
            while before < taken() < MUCH_BYTES:
                before = taken()
                await asyncio.sleep(QUIET_SECONDS)
            return taken()


@pytest.mark.parametrize(
    "conf", [CONF, deaf(CONF), without(OUR_DIRECTIVE)], ids=["as it is", "directive alone", "header alone"]
)
async def test_the_gateway_keeps_nothing_for_a_reader_that_takes_nothing(gateway: Gateway, conf: str) -> None:
    """So the feed notices, and cuts it off. The feed's own header does the same behind another's proxy.

    What is taken is in the buffers of the kernel.
    """
    assert await taken_for_a_reader_that_takes_nothing(gateway, conf) < MUCH_BYTES


async def test_a_gateway_that_buffers_is_noticed(gateway: Gateway) -> None:
    """The control: without both, nginx takes all there is, and keeps it in a file."""
    assert await taken_for_a_reader_that_takes_nothing(gateway, deaf(without(OUR_DIRECTIVE))) == MUCH_BYTES


async def test_one_host_answers_all_dialects_and_the_feed(gateway: Gateway, tenant: Tenant) -> None:
    http = await gateway(CONF)
    reader = FeedReader(http, tenant.token)
    begin = (await reader.page(after="now")).position
    through = Api(http, tenant.token)
    timer = (await through.start(fresh_owner())).json()["id"]
    assert (await through.press("stop", timer)).json()["state"] == "STOPPED"
    told = (await reader.page(after=begin, wait=10)).outcomes
    assert any(b"timer.started.v1" in body for body in told)
    for path, said in {
        "/docs": b"/openapi.json",
        "/docs/events": b"/asyncapi.json",
        "/asyncapi.json": b"timer.commands.v1",
    }.items():
        assert said in (await http.get(path)).content
    assert (await http.get("/metrics")).json()["status"] == 404


async def test_a_feed_that_is_away_is_told_in_dialect_cs_words(gateway: Gateway, tenant: Tenant) -> None:
    [nobody] = free_ports(1)
    http = await gateway(CONF, feed=f"{HOST}:{nobody}")
    answer = await FeedReader(http, tenant.token).ask(after="now")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("format=xml&timer=start", "*/*", "xml"),
        ("timer=start", "text/xml", "xml"),
        ("timer=start", "Application/XML", "xml"),
        ("timer=start", "text/xml, application/json", "json"),
        ("format=json&timer=start", "text/xml", "json"),
        ("timer=start", "*/*", "json"),
    ],
)
async def test_the_gateway_answers_dialect_b_in_the_form_that_was_asked_for(
    gateway: Gateway, query: str, accept: str, form: str
) -> None:
    [nobody] = free_ports(1)
    http = await gateway(CONF, at=f"{HOST}:{nobody}")
    path, headers = f"/people/api/timetracker/timer?{query}", {"Accept": accept}
    away = await http.get(path, headers=headers)
    large = await http.post(path, headers=headers, content=b"x" * 300_000)
    assert (away.status_code, away.headers["retry-after"], large.status_code) == (503, "1", 413)
    for answer in (away, large):
        assert answer.headers["content-type"] == f"application/{form}"
        assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n' if form == "xml" else '{"response":')
    assert "Error in adding timelog" in away.text


class NameServer(asyncio.DatagramProtocol):
    """A name server for which each name is this machine. The first question is lost."""

    asked = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Begin to listen."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer a question (RFC 1035, 4.1): its number, one question and one answer, whose name is the question's."""
        self.asked += 1
        if self.asked > 1:
            record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 1, 4) + ip_address(HOST).packed
            self._transport.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:] + record, addr)


PATIENCE = "resolver_timeout 8s;"


@pytest.mark.parametrize(
    ("patience", "status"), [(PATIENCE, 201), pytest.param("resolver_timeout 2s;", 503, id="control")]
)
async def test_a_press_waits_while_a_lost_question_for_its_apis_address_is_asked_again(
    gateway: Gateway, tenant: Tenant, api: Api, patience: str, status: int
) -> None:
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(NameServer, local_addr=(HOST, 0))
    with closing(transport):
        resolver = f"resolver {HOST}:{transport.get_extra_info('sockname')[1]}"
        assert PATIENCE in CONF
        conf = CONF.replace(PATIENCE, patience).replace("resolver 127.0.0.11", resolver)
        http = await gateway(conf, at=f"api.test:{api.http.base_url.port}")
        answer = await http.post(
            "/v1/timers", json={"owner": fresh_owner()}, headers={"Authorization": f"Bearer {tenant.token}"}
        )
    assert (answer.status_code, names.asked) == (status, 1 + (status == 201))
