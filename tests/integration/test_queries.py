"""Every query is what the code that runs it believes, on real Postgres: its parameters, their types, its columns."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement

from deploy.local.settings import ROOT
from services.projector.store.statement import FRAME, statement_of
from tests.integration.every_query import files, writes_of_a_commit
from tests.integration.query_uses import ARRAY, TYPES, Reader, Source, Use
from tests.support.stack.deployments import Deployment

SERVICES = ("command_api", "feed", "projector", "stint_cli")
SHARED = (ROOT / "shared" / "events" / "ids.py", ROOT / "shared" / "identity.py")
Prepared = dict[tuple[str, str], "PreparedStatement[Any]"]


def source(service: str) -> Source:
    return Source(ROOT / "services" / service, *SHARED)


@pytest.fixture(scope="module")
async def prepared(deployment: Deployment) -> AsyncIterator[Prepared]:
    """Prepare every query on migrated tables. One that names a column that is not there fails here."""
    conn = await asyncpg.connect(deployment.dsn, server_settings={"search_path": "fold_v1,public"})
    try:
        found = {(each, name): path for each in SERVICES for name, path in files(each).items()}
        yield {which: await conn.prepare(path.read_text(encoding="utf-8")) for which, path in found.items()}
    finally:
        await conn.close()


def types_of(statement: "PreparedStatement[Any]") -> list[str]:
    return [one.name for one in statement.get_parameters()]


def fits(kind: str | None, type_: str) -> bool:
    """Say whether a value of this kind is a parameter of this type. None: the source does not say the kind."""
    return kind is None or type_.endswith("[]") if kind in {None, ARRAY} else type_ in TYPES.get(kind or "", ())


def wrong(use: Use, types: list[str]) -> str | None:
    """Return what is wrong with one place that runs a query."""
    if len(use.kinds) != len(types):
        return f"{use.where}: {use.query} has {len(types)} parameters, and {len(use.kinds)} values are passed"
    pairs = enumerate(zip(use.kinds, types, strict=True), start=1)
    misfits = [f"${place} is {type_}, and {kind} is passed" for place, (kind, type_) in pairs if not fits(kind, type_)]
    return f"{use.where}: {use.query}: {'; '.join(misfits)}" if misfits else None


def misread(reader: Reader, returned: list[set[str]]) -> str | None:
    """Return what a function reads of rows that has no column, or a column that its class has no field for."""
    if unknown := reader.columns - set().union(*returned):
        return f"{reader.where} reads {sorted(unknown)}, which no query of it returns"
    odd = set() if reader.fields is None else set().union(*returned) - reader.fields
    return f"{reader.where} has no field for {sorted(odd)}" if odd else None


@pytest.mark.parametrize("service", SERVICES)
async def test_each_query_is_passed_the_values_that_it_has_parameters_for(prepared: Prepared, service: str) -> None:
    uses = list(source(service).uses())
    assert [said for use in uses if (said := wrong(use, types_of(prepared[service, use.query])))] == []
    by_name = {FRAME, *writes_of_a_commit()} if service == "projector" else set()
    assert files(service).keys() - {use.query for use in uses} == by_name


async def test_each_table_of_a_commit_has_a_column_for_each_parameter(prepared: Prepared) -> None:
    for name, columns in writes_of_a_commit().items():
        kinds = [next((type(value).__name__ for value in column if value is not None), None) for column in columns]
        types = [type_.removesuffix("[]") for type_ in types_of(prepared["projector", name])]
        assert wrong(Use(name, "rows.py", tuple(kinds)), types) is None


async def test_a_commit_of_all_tables_is_one_statement_of_all_their_columns(
    prepared: Prepared, deployment: Deployment
) -> None:
    writes = tuple(writes_of_a_commit())
    types = [type_ for name in (FRAME, *writes) for type_ in types_of(prepared["projector", name])]
    async with deployment.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL search_path = fold_v1, public")
        assert types_of(await conn.prepare(statement_of(writes))) == types


@pytest.mark.parametrize("service", SERVICES)
async def test_each_query_returns_what_is_read_of_its_rows(prepared: Prepared, service: str) -> None:
    def returned(reader: Reader) -> list[set[str]]:
        return [{one.name for one in prepared[service, query].get_attributes()} for query in sorted(reader.queries)]

    readers = list(source(service).readers())
    assert [said for reader in readers if (said := misread(reader, returned(reader)))] == []


def test_a_use_that_is_wrong_is_noticed() -> None:
    """The control: a value too few, a value of another type, a column that is not there, and one too many."""
    good = Use("find", "reads.py:1", ("str", "int", ARRAY, None))
    types = ["text", "int8", "text[]", "date"]
    assert wrong(good, types) is None
    assert wrong(good, types[1:]) == "reads.py:1: find has 3 parameters, and 4 values are passed"
    assert wrong(good, ["int4", "int8", "text", "date"]) == (
        "reads.py:1: find: $1 is int4, and str is passed; $3 is text, and array is passed"
    )
    reader = Reader("reads.py: timer", {"find"}, {"id"}, {"id", "owner"})
    assert misread(reader, [{"id", "owner"}]) is None
    assert misread(reader, [{"owner"}]) == "reads.py: timer reads ['id'], which no query of it returns"
    assert misread(reader, [{"id", "zone"}]) == "reads.py: timer has no field for ['zone']"


def test_what_the_source_says_of_a_use_is_found(tmp_path: Path) -> None:
    """The control of the reading: a constant, a variable that is set twice, values that are spread, and a helper."""
    (tmp_path / "reads.py").write_text(
        '_FIND = query("find")\n'
        "def timer(tenant: str, ids: list[int], short: bool):\n"
        "    page = (tenant, 1)\n"
        '    sql = query("find_short")\n'
        "    if short:\n"
        "        return run(sql, *page)\n"
        "    sql = _FIND\n"
        "    return of(run(sql, *page, ids, tenant.zone))\n"
        "def of(row):\n"
        '    return row["id"]\n'
    )
    found = Source(tmp_path)
    assert sorted(found.uses(), key=lambda use: use.query) == [
        Use("find", "reads.py:8", ("str", "int", ARRAY, None)),
        Use("find_short", "reads.py:6", ("str", "int")),
    ]
    [reader] = found.readers()
    assert (reader.queries, reader.columns) == ({"find", "find_short"}, {"id"})
