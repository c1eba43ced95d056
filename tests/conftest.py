"""What every test has: examples that are the same in each run, and one real stack for the tests that ask for it."""

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import hypothesis
import pytest
import structlog
from _pytest.nodeid import NodeId
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from structlog.contextvars import merge_contextvars
from structlog.processors import ExceptionRenderer, JSONRenderer, add_log_level

from deploy.local.stack import Stack
from shared.process.garbage import collect_seldom
from shared.process.logs import traceback_of
from tests.support import left_tasks
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, deployed, fresh_owner
from tests.support.stack.stacks import CONTAINERS, chosen_stack_in, no_engine

LONG = os.environ.get("STINT_TEST_LONG") == "1"
LINES_SHOWN = 60
TESTS = Path(__file__).parent
ROOMS_OF_REAL_PARTS = ("contract", "examples", "integration", "faults", "containers")

# Derandomized: a run that failed fails again, and a run that passed did not pass by luck. No deadline: on two busy
# cores any example may be slow, and slowness is measured elsewhere.
hypothesis.settings.register_profile("test", derandomize=True, deadline=None, max_examples=100, database=None)
hypothesis.settings.register_profile("long", parent=hypothesis.settings.get_profile("test"), max_examples=2000)
hypothesis.settings.load_profile("long" if LONG else "test")
# It also draws numbers that stand in whichever modules of the product are loaded. Alone, a test would meet other
# examples than among all tests, and any new constant would change them.
providers._get_local_constants = Constants


def pytest_configure(config: pytest.Config) -> None:
    """Let a test that failed end before its fixtures do, and let errors be logged as a service logs them."""
    config.pluginmanager.register(left_tasks)
    # What structlog does by itself draws each error with all variables of its frames, for a second and more.
    renderers = (ExceptionRenderer(traceback_of), JSONRenderer(ensure_ascii=False))
    structlog.configure(processors=[merge_contextvars, add_log_level, *renderers])


def pytest_sessionstart() -> None:
    """Skip all tests, with one line why, when containers are asked for and cannot run."""
    if CONTAINERS and (why := no_engine()):
        pytest.exit(f"SKIPPED, every test in containers: {why}", returncode=0)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark tests that need the real stack. Skip `long` and `containers` ones, which have targets of their own.

    A room of tests on real parts stays on one worker, because its tests share that worker's stack. A file that needs no
    stack or starts its own, and each of `tests/faults`, goes to whichever worker is free, and all else too.
    """
    _mark(items)
    yield
    for item in items:
        # xdist keeps together what has one group in its id. It writes the group where pytest 9.2 reads it no more.
        item._id = NodeId.parse(getattr(item, "_nodeid", item.nodeid))


def pytest_collection_finish() -> None:
    """Look for cycles as seldom as a service does: among eight thousand tests each look is a long one."""
    collect_seldom()


def _mark(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="long: only in `make test-long`")
    skip_containers = pytest.mark.skip(reason="containers: only in `make test-containers`")
    for item in items:
        if {"stack", "own_deployment"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)
        room = item.path.relative_to(TESTS).parts[0]
        if room in ROOMS_OF_REAL_PARTS:
            is_alone = room == "faults" or "stack" not in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group(item.path.name if is_alone else room))
        if item.path.name == "test_seeds.py":
            # What happened in all seeds is counted together.
            item.add_marker(pytest.mark.xdist_group("seeds"))
        if item.get_closest_marker("long") and not LONG:
            item.add_marker(skip)
        if item.get_closest_marker("containers") and not CONTAINERS:
            item.add_marker(skip_containers)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what our processes logged during the test."""
    report = yield
    crews = [found for found in getattr(item, "funcargs", {}).values() if isinstance(found, Crew)]
    if call.excinfo is not None and report.failed:
        for service in {id(service): service for crew in crews for service in crew.everybody()}.values():
            lines = service.said_since_mark().splitlines()
            report.sections.append((f"log of {service.name}", "\n".join(lines[-LINES_SHOWN:])))
    return report


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a real Kafka and a real Postgres for this session."""
    with chosen_stack_in(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
async def deployment(stack: Stack) -> AsyncIterator[Deployment]:
    """Give that stack its tables and topics."""
    async with deployed(stack) as deployment:
        yield deployment


@pytest.fixture(scope="session")
async def tenant(deployment: Deployment) -> Tenant:
    """Give a tenant in Asia/Jerusalem that every API knows from its start."""
    return await deployment.tenant()


@pytest.fixture(scope="session")
async def whole_crew(deployment: Deployment, tenant: Tenant) -> AsyncIterator[Crew]:
    """Hold the processes that serve one test after the other. Tests ask for `crew`."""
    assert tenant.revision >= 0
    crew = Crew(deployment)
    try:
        yield crew
    finally:
        await crew.go_home()


@pytest.fixture
async def crew(whole_crew: Crew) -> AsyncIterator[Crew]:
    """Give the crew as the last test left it. `be` says how many processes should stand; extras end with the test."""
    whole_crew.mark()
    try:
        yield whole_crew
    finally:
        await whole_crew.dismiss_extras()


@pytest.fixture
async def client(crew: Crew) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Make HTTP clients of any process, closed after the test."""
    made: list[httpx.AsyncClient] = []

    def make(url: str | None = None, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx' own
        made.append(httpx.AsyncClient(base_url=url or crew.apis[0].url, **({"timeout": 40} | options)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


@pytest.fixture
async def api(crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant) -> Api:
    """Give a machine client of one API, with one projector, both ready."""
    await crew.be(apis=1, projectors=1)
    return Api(client(), tenant.token)


@pytest.fixture
def owner() -> str:
    """Give an owner that no other test uses."""
    return fresh_owner()


@pytest.fixture
async def own_deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Start a second stack for a test that ruins it."""
    with chosen_stack_in(tmp_path_factory.mktemp("own")) as stack:
        async with deployed(stack) as deployment:
            yield deployment


@pytest.fixture
async def own_crew(own_deployment: Deployment) -> AsyncIterator[Crew]:
    """Give the processes of the second stack."""
    crew = Crew(own_deployment)
    try:
        yield crew
    finally:
        await crew.go_home()
