"""The arguments of `migrate`, `topics`, `demo` and `prepare`, and what each prints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import opened
from services.stint_cli.deployment.migrate import migrate, missing_roles
from services.stint_cli.deployment.topics import ensure_topics
from services.stint_cli.settings import DatabaseSettings, DemoSettings, DeploymentSettings
from services.stint_cli.setup.demo import Demo, made_again, make_demo, make_demo_policy
from services.stint_cli.setup.prepare import prepare
from services.stint_cli.terminal.app import app
from services.stint_cli.terminal.command import Answer, command
from shared.events.ids import SLOTS
from shared.events.topics import DEFAULT_PARTITIONS, PARTITIONS_MAX

# Up to `SLOTS`, because a deployment that has more than a new one may have must go on.
Partitions = Annotated[
    int,
    typer.Option(
        min=1,
        max=SLOTS,
        help=f"P, the number of partitions, fixed for life. Of a new deployment: up to {PARTITIONS_MAX}.",
    ),
]
EnvFile = Annotated[Path, typer.Option(dir_okay=False, help="Where the credentials go, to be sourced.")]


@command(app, "migrate", example="stint migrate")
async def _migrate() -> Answer:
    """Bring the database to the tables of this release, and give the services' roles their rights."""
    async with opened(DatabaseSettings(), patient=True) as conn:
        done = [migration.name for migration in await migrate(conn)]
        missing = await missing_roles(conn)
    text = f"Applied {', '.join(done)}." if done else "Nothing to migrate."
    if missing:
        text += f" There is no role {', '.join(missing)} yet: once one is made, run this again, and it has its rights."
    return Answer({"applied": done, "missing_roles": missing}, text)


@command(app, "topics", example="stint topics --partitions 12")
async def _topics(partitions: Partitions = DEFAULT_PARTITIONS) -> Answer:
    """Make the topics, and check those that exist."""
    settings = DeploymentSettings()
    async with opened(settings) as conn, Brokers(settings.kafka) as brokers:
        topics = await ensure_topics(brokers, conn, partitions, settings.replication_factor)
    made = [topic.name for topic in topics]
    text = f"Made {', '.join(made)}." if made else "All topics are there, and as they must be."
    return Answer({"partitions": partitions, "made": made}, text)


@command(app, "demo", example="stint demo --env-file demo.env && . ./demo.env")
async def _demo(env_file: EnvFile) -> Answer:
    """Make tenants to try things out with, and write their credentials into a file."""
    settings = DemoSettings()
    demo = _demo_of(settings, env_file)
    async with opened(settings) as conn:
        revoked = await make_demo(conn, demo)
    await make_demo_policy(demo)
    text = f"The demo credentials are in {env_file}.{_stay_revoked(revoked)}"
    return Answer({"env_file": str(env_file), "revoked": revoked}, text)


@command(app, "prepare", example="stint prepare --env-file demo.env")
async def _prepare(env_file: EnvFile, partitions: Partitions = DEFAULT_PARTITIONS) -> Answer:
    """Do what migrate, topics and demo do, in one go."""
    settings = DemoSettings()
    demo = _demo_of(settings, env_file)
    async with opened(settings, patient=True) as conn, Brokers(demo.kafka) as brokers:
        revoked = await prepare(conn, brokers, demo, partitions, settings.replication_factor)
    text = f"Migrated, topics made. The demo credentials are in {env_file}.{_stay_revoked(revoked)}"
    return Answer({"partitions": partitions, "env_file": str(env_file), "revoked": revoked}, text)


def _stay_revoked(revoked: list[str]) -> str:
    if not revoked:
        return ""
    again = " and ".join(f"`stint clients add {arguments}`" for arguments in map(made_again, revoked))
    return (
        f" Those of {', '.join(revoked)} are left empty, because a revoked client stays revoked. For another one run "
        f"{again}, and keep what it prints in a file of your own: this one is written anew at each start. (On a local "
        "stack `make reset` deletes all data, and the next start begins anew.)"
    )


def _demo_of(settings: DemoSettings, env_file: Path) -> Demo:
    return Demo(
        env_file=env_file,
        token_key=settings.token_key.get_secret_value(),
        url=settings.http_url,
        kafka=settings.kafka,
        postgres_dsn=settings.postgres_dsn.get_secret_value(),
        now=datetime.now(UTC),
    )
