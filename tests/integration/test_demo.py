"""`stint demo` on real parts: credentials that work are kept, lost ones made anew, revoked clients stay revoked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.command_api.store.database import query as api_query
from services.stint_cli.database import connected
from services.stint_cli.policies import read_policies
from services.stint_cli.setup.demo import ADMIN, CLIENT, Demo, make_demo, make_demo_policy
from services.stint_cli.tenants import create_client
from services.stint_cli.terminal.env_file import read_env
from services.stint_cli.trouble import Trouble
from shared.events.policy import Preset
from shared.identity import read_token, token_sha256, verify_secret
from tests.support.stack.deployments import PARTITIONS, TOKEN_KEY, Deployment
from tests.support.stack.terminals import Terminal

NOW = datetime.now(UTC)


async def make(deployment: Deployment, env_file: Path, now: datetime) -> dict[str, str]:
    """Run `demo` and return what it wrote."""
    demo = Demo(env_file, TOKEN_KEY, "http://127.0.0.1:8080", deployment.kafka, deployment.dsn, now)
    async with connected(deployment.dsn) as conn:
        await make_demo(conn, demo)
    await make_demo_policy(demo)
    return read_env(env_file)


async def good_credentials(conn: asyncpg.Connection, said: dict[str, str], now: datetime) -> list[bool]:
    """Say which of the three credentials are good for three weeks from `now`."""
    later = now + timedelta(days=21)
    hashed = await conn.fetchval("SELECT secret_hash FROM client WHERE id = $1", said["STINT_CLIENT_ID"])
    token = token_sha256(said["STINT_ZOHO_TOKEN"])
    expires_at = await conn.fetchval("SELECT expires_at FROM person_token WHERE token_sha256 = $1", token)
    return [
        verify_secret(said["STINT_CLIENT_SECRET"], hashed),
        read_token(said["STINT_TOKEN"], TOKEN_KEY.encode(), later) is not None,
        expires_at > later,
    ]


async def test_the_demo_tenant_keeps_its_credentials_until_they_are_about_to_expire(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "demo.env"
    first = await make(deployment, file, NOW)
    async with connected(deployment.dsn) as conn:
        assert await good_credentials(conn, first, NOW) == [True, True, True]
        assert await make(deployment, file, NOW + timedelta(days=20)) == first

        later = NOW + timedelta(days=25)
        renewed = await make(deployment, file, later)
        changed = {name for name, value in renewed.items() if first[name] != value}
        kinds = ("", "ADMIN_", "READER_", "OTHER_", "ZOHO_")
        assert changed == {f"STINT_{kind}TOKEN" for kind in kinds}
        assert await good_credentials(conn, renewed, later) == [True, True, True]


async def test_lost_credentials_of_the_demo_tenant_are_made_anew(deployment: Deployment, tmp_path: Path) -> None:
    """First the file is lost, then the database."""
    file = tmp_path / "demo.env"
    first = await make(deployment, file, NOW)
    async with connected(deployment.dsn) as conn:
        file.unlink()
        second = await make(deployment, file, NOW)
        assert second["STINT_CLIENT_SECRET"] != first["STINT_CLIENT_SECRET"]
        assert await good_credentials(conn, second, NOW) == [True, True, True]

        await conn.execute("DELETE FROM person_token; DELETE FROM client WHERE tenant = 'demo'")
        third = await make(deployment, file, NOW)
        assert third["STINT_TOKEN"] == second["STINT_TOKEN"]  # signed, so no database has it
        assert await good_credentials(conn, third, NOW) == [True, True, True]


async def test_the_demo_has_a_token_of_each_role_whose_client_can_be_revoked(
    deployment: Deployment, tmp_path: Path
) -> None:
    said = await make(deployment, tmp_path / "demo.env", NOW)
    claims = [
        read_token(said[f"STINT_{name}TOKEN"], TOKEN_KEY.encode(), NOW) for name in ("", "ADMIN_", "READER_", "OTHER_")
    ]
    assert [(one.tenant, one.role) for one in claims if one is not None] == [
        ("demo", "machine"),
        ("demo", "admin"),
        ("demo", "reader"),
        ("other", "machine"),
    ]
    async with connected(deployment.dsn) as conn:
        rows = await conn.fetch("SELECT id, role FROM client WHERE tenant IN ('demo', 'other')")
    assert {(row["id"], row["role"]) for row in rows} == {(one.client, one.role) for one in claims if one is not None}


async def test_a_client_of_the_demo_that_was_revoked_stays_so_and_has_no_credentials(
    deployment: Deployment, terminal: Terminal
) -> None:
    """Its tokens are signed: if it worked again, a token that has leaked would be good again."""
    file = terminal.folder / "demo.env"
    first = await make(deployment, file, NOW)
    revoked = [CLIENT, ADMIN]
    try:
        for client in revoked:
            await terminal.json("clients", "revoke", client)
        told = await terminal.json("demo", "--env-file", str(file))
        assert told == {"env_file": str(file), "revoked": revoked}
        emptied = {"STINT_CLIENT_SECRET": "", "STINT_TOKEN": "", "STINT_ADMIN_TOKEN": ""}
        assert read_env(file) == first | emptied | {"STINT_URL": "http://127.0.0.1:1"}
        _, out, _ = await terminal.run("prepare", "--partitions", str(PARTITIONS), "--env-file", str(file))
        assert f"Those of {', '.join(revoked)} are left empty" in out
        for line in ("stint clients add demo", "stint clients add demo --role admin"):
            assert f"`{line}`" in out
            await terminal.json(*line.split()[1:])
        async with connected(deployment.dsn) as conn:
            for client in revoked:
                assert await conn.fetchval(api_query("is_revoked"), client)
                with pytest.raises(Trouble, match="or was revoked: choose another"):
                    await create_client(conn, "demo", client)
    finally:
        await deployment.pool.execute("UPDATE client SET revoked_at = NULL WHERE id = ANY($1)", revoked)


async def test_each_demo_tenant_has_one_policy_however_often_it_is_made(deployment: Deployment, tmp_path: Path) -> None:
    for _ in range(2):
        await make(deployment, tmp_path / "demo.env", NOW)
    book = await read_policies(deployment.kafka)
    policy = book.latest("demo")
    assert policy is not None
    assert (policy.zone, policy.preset) == ("Asia/Jerusalem", Preset.NATIVE)
    other = book.latest("other")
    assert other is not None
    assert (other.zone, other.preset, other.unfit) == ("Europe/Berlin", Preset.ZOHO, ())
