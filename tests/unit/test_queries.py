"""Queries lie beside the code that runs them: none is missing, and none is there that nobody runs."""

import re
from pathlib import Path

import pytest

from services.command_api.store.database import query as of_the_api
from services.projector.store.queries import query as of_the_projector
from services.stint_cli.store import query as of_the_operator
from shared.sql import Queries

SERVICES = Path(__file__).parents[2] / "services"


@pytest.mark.parametrize(
    ("service", "query"), [("command_api", of_the_api), ("projector", of_the_projector), ("stint_cli", of_the_operator)]
)
def test_every_query_is_there_and_somebody_runs_it(service: str, query: Queries) -> None:
    sources = "".join(path.read_text() for path in (SERVICES / service).rglob("*.py"))
    there = {path.stem for path in (SERVICES / service / "store").glob("*.sql")}
    assert set(re.findall(r'\bquery\("(\w+)"\)', sources)) <= there
    assert {name for name in there if f'"{name}"' not in sources} == set()
    assert all(query(name).startswith("-- ") for name in there)


def test_a_query_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "find_one.sql").write_text("-- Find one.\nSELECT 1;\n")
    query = Queries(tmp_path)
    first = query("find_one")
    (tmp_path / "find_one.sql").unlink()
    assert query("find_one") is first
    with pytest.raises(FileNotFoundError):
        query("find_two")
