"""Queries lie beside the code that runs them: none is missing, and none is unused."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from services.command_api.store.database import query as of_the_api
from services.feed.callers.tokens import query as of_the_feed
from services.projector.store.queries import query as of_the_projector
from services.projector.texts.queries import query as of_the_texts
from services.stint_cli.store import query as of_the_operator
from shared.sql import Queries

SERVICES = Path(__file__).parents[3] / "services"


ROOMS = {
    "command_api/store": of_the_api,
    "feed/callers": of_the_feed,
    "projector/store": of_the_projector,
    "projector/texts": of_the_texts,
    "stint_cli/store": of_the_operator,
}


def queries_named(sources: Iterable[Path]) -> set[str]:
    return {name for path in sources for name in re.findall(r'\bquery\("(\w+)"\)', path.read_text())}


@pytest.mark.parametrize(("room", "query"), ROOMS.items())
def test_every_query_exists_and_is_run(room: str, query: Queries) -> None:
    service = (SERVICES / room).parent
    sources = "".join(path.read_text() for path in service.rglob("*.py"))
    there = {path.stem for path in (SERVICES / room).glob("*.sql")}
    assert queries_named((SERVICES / room).glob("*.py")) <= there
    assert queries_named(service.rglob("*.py")) <= {path.stem for path in service.rglob("*.sql")}
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
