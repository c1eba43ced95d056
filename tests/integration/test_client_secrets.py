"""`clients rotate` on real Postgres: which secrets are good after it, and until when, also when it was run twice."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from services.command_api.store.database import query
from services.command_api.store.directory import ClientRow
from services.stint_cli.store import query as stint_query
from shared.identity import hash_secret, new_token, verify_secret
from tests.support.stack.deployments import Deployment
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually

KEEP: Final = "--keep-old-seconds"


class Rotated:
    """A client whose secret is rotated, and all secrets that it ever had, the oldest first."""

    def __init__(self, terminal: Terminal, deployment: Deployment, name: str, secret: str) -> None:
        self._terminal = terminal
        self._deployment = deployment
        self.name = name
        self._secrets = [secret]

    async def rotate(self, keep_seconds: int) -> dict[str, Any]:
        told: dict[str, Any] = await self._terminal.json("clients", "rotate", self.name, KEEP, str(keep_seconds))
        self._secrets.append(told["client_secret"])
        return told

    def another(self) -> str:
        """Return the hash of one more secret."""
        self._secrets.append(new_token())
        return hash_secret(self._secrets[-1])

    async def good(self) -> list[int]:
        """Return which of the secrets `/oauth/token` takes, by their places."""
        row = await self._deployment.pool.fetchrow(query("find_client"), self.name)
        assert row is not None
        hashes = ClientRow(**row).secret_hashes
        return [at for at, one in enumerate(self._secrets) if any(verify_secret(one, hashed) for hashed in hashes)]

    async def pass_the_grace(self) -> None:
        sql = "UPDATE client SET old_secret_until = now() - interval '1 second' WHERE id = $1"
        await self._deployment.pool.execute(sql, self.name)

    async def listed(self) -> str | None:
        """Return until when `clients list` says that the old secret is good."""
        [found] = [one for one in await self._terminal.json("clients", "list") if one["client_id"] == self.name]
        until: str | None = found["old_secret_until"]
        return until


@pytest.fixture
async def client(terminal: Terminal, deployment: Deployment) -> Rotated:
    tenant = await deployment.tenant()
    return Rotated(terminal, deployment, tenant.client, tenant.secret)


async def test_the_old_secret_is_good_until_its_grace_is_over(client: Rotated) -> None:
    told = await client.rotate(600)
    assert (await client.good(), await client.listed()) == ([0, 1], told["old_secret_until"])
    assert told["last_secret_ended"] is False
    await client.pass_the_grace()
    assert (await client.good(), await client.listed()) == ([1], None)


async def test_a_rotation_whose_answer_was_lost_is_run_again_and_the_clients_secret_stays_good(
    client: Rotated,
) -> None:
    """Nobody saw the second secret, and the client has the first one."""
    await client.rotate(600)
    told = await client.rotate(600)
    assert (await client.good(), told["last_secret_ended"]) == ([0, 2], True)
    await client.rotate(600)
    assert await client.good() == [0, 3]
    await client.pass_the_grace()
    assert await client.good() == [3]


@pytest.mark.parametrize(("first", "second"), [(3600, 60), (60, 3600)])
async def test_the_kept_secret_is_good_until_the_later_of_both_ends(client: Rotated, first: int, second: int) -> None:
    ends = [datetime.fromisoformat((await client.rotate(seconds))["old_secret_until"]) for seconds in (first, second)]
    if first > second:
        assert ends[1] == ends[0]
    else:
        assert timedelta(seconds=second - first) <= ends[1] - ends[0] < timedelta(seconds=second)


async def test_a_rotation_after_the_grace_keeps_the_secret_before_it(client: Rotated) -> None:
    await client.rotate(600)
    await client.pass_the_grace()
    told = await client.rotate(600)
    assert (await client.good(), told["last_secret_ended"]) == ([1, 2], False)


async def test_a_rotation_that_keeps_nothing_ends_every_older_secret(client: Rotated) -> None:
    """A secret has leaked, and it may be the one that is kept."""
    await client.rotate(600)
    told = await client.rotate(0)
    assert (await client.good(), await client.listed()) == ([2], None)
    assert (told["old_secret_until"], told["last_secret_ended"]) == (None, True)


async def test_two_rotations_at_once_count_as_one_after_the_other(client: Rotated, deployment: Deployment) -> None:
    """The second one waits for the first, and must see what the first one kept."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND starts_with($1, left(query, 200))"
    )
    rotate = stint_query("rotate_client")

    async def waits() -> bool:
        return bool(await deployment.pool.fetchval(waiting, rotate) == 1)

    async with deployment.pool.acquire() as first, first.transaction():
        await first.fetchrow(rotate, client.name, client.another(), 600)
        second = asyncio.create_task(deployment.pool.fetchrow(rotate, client.name, client.another(), 600))
        await eventually(waits, "the second rotation waits for the first")
    row = await second
    assert row is not None
    assert (row["keeps_older"], await client.good()) == (True, [0, 2])


async def test_a_rotation_says_which_secrets_are_good_and_until_when(terminal: Terminal, client: Rotated) -> None:
    async def said(keep: str) -> str:
        status, out, _ = await terminal.run("clients", "rotate", client.name, KEEP, keep)
        assert (status, out.splitlines()[-1]) == (0, "Keep the secret now: it is not shown again.")
        return out.splitlines()[-2]

    first = await said("600")
    assert first == f"Good are this secret and, until {await client.listed()}, the one before it."
    second = await said("900")
    assert second == (
        f"Good are this secret and, until {await client.listed()}, the one that was kept before. "
        "The secret of the last rotation has ended: where a client took it up, give it this one."
    )
    assert await said("0") == "This secret alone is good: every older one has ended."
