"""The operator's command line: reads arguments, settings and the clock, runs one command, prints what it did."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import connected
from services.stint_cli.demo import Demo, make_demo, make_demo_policy
from services.stint_cli.migrate import migrate
from services.stint_cli.policy.commands import add_policy_commands
from services.stint_cli.prepare import prepare
from services.stint_cli.settings import DatabaseSettings, DemoSettings, DeploymentSettings
from services.stint_cli.topics import ensure_topics
from services.stint_cli.trouble import Trouble
from shared.events.ids import SLOTS
from shared.events.topics import DEFAULT_PARTITIONS

_FAILED: Final = 1
_MISUSED: Final = 2


async def _migrate(_arguments: argparse.Namespace) -> str:
    settings = DatabaseSettings()
    async with connected(settings.postgres_dsn.get_secret_value(), settings.postgres_tls) as conn:
        done = await migrate(conn)
    return f"Applied {', '.join(migration.name for migration in done)}." if done else "Nothing to migrate."


async def _topics(arguments: argparse.Namespace) -> str:
    settings = DeploymentSettings()
    dsn, tls = settings.postgres_dsn.get_secret_value(), settings.postgres_tls
    async with connected(dsn, tls) as conn, Brokers(settings.kafka) as brokers:
        made = await ensure_topics(brokers, conn, arguments.partitions, settings.replication_factor)
    return f"Made {', '.join(topic.name for topic in made)}." if made else "All topics are there, and as they must be."


async def _demo(arguments: argparse.Namespace) -> str:
    settings = DemoSettings()
    demo = _demo_of(settings, arguments.env_file)
    async with connected(demo.postgres_dsn, settings.postgres_tls) as conn:
        await make_demo(conn, demo)
    await make_demo_policy(demo)
    return f"The demo tenant's credentials are in {demo.env_file}."


async def _prepare(arguments: argparse.Namespace) -> str:
    settings = DemoSettings()
    demo = _demo_of(settings, arguments.env_file)
    async with connected(demo.postgres_dsn, settings.postgres_tls) as conn, Brokers(demo.kafka) as brokers:
        await prepare(conn, brokers, demo, arguments.partitions, settings.replication_factor)
    return f"Migrated, topics made. The demo credentials are in {demo.env_file}."


def _demo_of(settings: DemoSettings, env_file: Path) -> Demo:
    return Demo(
        env_file=env_file,
        token_key=settings.token_key.get_secret_value(),
        url=settings.http_url,
        kafka=settings.kafka,
        postgres_dsn=settings.postgres_dsn.get_secret_value(),
        now=datetime.now(UTC),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stint_cli", description="The commands for operators of Stint.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], Awaitable[str]], does: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=does, description=does)
        sub.set_defaults(run=run)
        return sub

    command("migrate", _migrate, "bring the database to the tables of this release")
    topics = command("topics", _topics, "make the topics, and check those that exist")
    demo = command("demo", _demo, "make a tenant to try things out with")
    everything = command("prepare", _prepare, "migrate, topics and demo in one go")
    does = "read and set tenants' policies"
    add_policy_commands(commands.add_parser("policy", help=does, description=does))
    for sub in (topics, everything):
        sub.add_argument("--partitions", type=_partitions, default=DEFAULT_PARTITIONS, help="P, fixed for life")
    for sub in (demo, everything):
        sub.add_argument("--env-file", type=Path, required=True, help="where the credentials go, to be sourced")
    return parser


def _partitions(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= SLOTS):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {SLOTS}")
    return int(text)


def _missing(error: ValidationError, prefix: str) -> str:
    return "; ".join(f"{prefix}{problem['loc'][0]}".upper() + f": {problem['msg']}" for problem in error.errors())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 1 for trouble, 2 for a wrong command or wrong settings."""
    arguments = _parser().parse_args(argv)
    # A broker's error is raised too, and its one line is enough.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        print(asyncio.run(arguments.run(arguments)))
    except Trouble as trouble:
        print(f"stint_cli: {trouble}", file=sys.stderr)
        return _FAILED
    except ValidationError as error:
        print(f"stint_cli: settings: {_missing(error, DatabaseSettings.model_config['env_prefix'])}", file=sys.stderr)
        return _MISUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
