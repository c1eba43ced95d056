"""Each route of each service ends where its path ends: a line feed behind it (`%0A`) makes another path."""

import re
from collections.abc import AsyncIterator
from typing import Final

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Match, Route

from services.command_api.app import Api
from services.command_api.settings import Settings as ApiSettings
from services.feed.app import FeedProcess
from services.feed.settings import Settings as FeedSettings
from services.projector.app import ProjectorProcess
from services.projector.settings import Settings as ProjectorSettings
from shared.process.alarms import Alarms
from shared.process.http.front import Front
from tests.support.fakes.desks import ADMIN, LONG, SHORT, Clerk

SAID: Final = {"kafka_bootstrap_servers": "kafka.example:9092", "postgres_dsn": "postgresql://postgres.example/stint"}
WITH_KEY: Final = SAID | {"token_key": "k" * 32}


def api_on(clerk: Clerk) -> Starlette:
    api = Api(ApiSettings.model_validate(WITH_KEY), Alarms(frozenset()))
    api.desk = clerk.desk()
    return api.app()


@pytest.fixture
async def apps() -> AsyncIterator[list[Starlette]]:
    """Yield the applications of production."""
    projector = ProjectorProcess(ProjectorSettings.model_validate(SAID))
    feed = FeedProcess(FeedSettings.model_validate(WITH_KEY), Alarms(frozenset()))
    yield [api_on(Clerk()), feed.app(), projector.app()]
    await projector._events.stop()


def asking(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "raw_path": path.encode()}


async def test_a_route_matches_its_path_and_not_the_path_with_a_line_feed_behind_it(apps: list[Starlette]) -> None:
    """Starlette finds it by `matches`. The front looks for presses itself."""
    counted = 0
    for app in apps:
        front = Front(app, routes=app.routes, in_words=lambda *_: Response())
        for route in app.routes:
            if not isinstance(route, Route):
                continue
            counted += 1
            path = re.sub(r"{\w+}", "1", route.path)
            ends_in_text = route.path.endswith("}")
            for method in route.methods or {"GET"}:
                assert route.matches(asking(method, path))[0] is Match.FULL
                match, found = route.matches(asking(method, path + "\n"))
                assert match is (Match.FULL if ends_in_text else Match.NONE), route.path
                if ends_in_text:
                    assert [*found["path_params"].values()][-1] == "1\n"
                taken = front.route_of(asking(method, path + "\n"))
                assert taken is None or taken.path.endswith("}"), route.path
    # The control: the routes of three services were there.
    assert counted > 40


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/timer/start"),
        ("GET", "/v2/timer/open"),
        ("POST", "/oauth/token"),
        ("POST", f"/people/api/timetracker/timer?timer=stop&timeLogId={SHORT}"),
        ("GET", f"/people/api/timetracker/timer?timer=stop&timeLogId={SHORT}"),
        ("POST", "/v1/timers"),
        ("POST", f"/v1/timers/{LONG}/stop"),
        ("GET", "/v1/timers"),
        ("GET", "/v1/owners/dana/days"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/readyz"),
    ],
)
async def test_a_call_behind_a_line_feed_does_nothing(method: str, path: str) -> None:
    clerk = Clerk(caller=ADMIN)
    at, _, query = path.partition("?")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api_on(clerk)), base_url="http://api.test") as client:
        answer = await client.request(method, f"{at}%0A?{query}", content=b'{"owner":"dana"}')
        assert answer.status_code in {404, 405}
        assert (clerk.submitted, clerk.asked) == ([], [])
        control = await client.request(method, path, content=b'{"owner":"dana"}')
    assert control.status_code not in {404, 405}


async def test_a_name_at_the_end_of_a_path_may_end_in_a_line_feed() -> None:
    clerk = Clerk(caller=ADMIN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api_on(clerk)), base_url="http://api.test") as client:
        answer = await client.get("/v1/owners/dana%0A")
    assert (answer.status_code, clerk.asked) == (200, [("owner", "acme", "dana\n")])


@pytest.mark.parametrize("path", ["/%6detrics", "/%6Detrics", "/metric%73"])
async def test_metrics_are_told_at_their_path_as_it_is_spelt_alone(apps: list[Starlette], path: str) -> None:
    """A gateway that compares what was sent lets the others through to the service."""
    for app in apps:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as client:
            answer = await client.get(httpx.URL("http://here.test").copy_with(raw_path=path.encode()))
            control = await client.get("/metrics")
        assert (answer.status_code, control.status_code) == (404, 200)
        assert b"stint_" not in answer.content
        assert b"stint_" in control.content
