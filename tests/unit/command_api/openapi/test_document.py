"""The document has every call of the dialects, in OpenAPI's words, with examples that are what they illustrate."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, cast

import jsonschema_rs
import pytest
from openapi_spec_validator import validate
from starlette.routing import BaseRoute, Route

from deploy.local.settings import ROOT
from services.command_api import dialects
from services.command_api.desk.attended import Attended
from services.command_api.desk.desk import Desk
from services.command_api.desk.rows import DayRow, DaysRow
from services.command_api.dialects.native.reports.asking import DaysAsked, Whose
from services.command_api.dialects.native.reports.tables import csv
from services.command_api.dialects.thebase.answers import STARTED, STOPPED, Verb, status_of
from services.command_api.openapi.document import OPERATIONS, VERSION, document
from services.command_api.openapi.operations import feed
from services.command_api.openapi.operations.published.thebase import TheBaseStarted, TheBaseStopped
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc
from services.command_api.openapi.schemas import Schemas
from services.feed.calls.feed import PATH as FEED_PATH
from shared.events.rule_table import RULE_ROWS
from tests.support.fakes.desks import Clerk

Call = tuple[str, str]
PRESSES_OF_C = ("startTimer", "pauseTimer", "resumeTimer", "stopTimer")


def calls_of(routes: Iterable[BaseRoute]) -> set[Call]:
    """Return the calls that the service answers. Starlette adds HEAD to each GET, and no dialect promises it."""
    found = [route for route in routes if isinstance(route, Route)]
    return {(method, route.path) for route in found for method in (route.methods or ()) if method != "HEAD"}


def calls_told(operations: Iterable[OperationDoc]) -> set[Call]:
    return {(told.method, told.path) for told in operations}


def routes() -> list[BaseRoute]:
    """Return the routes of this service. The feed has a process and a test of its own: test_feed.py beside this."""
    return dialects.routes(cast("Desk", None))


def test_every_route_is_in_the_document_and_nothing_else_is() -> None:
    """A new call: add an OperationDoc to the room services/command_api/openapi/operations."""
    assert calls_told(OPERATIONS) == calls_of(routes()) | calls_told(feed.OPERATIONS)


def test_a_route_that_is_left_out_is_noticed() -> None:
    """The control of the test above, in both directions."""
    assert calls_told(OPERATIONS[1:]) != calls_of(routes()) | calls_told(feed.OPERATIONS)
    next_route = Route("/v1/next", lambda _: None, methods=["GET"])
    assert calls_told(OPERATIONS) != calls_of([*routes(), next_route]) | calls_told(feed.OPERATIONS)


def test_the_document_is_openapi_3_1() -> None:
    said = document()
    assert said["openapi"] == "3.1.0"
    validate(said)


def test_its_version_is_the_products() -> None:
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_no_two_operations_have_one_id() -> None:
    ids = [told.id for told in OPERATIONS]
    assert sorted(ids) == sorted(set(ids))


def test_each_operation_tells_its_path_parameters() -> None:
    for told in OPERATIONS:
        named = {part[1:-1] for part in told.path.split("/") if part.startswith("{")}
        assert {parameter.name for parameter in told.parameters if parameter.place == "path"} == named, told.id


def contents() -> Iterator[tuple[str, ContentDoc, Any]]:
    """Return each body with an example, and the schema that it has in the document."""
    components = document()["components"]
    for told in OPERATIONS:
        for where, content in [
            *((f"{told.id} body", body) for body in told.bodies),
            *((f"{told.id} {one.status}", content) for one in told.answers for content in one.contents),
        ]:
            if content.example is not None and isinstance(content.model, type):
                schema = {"$ref": f"#/components/schemas/{content.name}", "components": components}
                yield where, content, schema


def test_each_example_has_the_shape_that_it_illustrates() -> None:
    told = list(contents())
    assert len(told) > 100
    for where, content, schema in told:
        wrong = [str(error) for error in jsonschema_rs.iter_errors(schema, content.example)]
        assert (where, wrong) == (where, [])


def test_every_success_of_a_json_call_has_an_example() -> None:
    """But the outcome, which is a record and told in docs/events.md."""
    bare = {
        (told.id, answer.status)
        for told in OPERATIONS
        for answer in told.answers
        if answer.status < 300 and not any(content.example for content in answer.contents)
    }
    assert bare == {("getOutcome", 200)}


async def test_a_path_names_all_its_methods_to_a_caller_of_another() -> None:
    """Two routes of one path would each name their own methods alone. Starlette adds HEAD to each GET."""
    told = {path: {method.upper() for method in item} for path, item in document()["paths"].items()}
    del told[FEED_PATH]
    async with Clerk().client() as client:
        answers = {path: await client.request("TRACE", path) for path in told}
    assert {answer.status_code for answer in answers.values()} == {405}
    named = {path: set(answer.headers["allow"].split(", ")) - {"HEAD"} for path, answer in answers.items()}
    assert named == told


@pytest.mark.parametrize(
    ("called", "whose"), [("getOwnerDays", "owner"), ("getAccountDays", "account"), ("getJobDays", "job")]
)
def test_days_in_csv_are_told_as_they_are_written(called: str, whose: Whose) -> None:
    """No schema has the columns, so the example does."""
    about, answer = _told(called).parameters[0].example, _told(called).answers[0]
    in_json, in_csv = (content.example for content in answer.contents[:2])
    (day,) = in_json["items"]
    first, last = (day[name] and datetime.fromisoformat(day[name]) for name in ("first_at", "last_at"))
    attended = None if first is None else Attended(first, last, 197_998)
    row = DayRow(date.fromisoformat(day["day"]), 4_196_959, 4_196_959, changed_after_lock=False, attended=attended)
    asked = DaysAsked(whose, about, row.day, row.day, bom=False)
    written = csv.days(DaysRow(None, None, (row,)), in_json["zone"], asked)
    assert bytes(written.body).decode() == in_csv


@pytest.mark.parametrize("called", PRESSES_OF_C)
def test_a_press_tells_each_status_with_which_a_rule_may_refuse_it(called: str) -> None:
    """R19 is dialect B's alone, and a start names no timer that could be unknown."""
    refusing = {row.native for row in RULE_ROWS if row.native != 429}
    told = {answer.status for answer in _told(called).answers}
    assert refusing - told == ({404} if called == "startTimer" else set())


