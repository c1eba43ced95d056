"""What several of these files need: clients that wait long for a verdict, or not long."""

from collections.abc import Callable

import httpx2 as httpx
import pytest

from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant
from tests.support.stack.patient import Patient


@pytest.fixture
def api(api: Api) -> Patient:
    """Give the same client, which waits longer for a verdict: a test reads it in the answer."""
    return Patient(api.http, api.token)


@pytest.fixture
async def brief(crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant) -> Patient:
    """Give a client that waits a second for a verdict, of one API, with one projector, both ready."""
    await crew.be(apis=1, projectors=1)
    return Patient(client(), tenant.token, wait_seconds=1)
