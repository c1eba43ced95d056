"""The gateway's own answers are what the dialects say: clients cannot tell which of the two spoke."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from annotated_types import Le
from starlette.requests import Request
from starlette.responses import Response

from services.command_api import dialects
from services.command_api.dialects.native import answers as native
from services.command_api.dialects.thebase import answers as thebase
from services.command_api.dialects.zoho.answers import RUNNING_URI, TIMER_URI, Verb, Words
from services.command_api.openapi import pages
from services.feed.calls import answers
from services.feed.calls.asking import WAIT_SECONDS_MAX
from services.feed.calls.feed import PATH as FEED_PATH
from services.feed.settings import Settings as FeedSettings
from shared.process.metrics import METRICS_PATH

CONF: Final = (Path(__file__).parents[2] / "deploy/gateway/nginx.conf").read_text(encoding="utf-8")
PEOPLE: Final[dict[str, tuple[Verb, str, str]]] = {
    "start": ("start", TIMER_URI, "start "),
    "resume": ("resume", TIMER_URI, "start 7"),
    "pause": ("pause", TIMER_URI, "stop 7"),
    "fetch": ("fetch", RUNNING_URI, " "),
}


def said_at(location: str) -> tuple[int, str]:
    """Return status and body of one of the gateway's named answers, as nginx has them before its variables."""
    block = re.search(rf"location @{location} {{(.*?)\n        }}", CONF, re.DOTALL)
    assert block is not None
    answer = re.search(r"return (\d+) '(.*)';", block[1])
    assert answer is not None
    return int(answer[1]), answer[2].replace("\\n", "\n")


def failure_of(uri: str, said: str) -> str:
    """Return what the map of dialect B's messages makes of a call, as nginx would."""
    block = re.search(r"\$people_failure {(.*?)}", CONF, re.DOTALL)
    assert block is not None
    for pattern, message in re.findall(r'"~(.*?)" "(.*?)";', block[1]):
        if re.search(pattern, f"{uri} {said}"):
            return str(message)
    default = re.search(r'default "(.*?)";', block[1])
    assert default is not None
    return default[1]


def at(path: str, query: bytes = b"") -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []})


@pytest.mark.parametrize("path", [*(route.path for route in pages.routes()), "/v1/timers"])
def test_the_documents_and_their_pages_pass_the_gateway_as_calls_of_dialect_c_do(path: str) -> None:
    """No other location matches the path, and the one for everything else passes it on."""
    locations = re.findall(r"location (?:\^~ )?(~ )?(\S+) {(.*?)\n        }", CONF, re.DOTALL)
    prefixes = [said for is_pattern, said, _ in locations if not is_pattern and path.startswith(said)]
    patterns = [said for is_pattern, said, _ in locations if is_pattern and re.search(said, path)]
    assert (prefixes, patterns) == (["/"], [])
    (passes,) = [block for _, said, block in locations if said == "/"]
    assert "proxy_pass http://$command_api;" in passes


@pytest.mark.parametrize(
    ("location", "answer"),
    [
        ("away_native", native.WORDS.unavailable),
        ("away_thebase", thebase.unavailable),
        ("large_native", lambda: dialects.error_response(at("/v1/timers"), 413)),
        ("large_thebase", lambda: dialects.error_response(at("/v2/timer/start"), 413)),
    ],
)
def test_the_gateway_words_a_failure_as_its_dialect_does(location: str, answer: Callable[[], Response]) -> None:
    expected = answer()
    assert said_at(location) == (expected.status_code, bytes(expected.body).decode())


@pytest.mark.parametrize("xml", [False, True])
@pytest.mark.parametrize(("verb", "uri", "said"), PEOPLE.values(), ids=PEOPLE)
def test_dialect_b_hears_of_an_api_that_is_away_by_call_and_verb(verb: Verb, uri: str, said: str, *, xml: bool) -> None:
    status, body = said_at("away_zoho_xml" if xml else "away_zoho")
    body = body.replace("$people_uri", uri).replace("$people_failure", failure_of(uri, said))
    expected = Words(uri, verb, xml).unavailable()
    assert (status, body) == (expected.status_code, bytes(expected.body).decode())


@pytest.mark.parametrize("xml", [False, True])
@pytest.mark.parametrize("uri", [TIMER_URI, RUNNING_URI])
def test_dialect_b_hears_of_a_body_that_is_too_large_by_call(uri: str, *, xml: bool) -> None:
    status, body = said_at("large_zoho_xml" if xml else "large_zoho")
    expected = dialects.error_response(at(f"/people{uri}", b"format=xml" if xml else b""), 413)
    assert (status, body.replace("$people_uri", uri)) == (expected.status_code, bytes(expected.body).decode())


def test_the_gateway_refuses_metrics_as_a_path_that_does_not_exist() -> None:
    """Numbers of the whole service are for its operators. A stranger learns not even that there are any."""
    block = re.search(rf"location \^~ {METRICS_PATH} {{(.*?)\n        }}", CONF, re.DOTALL)
    assert block is not None
    expected = dialects.error_response(at(METRICS_PATH), 404)
    assert "proxy_pass" not in block[1]
    assert f"default_type {expected.headers['content-type']};" in block[1]
    assert re.findall(r"return (\d+) '(.*)';", block[1]) == [(str(expected.status_code), bytes(expected.body).decode())]


def test_the_feed_is_on_the_same_host_and_its_lines_are_not_held_back() -> None:
    block = re.search(r"location = /v1/feed {(.*?)\n        }", CONF, re.DOTALL)
    assert block is not None
    said = re.findall(r"^ +([a-z_]+) ([^;]+);", block[1], re.MULTILINE)
    assert ("proxy_buffering", "off") in said
    assert ("proxy_pass", "http://$feed") in said
    assert FEED_PATH == "/v1/feed"
    # The contract says after how many seconds a reader that takes nothing is cut off: the feed's number, not nginx's.
    send_timeout = dict(said)["send_timeout"]
    assert FeedSettings.model_fields["send_within_seconds"].default < int(send_timeout.removesuffix("s"))
    away = answers.unavailable()
    assert said_at("away_native") == (away.status_code, bytes(away.body).decode())


def test_a_quiet_stream_speaks_before_the_gateway_gives_it_up() -> None:
    waits = re.search(r"proxy_read_timeout (\d+)s;", CONF)
    assert waits is not None
    [bound] = [each.le for each in FeedSettings.model_fields["keep_alive_seconds"].metadata if isinstance(each, Le)]
    assert float(str(bound)) < int(waits[1])
    assert int(waits[1]) > WAIT_SECONDS_MAX


def test_a_worker_may_open_a_file_for_each_of_its_connections() -> None:
    """Both those of callers and those to the services count. A few more are its logs and what it listens on."""
    said = {name: int(number) for name, number in re.findall(r"^ *(worker_\w+) (\d+);", CONF, re.MULTILINE)}
    assert said["worker_rlimit_nofile"] >= said["worker_connections"] + 100
