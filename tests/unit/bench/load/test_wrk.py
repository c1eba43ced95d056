"""The load checks each answer: an answer that is not what the API promises is an error, and none passes for a cycle."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from bench.load import wrk
from bench.load.wrk import Load, Target, Told, press
from deploy.local.trouble import Trouble

_OUTPUT = """Running 4s test @ http://127.0.0.1:8080
  1 threads and 64 connections
Requests/sec:   2000.00
{"requests":8000,"cycles":3990,"seconds":4.0,"errors":0,"p50_ms":20.1,"p99_ms":50.2,"max_ms":60.3,"first_error":""}
"""

# Changes an answer, given the number of its timer.
Spoil = Callable[[int, dict[str, Any]], dict[str, Any]]
_FIRST_ID: Final = 257_320_203_524_258_629_733_470_937_803_215_000_000
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed: apt-get install wrk")


def test_the_line_of_the_script_is_found_among_the_words_of_wrk() -> None:
    told = Told.read(_OUTPUT)
    assert told == Told(8000, 3990, 4.0, 0, 20.1, 50.2, 60.3, "")
    assert told.cycles_per_second == 997.5


def test_a_run_without_that_line_is_told_in_wrks_own_words() -> None:
    with pytest.raises(Trouble, match="unable to connect"):
        Told.read("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_without_wrk_the_command_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Trouble, match="apt-get install wrk"):
        wrk.require()


@contextmanager
def served(spoil: Spoil) -> Iterator[Target]:
    """Serve timers from memory. Each answer is spoilt on its way out."""
    owners: list[str] = []
    running: set[str] = set()
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Authorization"] == "Bearer secret"
            if match := re.fullmatch(r"/v1/timers/(\d{39})/stop", self.path):
                number, status = int(match[1]) - _FIRST_ID, 200
                running.remove(owners[number])
                said = {"id": match[1], "owner": owners[number], "state": "STOPPED", "total_minutes": "0.1"}
            else:
                status, owner = 201, json.loads(body)["owner"]
                with one_at_a_time:
                    assert owner not in running
                    number = len(owners)
                    owners.append(owner)
                    running.add(owner)
                said = {"id": str(_FIRST_ID + number), "owner": owner, "state": "RUNNING", "total_minutes": "0.0"}
            self._answer({"status": status} | spoil(number, said))

        def _answer(self, said: dict[str, Any]) -> None:
            self.send_response(said.pop("status"))
            whole = json.dumps(said).encode()
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Target(f"http://127.0.0.1:{server.server_port}", "secret")
        finally:
            server.shutdown()
            thread.join()


@needs_wrk
def test_each_start_is_followed_by_the_stop_of_its_timer() -> None:
    with served(lambda _, said: said) as target:
        told = press(target, Load(clients=3, seconds=1), "o")
    assert (told.errors, told.first_error) == (0, "")
    assert 0 < told.cycles <= told.requests / 2
    assert 0 < told.p50_ms <= told.p99_ms <= told.max_ms


WRONG: Final[list[tuple[str, dict[str, Any]]]] = [
    ("RUNNING", {"id": "12345"}),
    ("RUNNING", {"state": "PAUSED"}),
    ("RUNNING", {"status": 202}),
    ("STOPPED", {"state": "RUNNING"}),
    ("STOPPED", {"total_minutes": None}),
    ("STOPPED", {"owner": "somebody"}),
    ("STOPPED", {"status": 202}),
]


@needs_wrk
def test_a_wrong_answer_is_an_error_and_no_cycle() -> None:
    """Each timer is answered wrongly in one way, in turn: if one way passed, there would be a cycle."""

    def spoil(number: int, said: dict[str, Any]) -> dict[str, Any]:
        state, change = WRONG[number % len(WRONG)]
        return said | change if said["state"] == state else said

    with served(spoil) as target:
        told = press(target, Load(clients=2, seconds=1), "o")
    assert told.errors > len(WRONG)
    assert told.first_error
    assert told.cycles == 0
