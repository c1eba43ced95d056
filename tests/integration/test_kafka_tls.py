"""A broker that demands TLS and a login accepts clients with both, and no others. A refused client hears why."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from aiokafka.errors import GroupAuthorizationFailedError, NoOffsetForPartitionError

from deploy.local.settings import ROOT
from services.stint_cli.settings import LogSettings
from shared.events.topics import EVENTS
from shared.kafka.clients import end_consumer, group_consumer
from tests.integration.guarded import Guarded, guarded_in, let_in
from tests.support.stack.api import Api
from tests.support.stack.certificates import Authority
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, deployed, fresh_owner

STINT = ROOT / ".venv" / "bin" / "stint"
PREFIXES = ("COMMAND_API_", "FEED_", "PROJECTOR_", "STINT_CLI_")


@dataclass(frozen=True, slots=True)
class Said:
    """A command's exit status and output."""

    status: int | None
    text: str


THERE = Said(0, "All topics are there, and as they must be.\n")


def for_everybody(settings: dict[str, str]) -> dict[str, str]:
    return {prefix + name: value for prefix in PREFIXES for name, value in settings.items()}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    guarded = guarded_in(tmp_path_factory.mktemp("guarded"))
    with guarded.stack:
        let_in(guarded)
        yield guarded


@pytest.fixture(scope="module")
async def inside(guarded: Guarded) -> AsyncIterator[Deployment]:
    async with deployed(guarded.stack) as deployment:
        yield deployment


@pytest.fixture
async def crew(inside: Deployment) -> AsyncIterator[Crew]:
    crew = Crew(inside)
    yield crew
    await crew.go_home()


async def topics_command(inside: Deployment, settings: dict[str, str], *argv: str) -> Said:
    """Run `topics`, or another operator's command that needs Kafka, with these settings."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    command = await asyncio.create_subprocess_exec(
        *(str(STINT), *(argv or ("topics",))),
        env=theirs | {"STINT_CLI_POSTGRES_DSN": inside.dsn} | for_everybody(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(command.communicate(), 30)
    return Said(command.returncode, said.decode())


async def test_a_press_goes_all_the_way_over_tls(inside: Deployment, crew: Crew, guarded: Guarded) -> None:
    """Every producer, consumer and admin client uses TLS, and the permissions of the example are enough."""
    assert await topics_command(inside, guarded.settings()) == THERE
    tenant = await inside.tenant()
    api, _, feed = await asyncio.gather(
        crew.api(for_everybody(guarded.settings("stint-command-api"))),
        crew.projector(for_everybody(guarded.settings("stint-projector"))),
        crew.feed(for_everybody(guarded.settings("stint-feed"))),
    )
    async with httpx.AsyncClient(base_url=api.url, timeout=20) as http:
        client = Api(http, tenant.token)
        await client.knows(tenant)
        started = await client.start(fresh_owner(), comment="ridge tiles")
        assert started.status_code == httpx.codes.CREATED, started.text
        stopped = await client.press("stop", started.json()["id"])
        assert (stopped.status_code, stopped.json()["state"]) == (200, "STOPPED")
        told = await http.get(f"{feed.url}/v1/feed", params={"wait": 10}, headers=client.headers())
        assert "timer.started.v1" in told.text
    examined = await topics_command(inside, guarded.settings(), "doctor", "--json")
    wrong = [one["found"] for one in json.loads(examined.text)["checks"] if not one["ok"]]
    assert (wrong, examined.status) == ([], 0)
    shown = await topics_command(inside, guarded.settings(), "dead-letters", "show", stopped.json()["position"])
    assert (shown.status, "ce_type: timer.stopped.v1" in shown.text) == (0, True)


async def test_a_certificate_opens_where_there_is_no_login(inside: Deployment, guarded: Guarded) -> None:
    assert await topics_command(inside, guarded.settings_by_certificate()) == THERE


async def test_a_user_that_may_not_look_at_topics_is_told_so(inside: Deployment, guarded: Guarded) -> None:
    """The control of the press above: the example's users cannot do what they are not allowed."""
    said = await topics_command(inside, guarded.settings("stint-command-api"))
    assert said.status == 1
    assert "uthoriz" in said.text, said


async def joins(guarded: Guarded, user: str, group: str) -> bool:
    """Say whether the broker lets a user be a member of a group, and gives it partitions."""
    said = {name.lower(): value for name, value in guarded.settings(user).items()}
    consumer = group_consumer(LogSettings.model_validate(said).kafka, group, 10_000)
    await consumer.start()
    try:
        consumer.subscribe([EVENTS])
        async with asyncio.timeout(20):
            while not consumer.assignment():
                await consumer.getmany(timeout_ms=100)
    except GroupAuthorizationFailedError:
        return False
    except NoOffsetForPartitionError:
        pass  # it has partitions, and does not know where to begin on them
    finally:
        await end_consumer(consumer)
    return True


@pytest.mark.parametrize("user", ["stint-command-api", "stint-feed", "stint-operator"])
@pytest.mark.usefixtures("inside")
async def test_none_but_a_projector_may_be_a_member_of_the_projectors_group(guarded: Guarded, user: str) -> None:
    """It would get a share of the partitions, whose presses nobody would judge then."""
    assert not await joins(guarded, user, "stint.projector")


@pytest.mark.usefixtures("inside")
async def test_a_projector_may_be_a_member_of_its_group(guarded: Guarded) -> None:
    """The control."""
    assert await joins(guarded, "stint-projector", "stint.projector")


async def test_a_broker_of_another_authority_is_not_believed(
    inside: Deployment, guarded: Guarded, tmp_path: Path
) -> None:
    stranger = {"KAFKA_CA_FILE": str(Authority(tmp_path, "somebody else").ca)}
    said = await topics_command(inside, guarded.settings() | stranger)
    assert said.status == 1
    assert "CERTIFICATE_VERIFY_FAILED" in said.text


async def test_a_wrong_password_is_refused_by_name(
    inside: Deployment, crew: Crew, guarded: Guarded, tmp_path: Path
) -> None:
    guess = tmp_path / "guess"
    guess.write_text("open sesame")
    settings = guarded.settings() | {"KAFKA_PASSWORD_FILE": str(guess)}
    said = await topics_command(inside, settings)
    assert said.status == 1
    assert "invalid credentials with SASL mechanism SCRAM-SHA-512" in said.text
    assert "sesame" not in said.text

    projector = await crew.projector(for_everybody(settings), wait=False)
    await projector.says("invalid credentials with SASL mechanism SCRAM-SHA-512")
    assert "sesame" not in projector.said()


async def test_a_client_without_tls_is_refused(inside: Deployment, guarded: Guarded) -> None:
    said = await topics_command(inside, {"KAFKA_BOOTSTRAP_SERVERS": guarded.login})
    assert said.status == 1
    assert "it wants another KAFKA_SECURITY_PROTOCOL, or a certificate of ours" in said.text


async def test_a_client_without_login_or_certificate_is_refused(inside: Deployment, guarded: Guarded) -> None:
    tls = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": str(guarded.ca)}
    nameless = await topics_command(inside, tls | {"KAFKA_BOOTSTRAP_SERVERS": guarded.login})
    assert nameless.status == 1
    assert "it may want a login (SASL_SSL)" in nameless.text
    paperless = await topics_command(inside, tls | {"KAFKA_BOOTSTRAP_SERVERS": guarded.mutual})
    assert paperless.status == 1
    assert "or a certificate of ours" in paperless.text
