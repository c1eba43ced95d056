"""The callers of these tests: a machine, an admin and two persons of one tenant, and a machine of another.

Each answer that they hear is compared with the OpenAPI document.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.stint_cli.tenants import issue_bearer_token
from tests.support.proof.told import TruthOfAnswers
from tests.support.stack.api import Api
from tests.support.stack.deployments import TOKEN_KEY, Deployment, Person, Tenant

_TRUTH: Final = TruthOfAnswers()


@pytest.fixture
def client(client: Callable[..., httpx.AsyncClient]) -> Callable[..., httpx.AsyncClient]:
    """Make HTTP clients that fail at an answer which the OpenAPI document does not tell."""

    async def heard(response: httpx.Response) -> None:
        await response.aread()
        assert _TRUTH.problem(response.request, response) is None

    def make(url: str | None = None, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx' own
        return client(url, event_hooks={"response": [heard]}, **options)

    return make


@pytest.fixture
def http(api: Api) -> httpx.AsyncClient:
    """Give an HTTP client without any token."""
    return api.http


@pytest.fixture(scope="session")
async def second_tenant(deployment: Deployment) -> Tenant:
    """Make another tenant, in another zone."""
    return await deployment.tenant(zone="America/New_York")


@pytest.fixture
async def other_tenant(second_tenant: Tenant, api: Api) -> Tenant:
    """Give another tenant, after the API has read its policy."""
    await api.knows(second_tenant)
    return second_tenant


@pytest.fixture
def admin(tenant: Tenant) -> str:
    """Give a token of an admin of the tenant."""
    now = datetime.now(UTC)
    return issue_bearer_token(TOKEN_KEY, tenant.name, "office", now, timedelta(hours=1), "admin")


@pytest.fixture
async def person(deployment: Deployment, tenant: Tenant) -> Person:
    """Give a person of the tenant."""
    return await deployment.person(tenant)


@pytest.fixture
async def other_person(deployment: Deployment, tenant: Tenant) -> Person:
    """Give another person of the same tenant."""
    return await deployment.person(tenant)
