"""What `doctor` says of an API and a feed that it asks over HTTP."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import create_server
from threading import Thread
from typing import Final

import pytest

from services.feed.metrics import LAG
from services.stint_cli.watch.diagnosis import Diagnosis
from services.stint_cli.watch.processes import of_the_api, of_the_feed

READY: Final = b'{"ready":true,"checks":{"stays":true,"tail":true}}'
UNREADY: Final = b'{"ready":false,"checks":{"stays":true,"tail":false}}'


class Process:
    """Answers each path with a status and a body; any other with 404."""

    def __init__(self) -> None:
        self.says: dict[str, tuple[int, bytes]] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805 - the library's name; `self` is the process
                status, body = self.says.get(handler.path, (404, b""))
                handler.send_response(status)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    yield process
    process.end()


def lags(*offsets: int) -> bytes:
    return "".join(f'{LAG.name}{{partition="{at}"}} {float(lag)}\n' for at, lag in enumerate(offsets)).encode()


def test_a_feed_that_is_ready_says_how_far_it_is_behind(process: Process) -> None:
    process.says = {"/readyz": (200, READY), "/metrics": (200, b"# HELP x y\nstint_ready 1.0\n" + lags(0, 3, 4))}
    found = of_the_feed(process.url)
    assert found.as_json == {
        "check": "feed",
        "ok": True,
        "found": f"the feed at {process.url} is ready, and is 7 outcomes behind",
        "advice": None,
        "behind": 7,
    }


def test_a_feed_that_has_not_looked_yet_says_so(process: Process) -> None:
    process.says = {"/readyz": (200, READY), "/metrics": (200, b"stint_ready 1.0\n")}
    found = of_the_feed(process.url)
    assert (found.advice, found.more) == (None, {"behind": None})


def test_a_feed_that_reads_nothing_is_wrong_and_its_alarm_is_named(process: Process) -> None:
    process.says = {"/readyz": (503, UNREADY)}
    found = of_the_feed(process.url)
    assert found.found == f"the feed at {process.url} is not ready: tail"
    assert "feed_tail_lost" in (found.advice or "")


def test_the_gateways_address_is_not_a_feeds(process: Process) -> None:
    """It passes `/readyz` on to an API, and hides all metrics."""
    process.says = {"/readyz": (200, READY)}
    assert "STINT_CLI_FEED_URL" in (of_the_feed(process.url).advice or "")


OF_EACH: Final = [(of_the_api, "STINT_CLI_HTTP_URL"), (of_the_feed, "STINT_CLI_FEED_URL")]


@pytest.mark.parametrize(("of", "setting"), OF_EACH)
@pytest.mark.parametrize(
    "body", [b"<html>502 Bad Gateway</html>", b"", b"[1]", b'{"checks":3}', b"7", b"\xff", b"[" * 100_000]
)
def test_another_program_that_answers_is_no_process_of_ours(
    body: bytes, of: Callable[[str], Diagnosis], setting: str, process: Process
) -> None:
    """A gateway answers for an API that is away, in its own words."""
    process.says = {"/readyz": (502, body)}
    found = of(process.url)
    assert found.found.endswith("does not answer, something else does: status 502")
    assert setting in (found.advice or "")


@pytest.mark.parametrize(("of", "setting"), OF_EACH)
def test_a_port_that_speaks_no_http_is_wrong_and_its_setting_is_named(
    of: Callable[[str], Diagnosis], setting: str
) -> None:
    with create_server(("127.0.0.1", 0)) as port:

        def speaks() -> None:
            caller, _ = port.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"\x15\x03\x03\x00\x02\x02\x46no HTTP\n")

        Thread(target=speaks, daemon=True).start()
        found = of(f"http://127.0.0.1:{port.getsockname()[1]}")
    assert "does not answer" in found.found
    assert setting in (found.advice or "")


@pytest.mark.parametrize(("of", "setting"), OF_EACH)
@pytest.mark.parametrize(
    "url",
    ["http://api:port", "localhost:8080", "http://a b", "http://127.0.0.1:99999", "http://b\u00fccher.example", ""],
)
def test_an_address_that_is_none_is_wrong_and_its_setting_is_named(
    url: str, of: Callable[[str], Diagnosis], setting: str
) -> None:
    assert setting in (of(url).advice or "")


@pytest.mark.parametrize(("of", "setting"), OF_EACH)
def test_a_process_that_is_away_is_wrong_and_its_setting_is_named(of: Callable[[str], Diagnosis], setting: str) -> None:
    assert setting in (of("http://127.0.0.1:1").advice or "")