@pytest.mark.parametrize(("called", "verb"), [("thebaseStart", "start"), ("thebaseStop", "stop")])
def test_dialect_a_tells_each_status_with_which_a_rule_may_refuse(called: str, verb: Verb) -> None:
    refusing = {status_of(row.rule, verb) for row in RULE_ROWS}
    told = {answer.status for answer in _told(called).answers}
    assert refusing - told == ({404} if verb == "start" else set())


def test_dialect_b_tells_each_status_with_which_a_rule_may_refuse() -> None:
    told = {answer.status for answer in _told("zohoPress").answers}
    assert {row.zoho.status for row in RULE_ROWS} <= told


def test_the_published_texts_of_dialect_a_are_told_by_code_point() -> None:
    said = [model.model_json_schema()["properties"]["message"]["const"] for model in (TheBaseStarted, TheBaseStopped)]
    assert said == [STARTED, STOPPED]


def test_two_shapes_of_one_name_are_refused() -> None:
    """A generated client would have one type for both, and be wrong about one of them."""
    schemas = Schemas()
    schemas.of(ContentDoc("Answer", TheBaseStarted), "serialization")
    with pytest.raises(ValueError, match="give one of them another name"):
        schemas.of(ContentDoc("Answer", TheBaseStopped), "serialization")


def test_two_answers_of_one_name_are_refused() -> None:
    first, *_ = OPERATIONS
    twice = tuple(AnswerDoc(status, says, name="Same") for status, says in ((200, "one"), (201, "another")))
    told = OperationDoc(
        method="GET", path=first.path, id="x", tag="timers", summary="x", answers=twice, security=first.security
    )
    with pytest.raises(ValueError, match="two answers are called Same"):
        document((told,))


def _told(called: str) -> OperationDoc:
    (found,) = [told for told in OPERATIONS if told.id == called]
    return found
