"""docker-compose.yml fits the services as they are. `tests/containers/test_compose.py` runs it."""

import re
from typing import Any, Final

import pytest
import yaml

from deploy.local.settings import ROOT
from tests.deploy.endings import end_seconds_max

SERVICES: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.mark.parametrize("name", ["command-api", "feed", "projector"])
def test_a_container_is_not_killed_before_its_process_has_ended_by_itself(name: str) -> None:
    service = SERVICES[name]
    environ = {variable: str(value) for variable, value in service["environment"].items()}
    assert float(service["stop_grace_period"].removesuffix("s")) > end_seconds_max(name, environ)


def test_the_gateway_has_workers_for_the_cores_of_its_container() -> None:
    """By itself it counts those of the machine, and a worker takes some 2 MB before its first caller."""
    conf = (ROOT / "deploy/gateway/nginx.conf").read_text(encoding="utf-8")
    workers = re.search(r"^worker_processes (\w+);", conf, re.MULTILINE)
    assert workers is not None
    gateway = SERVICES["gateway"]
    assert int(workers[1]) <= 2 * gateway["cpus"]
    assert int(workers[1]) + 1 < gateway["pids_limit"]
