"""The document is true: what it allows is answered as it says, and what it does not allow is refused.

schemathesis makes the requests from the document alone: its examples, the bounds of each schema, and chance, within
the schemas and beyond them. Answers are compared with closed shapes, so a member that nobody told fails too. What is
answered to real callers is compared in all other tests of this room: `client` in conftest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance, unsupported_method

from services.command_api.dialects.native.reports.accept import CSV, XLSX
from services.command_api.openapi.document import document
from services.command_api.openapi.operations.feed import WAIT_SECONDS_MAX
from tests.support.proof.told import closed
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant, fresh_owner

SCHEMA: Final = schemathesis.openapi.from_dict(closed(document()))
EXAMPLES: Final = 8
WITHIN_SECONDS: Final = 10.0
FEED: Final = "/v1/feed"
POSITION: Final = re.compile("[0-9]{1,9}:[0-9]{1,18}")
# A path of dialect A that is spelt like a timer's: with another method, it is the call of a timer of that name.
SPELT_LIKE_A_TIMER: Final = {"/v2/timer/start", "/v2/timer/open"}


@dataclass
class Tried:
    """A tenant of its own, whose admin sets policies and states facts as chance has it."""

    tenant: Tenant
    person: Person
    timers: list[dict[str, Any]] = field(default_factory=list)

    def headers(self, path: str) -> dict[str, str]:
        if path == "/oauth/token":
            return {}
        said = f"Zoho-oauthtoken {self.person.token}" if path.startswith("/people") else f"Bearer {self.tenant.token}"
        return {"Authorization": said}


@pytest.fixture(scope="session")
async def tried(deployment: Deployment) -> Tried:
    """Make that tenant, and a person of it."""
    tenant = await deployment.tenant(role="admin")
    return Tried(tenant, await deployment.person(tenant))


@pytest.fixture
async def url(api: Api, tried: Tried) -> str:
    """Give the address of an API that knows that tenant and some timers of it."""
    if not tried.timers:
        await api.knows(tried.tenant)
        office = Api(api.http, tried.tenant.token)
        tried.timers += [(await office.start(fresh_owner())).json() for _ in range(4)]
    return str(api.http.base_url)


@pytest.fixture
async def feed_url(crew: Crew) -> str:
    """Give the address of the feed, which a gateway would put on the same host."""
    return (await crew.standing_feed()).url


@pytest.fixture(scope="session")
def turns() -> Iterator[bool]:
    """Say in turn whether a call is about a timer that exists."""
    return cycle([True, False])


@SCHEMA.parametrize()
@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_each_call_answers_as_the_document_says(
    case: schemathesis.Case[Any], url: str, feed_url: str, tried: Tried, turns: Iterator[bool]
) -> None:
    _made_real(case, tried, exists=next(turns))
    # No schema says which zones, days and revisions there are. That what is good is accepted, all other tests say.
    excluded: list[Any] = [positive_data_acceptance]
    if case.path in SPELT_LIKE_A_TIMER:
        excluded.append(unsupported_method)
    if "" in case.query.values() or case.body in (None, []):
        # An empty parameter counts as not given, and so do null and an empty list in place of a body.
        excluded.append(negative_data_rejection)
    if case.path == FEED:
        url = feed_url
    answer = case.call(base_url=url, timeout=WITHIN_SECONDS, headers=tried.headers(case.path))
    assert answer.status_code != 500
    case.validate_response(answer, excluded_checks=excluded)


def test_a_document_that_lies_is_noticed(url: str, tried: Tried) -> None:
    """The control: of an answer with another member than it tells, the test above would fail."""
    lying = closed(document())
    told = lying["components"]["schemas"]["TheBaseOpen"]
    told["properties"]["number"] = told["properties"].pop("count")
    told["required"].remove("count")
    case = schemathesis.openapi.from_dict(lying)["/v2/timer/open"]["GET"].Case()
    answer = case.call(base_url=url, headers=tried.headers(case.path))
    with pytest.raises(FailureGroup, match="'count'"):
        case.validate_response(answer)


def _made_real(case: schemathesis.Case[Any], tried: Tried, *, exists: bool) -> None:
    """Put a timer that exists where an id may stand, and a position that was reached; ask for days in each form."""
    timer = tried.timers[0]
    if POSITION.fullmatch(str(case.headers.get("X-Min-Position", ""))):
        case.headers["X-Min-Position"] = timer["position"]
    if "Prefer" in case.headers:
        case.headers["Prefer"] = "wait=1"
    if case.path == FEED and str(case.query.get("wait")) in map(str, range(WAIT_SECONDS_MAX + 1)):
        case.query["wait"] = 0
    path = None if case.meta is None else case.meta.components.get(ParameterLocation.PATH)
    if exists and "timer_id" in case.path_parameters and path is not None and path.mode.is_positive:
        case.path_parameters["timer_id"] = timer["id"]
    if exists and case.path.endswith("/days"):
        case.headers["Accept"] = XLSX if case.path.startswith("/v1/owners") else CSV
