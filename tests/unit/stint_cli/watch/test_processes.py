"""What `doctor` says of an API and a feed that it asks over HTTP."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
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
    assert found.told == {
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


@pytest.mark.parametrize(("of", "setting"), [(of_the_api, "STINT_CLI_HTTP_URL"), (of_the_feed, "STINT_CLI_FEED_URL")])
def test_a_process_that_is_away_is_wrong_and_its_setting_is_named(of: Callable[[str], Diagnosis], setting: str) -> None:
    assert setting in (of("http://127.0.0.1:1").advice or "")
