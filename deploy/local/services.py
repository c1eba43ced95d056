"""Stint's own programs as the local stack runs them: by module name, with everything they need in the environment."""

import os
import re
import subprocess
import sys
from pathlib import Path

from deploy.local.process import Process, Program
from deploy.local.secrets import kept_secret
from deploy.local.settings import HOST, ROOT
from deploy.local.stack import Stack
from deploy.local.trouble import Trouble
from services.stint_cli.terminal.env_file import write_env
from services.stint_cli.terminal.local import SETTINGS_FILE
from shared.events.topics import EVENTS

API, PROJECTOR, FEED = "command_api", "projector", "feed"
# P of a new folder. Each batch of presses is cut into a part for each partition, and one machine gains nothing by more.
NEW_PARTITIONS = 4

_EVENTS_PARTITION = re.compile(rf"{re.escape(EVENTS)}-[0-9]+")


def environment(stack: Stack) -> dict[str, str]:
    """Return the settings of every service and of the command line, under their own prefixes."""
    # Our values win: `make run` must not migrate another database whose DSN is still set in the shell.
    return {**os.environ, **_own(stack)}


def _own(stack: Stack) -> dict[str, str]:
    settings, postgres = stack.settings, stack.postgres
    token_key = kept_secret(settings.secrets / "token-key")
    return {
        "COMMAND_API_KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "COMMAND_API_POSTGRES_DSN": postgres.dsn_of(API),
        "COMMAND_API_HTTP_HOST": HOST,
        "COMMAND_API_HTTP_PORT": str(settings.http_port),
        "COMMAND_API_TOKEN_KEY": token_key,
        "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "PROJECTOR_POSTGRES_DSN": postgres.dsn_of(PROJECTOR),
        "PROJECTOR_HTTP_HOST": HOST,
        "PROJECTOR_HTTP_PORT": str(settings.projector_port),
        "FEED_KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "FEED_POSTGRES_DSN": postgres.dsn_of(FEED),
        "FEED_HTTP_HOST": HOST,
        "FEED_HTTP_PORT": str(settings.feed_port),
        "FEED_TOKEN_KEY": token_key,
        "STINT_CLI_KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "STINT_CLI_POSTGRES_DSN": postgres.dsn,
        "STINT_CLI_HTTP_URL": settings.url,
        "STINT_CLI_FEED_URL": settings.feed_url,
        "STINT_CLI_TOKEN_KEY": token_key,
    }


def command_api(stack: Stack) -> Process:
    """Return the command API, not yet started."""
    return _service(stack, API, stack.settings.http_port)


def projector(stack: Stack) -> Process:
    """Return the projector, not yet started."""
    return _service(stack, PROJECTOR, stack.settings.projector_port)


def feed(stack: Stack) -> Process:
    """Return the feed, not yet started."""
    return _service(stack, FEED, stack.settings.feed_port)


def _service(stack: Stack, name: str, port: int) -> Process:
    return Process(
        Program(
            name=name,
            argv=[sys.executable, "-m", f"services.{name}"],
            environ=environment(stack),
            folder=ROOT,
            ready_port=port,
        ),
        stack.settings.run,
        stack.settings.logs,
    )


def partitions(stack: Stack) -> int:
    """Return P of this folder: as many partitions as its log has, for life, or those of a new folder."""
    made = [path for path in stack.kafka.log.glob("*") if _EVENTS_PARTITION.fullmatch(path.name)]
    return len(made) or NEW_PARTITIONS


def prepare(stack: Stack) -> str:
    """Make the services' roles, the tables, the topics and the demo tenant, or see that they are there.

    Return the last line of the command, such as which client of the demo stays revoked.
    """
    stack.postgres.make_roles()
    return stint(stack, "prepare", "--partitions", str(partitions(stack)), "--env-file", str(stack.settings.demo_env))


def leave_settings(stack: Stack) -> None:
    """Write the settings of the command `stint` to where it looks for them, so that it finds this stack by itself."""
    values = {name: value for name, value in _own(stack).items() if name.startswith("STINT_CLI_")}
    write_env(
        stack.settings.home / SETTINGS_FILE, values, "What `stint` needs to find this stack; rewritten at every start."
    )


def stint(stack: Stack, *arguments: str) -> str:
    """Run one operator's command to its end and return its last line; raise `Trouble` with it when it fails."""
    log = stack.settings.logs / "stint.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [Path(sys.executable).with_name("stint"), *arguments],
        cwd=ROOT,
        env=environment(stack),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    with log.open("a") as file:
        file.write(f"$ stint {' '.join(arguments)}\n{done.stdout}")
    output = done.stdout.strip().splitlines() or ["it said nothing"]
    if done.returncode:
        raise Trouble(f"`stint {arguments[0]}` failed: {output[-1][:300]} - more in {log}.")
    return output[-1]
