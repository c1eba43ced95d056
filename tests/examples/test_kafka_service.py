"""The service that commands: each command hears its verdict, and is one press however often it is sent."""

import asyncio
from pathlib import Path
from typing import Final

from shared.events.topics import DEAD
from tests.examples.told import EXAMPLES, loosely, told_by
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.outside import said_by, started

FOLDER: Final = EXAMPLES / "kafka_service"
PROGRAM: Final = FOLDER / "service.py"
PATIENCE: Final = "AGAIN_AFTER_SECONDS: Final = 60.0"
AGAIN: Final = f"start: no answer, again under the same id; {DEAD} says why if it cannot be read"


async def _runs(
    deployment: Deployment, tenant: Tenant, owner: str, folder: Path, wheel: Path, program: Path = PROGRAM
) -> asyncio.subprocess.Process:
    environ = {
        "STINT_KAFKA": deployment.kafka.bootstrap_servers,
        "STINT_TENANT": tenant.name,
        "STINT_CLIENT_ID": tenant.client,
        "PYTHONUNBUFFERED": "1",
    }
    return await started(program, f"timer.replies.{owner}", owner, folder=folder, wheel=wheel, environ=environ)


async def test_each_command_hears_its_verdict(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str, tmp_path: Path, wheel: Path
) -> None:
    running = await _runs(deployment, tenant, owner, tmp_path, wheel)
    assert loosely(await said_by(running)) == told_by(FOLDER)
    listed = await api.http.get("/v1/timers", params={"owner": owner}, headers=api.headers())
    assert [timer["state"] for timer in listed.json()["items"]] == ["STOPPED"]


async def test_a_command_without_answer_is_sent_again_and_is_one_timer(
    api: Api, crew: Crew, deployment: Deployment, tenant: Tenant, owner: str, tmp_path: Path, wheel: Path
) -> None:
    """The projector is frozen, and the service waits half a second instead of a minute."""
    text = PROGRAM.read_text(encoding="utf-8")
    assert text.count(PATIENCE) == 1
    hasty = tmp_path / "hasty.py"
    hasty.write_text(text.replace(PATIENCE, "AGAIN_AFTER_SECONDS: Final = 0.5"), encoding="utf-8")
    crew.projectors[0].freeze()
    running = await _runs(deployment, tenant, owner, tmp_path, wheel, hasty)
    assert running.stdout is not None
    async with asyncio.timeout(30):
        assert (await running.stdout.readline()).decode().strip() == AGAIN
    crew.projectors[0].thaw()
    assert loosely([line for line in await said_by(running) if "no answer, again" not in line]) == told_by(FOLDER)
    listed = await api.http.get("/v1/timers", params={"owner": owner}, headers=api.headers())
    assert [timer["state"] for timer in listed.json()["items"]] == ["STOPPED"]
