"""What several of these files need: a client that does not wait long."""

from collections.abc import Callable

import httpx2 as httpx
import pytest

from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant
from tests.support.stack.patient import Patient


@pytest.fixture
async def brief(crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant) -> Patient:
    """Give a client that waits a second for a verdict, of one API, with one projector, both ready."""
    await crew.be(apis=1, projectors=1)
    return Patient(client(), tenant.token, wait_seconds=1)
