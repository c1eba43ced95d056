"""Each example says in one sentence which variable of the environment it lacks, and asks nothing of anybody."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.examples.told import EXAMPLES

CLIENT: Final = (EXAMPLES / "http_client" / "client.py", ["dana"])
SERVICE: Final = (EXAMPLES / "kafka_service" / "service.py", ["timer.replies.crm", "dana"])
HOURS: Final = (EXAMPLES / "hours_in_duckdb" / "hours.py", ["hours.duckdb", "hours.parquet"])
# Nobody listens there.
NOWHERE: Final = "127.0.0.1:1"
KAFKA: Final = {"STINT_KAFKA": NOWHERE}


@pytest.mark.parametrize(
    ("example", "environ", "lacking"),
    [
        (CLIENT, {"STINT_URL": f"http://{NOWHERE}"}, "STINT_TOKEN"),
        (CLIENT, {"STINT_URL": f"http://{NOWHERE}", "STINT_TOKEN": ""}, "STINT_TOKEN"),
        (CLIENT, {"STINT_TOKEN": "x"}, "STINT_URL"),
        (SERVICE, {"STINT_TENANT": "demo", "STINT_CLIENT_ID": "crm"}, "STINT_KAFKA"),
        (SERVICE, KAFKA | {"STINT_CLIENT_ID": "crm"}, "STINT_TENANT"),
        (SERVICE, KAFKA | {"STINT_TENANT": "demo", "STINT_CLIENT_ID": ""}, "STINT_CLIENT_ID"),
        (HOURS, {}, "STINT_KAFKA"),
    ],
)
def test_a_variable_that_is_missing_or_empty_is_one_sentence(
    example: tuple[Path, list[str]], environ: dict[str, str], lacking: str, tmp_path: Path, wheel: Path
) -> None:
    program, arguments = example
    ran = subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(wheel)} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = f"{lacking} is not set, or empty: README.md beside this program says what to export.\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", said)
    assert list(tmp_path.iterdir()) == []
