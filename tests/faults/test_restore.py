"""Postgres is lost and an older dump restored: missing rows come back from the outcomes, answers stay the same."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from shared.events.topics import OUTCOMES
from tests.faults.dumps import backup, restore
from tests.support.proof.tables import FOLDED, dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.logs import end_offsets
from tests.support.stack.patient import Patient
from tests.support.stack.waits import WITHIN_SECONDS, drained, texts_kept

UNTOLD = "SELECT count(*) FROM outcome JOIN fold_v1.checkpoint USING (kpart) WHERE source_offset >= published"

# All tables that come from the log. Tenants, clients, persons and tokens are in Postgres and its dumps alone.
FROM_THE_LOG = (*FOLDED, "timer_text", "text_position", "policy", "deployment")


@pytest.mark.fault
async def test_an_older_dump_catches_up_to_the_bytes_that_were_lost(
    api: Api,
    client: Callable[..., httpx.AsyncClient],
    crew: Crew,
    deployment: Deployment,
    tenant: Tenant,
    tmp_path: Path,
) -> None:
    before, across, after = (fresh_owner() for _ in range(3))
    early = (await api.start(before, comment="before the dump")).json()["id"]
    running = (await api.start(across)).json()["id"]
    await api.press("pause", early)
    await told(deployment)
    await backup(deployment.dsn, tmp_path / "stint.dump")

    late = await api.start(after, key="late", comment="after the dump")
    stopped = await api.press("stop", running, key="stop")
    assert (late.status_code, stopped.status_code) == (201, 200)
    assert (await api.press("resume", early)).status_code == 200
    assert (await api.press("pause", running)).status_code == 409
    await drained(deployment)
    await texts_kept(deployment)
    await crew.be(apis=1, projectors=0)
    lost = await dump(deployment.dsn, FROM_THE_LOG)
    published = await end_offsets(deployment.kafka, OUTCOMES)

    restored = await restore(deployment, tmp_path / "stint.dump", "restored")
    assert await dump(restored, FROM_THE_LOG) != lost
    again = await crew.api({"COMMAND_API_POSTGRES_DSN": restored})
    await crew.projector({"PROJECTOR_POSTGRES_DSN": restored})
    await drained(deployment, restored)
    await texts_kept(deployment, restored)
    found = await dump(restored, FROM_THE_LOG)
    # The restored database has its own marks of policies looked at, so its clock may have written ticks meanwhile.
    assert all(now >= then for now, then in zip(offsets(found), offsets(lost), strict=True))
    for table in set(FROM_THE_LOG) - {"checkpoint"}:
        assert found[table].splitlines() == lost[table].splitlines(), table
    # Judged presses are not judged again, and so not published again.
    assert await end_offsets(deployment.kafka, OUTCOMES) == published

    patient = Patient(client(again.url), tenant.token)
    await patient.knows(tenant)
    assert (await patient.start(after, key="late", comment="after the dump")).content == late.content
    assert (await patient.press("stop", running, key="stop")).content == stopped.content
    assert (await patient.press("stop", late.json()["id"])).json()["state"] == "STOPPED"


def offsets(tables: dict[str, str]) -> list[int]:
    """Return where each partition stands, in the order of partitions."""
    return [json.loads(line)["next_offset"] for line in tables["checkpoint"].splitlines()]


async def told(deployment: Deployment) -> None:
    """Return once the checkpoints say that every outcome is published. Outcomes missing in a dump are told again."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while await deployment.pool.fetchval(UNTOLD):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.05)
