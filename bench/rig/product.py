"""The product as a user has it after `make run`, in a folder and on ports of its own: one API, one projector, defaults.

Ended, and its folder deleted, on the way out: also after Ctrl-C. If this process is killed, a watchdog ends the
processes, and the next run deletes the folder.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bench.load.wrk import Target
from bench.rules.policies import ALL
from deploy.local import leftovers, machine, services
from deploy.local.lock import Lock
from deploy.local.process import Process
from deploy.local.settings import Settings
from deploy.local.stack import Stack
from services.stint_cli.setup.demo import TENANT
from services.stint_cli.terminal.env_file import read_env
from shared.events.policy import Policy, WeekendFrom

BENCH_HOME: Final = Settings.from_environment().home / "bench"
_READY_WITHIN_SECONDS: Final = 60.0
# A shell's settings for another stack must not reach this one.
_OURS: Final = ("COMMAND_API_", "FEED_", "PROJECTOR_", "STINT_")
# Days from today to the first one of the weekend.
_UNTIL_WEEKEND: Final = (2, 3)


@dataclass
class Product:
    """A running stack with one API and one projector."""

    stack: Stack
    api: Process
    projector: Process
    target: Target

    @property
    def processes(self) -> dict[str, Process]:
        """The four that a press costs, by the names of the report."""
        kafka, postgres = self.stack.kafka.process, self.stack.postgres.process
        if kafka is None or postgres is None:
            raise RuntimeError("the stack does not run")
        return {"api": self.api, "projector": self.projector, "broker": kafka, "postgres": postgres}


@contextmanager
def product(name: str = "stack", through: str = "") -> Iterator[Product]:
    """Give the product, ready, with no data but a tenant whose rules are all flagged.

    `through`: a module that runs API and projector, and may write a file for each of them: `left_by`.
    """
    for variable in [each for each in os.environ if each.startswith(_OURS)]:
        del os.environ[variable]
    settings = machine.on_free_ports(BENCH_HOME / name)
    _clear(settings)
    try:
        with Stack(settings) as stack, ExitStack() as ended:
            services.leave_settings(stack)
            services.prepare(stack)
            _set_policy(stack)
            api, projector = services.command_api(stack), services.projector(stack)
            for service in (projector, api):
                if through:
                    python, option, program = service.program.argv
                    argv = [python, option, through, program, str(left_by(service, settings))]
                    service.program = replace(service.program, argv=argv)
                ended.callback(service.stop)
                service.start()
            for service in (projector, api):
                service.await_ready(_READY_WITHIN_SECONDS)
            token = read_env(settings.demo_env)["STINT_TOKEN"]
            yield Product(stack, api, projector, Target(settings.url, token))
    finally:
        _clear(settings)


def left_by(service: Process, settings: Settings) -> Path:
    """Return the file that the module `through` writes for a service."""
    return settings.home / f"{service.name}.left"


def quiet_policy(now: datetime) -> Policy:
    """Return a policy that flags every rule and has every limit, none of which an ordinary press breaks.

    The weekend is days from today, so that a Saturday's figures are a Tuesday's. R20 stays off: it asks for a
    directory, and these owners are in none.
    """
    days = sorted((now + timedelta(days=ahead)).isoweekday() % 7 + 1 for ahead in _UNTIL_WEEKEND)
    weekend = WeekendFrom.model_validate({"from": "2020-01-01", "days": ",".join(map(str, days))})
    return ALL.model_copy(update={"weekend": (weekend,), "rules": ALL.rules.model_copy(update={"R20": None})})


def _set_policy(stack: Stack) -> None:
    document = stack.settings.home / "policy.json"
    policy = quiet_policy(datetime.now(ZoneInfo(ALL.zone)))
    document.write_text(policy.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    services.stint(stack, "policy", "put", TENANT, str(document))


def _clear(settings: Settings) -> None:
    if not settings.home.exists():
        return
    lock = Lock(settings.run / "stack.lock")
    lock.take()  # raises when another bench runs here
    try:
        leftovers.end_all(settings)
        shutil.rmtree(settings.home)
    finally:
        lock.release()
