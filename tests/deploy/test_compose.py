"""docker-compose.yml fits the services as they are. `tests/containers/test_compose.py` runs it."""

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
