"""Run: settings, one command, and what went wrong in one line."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

import asyncpg
from pydantic import ValidationError

from services.stint_cli.directory import clients, persons, tenants
from services.stint_cli.policy import commands as policy
from services.stint_cli.rebuild import commands as rebuild
from services.stint_cli.settings import DatabaseSettings
from services.stint_cli.setup import commands as setup
from services.stint_cli.terminal.app import app
from services.stint_cli.terminal.failures import MAY_BE_DONE, Interrupted
from services.stint_cli.terminal.local import local_settings
from services.stint_cli.terminal.plain import plain
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import commands as watch
from shared.kafka.clients import KafkaError

# Each hangs its commands into `app`, in this order.
COMMANDS: Final = (tenants, clients, persons, policy, watch, rebuild, setup)

_FAILED: Final = 1
_MISUSED: Final = 2
# As a shell says it of a program that SIGINT ended.
_INTERRUPTED: Final = 130


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 1 trouble, 2 a wrong command or settings, 130 after Ctrl-C."""
    # A broker's error is raised too, and its one line is enough.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        os.environ.update(local_settings(os.environ))
        app(args=argv, prog_name="stint")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Trouble as trouble:
        return _failed(str(trouble))
    except ValidationError as error:
        print(f"stint: settings: {_missing(error, DatabaseSettings.model_config['env_prefix'])}", file=sys.stderr)
        return _MISUSED
    except asyncpg.UndefinedTableError:
        return _failed("the database has no tables, or those of an older release: run `stint migrate`.")
    except (Interrupted, KeyboardInterrupt):
        print(f"stint: interrupted. {MAY_BE_DONE}", file=sys.stderr)
        return _INTERRUPTED
    except (KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return _failed(f"{type(error).__name__}: {' '.join(str(error).split())}")
    return 0


def _failed(why: str) -> int:
    print(f"stint: {plain(why)}", file=sys.stderr)
    return _FAILED


def _missing(error: ValidationError, prefix: str) -> str:
    named = (f"{prefix}{problem['loc'][0]}".upper() + f": {problem['msg']}" for problem in error.errors())
    return f"{'; '.join(named)}. `make up` starts a local stack, which leaves all of them for this checkout."
