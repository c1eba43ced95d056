"""The control of the contract tests: an answer that the document does not tell is noticed."""

import httpx2 as httpx
import pytest

from services.command_api.openapi.document import document
from services.command_api.openapi.operations.common import LONG_ID
from services.command_api.openapi.operations.timers import TIMER
from tests.support.proof.told import TruthOfAnswers

TRUTH = TruthOfAnswers()
LOCATION = {"Location": f"/v1/timers/{LONG_ID}"}


def problem(
    status: int, body: object, method: str = "POST", path: str = "/v1/timers", headers: dict[str, str] | None = None
) -> str | None:
    request = httpx.Request(method, f"http://api.test{path}")
    return TRUTH.problem(request, httpx.Response(status, json=body, headers=headers))


def test_an_answer_as_it_is_told_passes() -> None:
    assert problem(201, TIMER, headers=LOCATION) is None
    assert problem(202, {"status": "not_judged_yet"}, "GET", "/v1/outcomes/7?at=1:2", {"Retry-After": "1"}) is None


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (201, TIMER | {"heard_by": "bell"}, LOCATION, "heard_by"),
        (201, {name: said for name, said in TIMER.items() if name != "position"}, LOCATION, "position"),
        (201, TIMER | {"position": 52}, LOCATION, "position"),
        (201, TIMER, {}, "has no Location"),
        (200, TIMER, LOCATION, "200 is not told"),
        (400, {"type": "about:blank"}, {}, "is application/json, which is not told"),
    ],
    ids=["a new member", "a member less", "another kind", "no header", "another status", "another media type"],
)
def test_an_answer_that_is_not_told_is_named(status: int, body: object, headers: dict[str, str], said: str) -> None:
    assert said in (problem(status, body, headers=headers) or "")


def test_each_line_of_a_feed_is_looked_at() -> None:
    request = httpx.Request("GET", "http://api.test/v1/feed")
    headers = {"Content-Type": "application/x-ndjson"}

    def of(*lines: str) -> str | None:
        return TRUTH.problem(request, httpx.Response(200, content="\n".join(lines).encode(), headers=headers))

    assert of('{"position":"a"}') is None
    assert of('{"position":"a"}', '{"position":"b"}') is None
    assert "mood" in (of('{"position":"a"}', '{"position":"b","mood":"good"}') or "")


def test_a_body_where_none_is_told_is_named() -> None:
    assert problem(304, {}, "GET", "/v1/policy", {"ETag": '"7"'}) == "getPolicy: 304 has a body"


def test_a_literal_path_goes_before_one_with_parameters_and_a_method_finds_its_call() -> None:
    assert (problem(418, {}, "GET", "/v1/policy/history") or "").startswith("getPolicyHistory")
    assert (problem(418, {}, "GET", "/v1/policy/7") or "").startswith("getPolicyRevision")
    # A timer that is called "start": no POST has that shape.
    assert (problem(418, {}, "PUT", "/v2/timer/start") or "").startswith("thebaseStop")


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/v1/timers"), ("GET", "/nowhere"), ("PUT", "/v1/policy%2F7")])
def test_of_other_calls_nothing_is_said(method: str, path: str) -> None:
    assert problem(405, {}, method, path) is None


def test_what_is_promised_stays_open() -> None:
    """A release may add a member, so only the tests close the shapes."""
    assert "additionalProperties" not in document()["components"]["schemas"]["JudgedTimer"]
