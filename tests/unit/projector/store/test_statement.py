"""The statement of a commit: its frame, and each write in it behind the gate."""

import re
from typing import Final

from services.projector.helpers.bulk import BESIDE_THE_FOLD, READ_MODELS
from services.projector.store.queries import query
from services.projector.store.statement import FRAME, reading_from, statement_of, types_of

ALL: Final = (*sorted(BESIDE_THE_FOLD), *READ_MODELS)


def test_a_commit_without_rows_is_the_compare_and_set_alone() -> None:
    said = [line for line in query(FRAME).splitlines() if not line.startswith("--")]
    assert statement_of(()) == "\n".join(said).removesuffix(";")


def test_a_write_is_put_in_with_its_parameters_counted_on() -> None:
    before, after = statement_of(()).rsplit("\n)\nSELECT", 1)
    assert statement_of(("insert_dead_letters",)) == (
        f"{before}\n), insert_dead_letters AS (\n"
        "INSERT INTO dead_letter (kpart, source_offset, log_time, reason)\n"
        "SELECT * FROM (SELECT row.* FROM gate CROSS JOIN "
        "unnest($13::integer[], $14::bigint[], $15::timestamptz[], $16::text[]) AS row)\n"
        f")\nSELECT{after}"
    )


def test_each_write_reads_its_rows_through_the_gate() -> None:
    """A write past the gate would write what another projector has written, or before its checkpoint is locked."""
    [frame, *writes] = re.split(r"\n\), (?=\w+ AS \(\n(?:INSERT|MERGE))", statement_of(ALL))
    assert [write.split()[0] for write in writes] == list(ALL)
    for write in writes:
        assert write.count("unnest(") == write.count("FROM gate CROSS JOIN unnest(") == 1
    taken = [int(number) for number in re.findall(r"\$(\d+)::\w+\[\]", statement_of(ALL))]
    assert taken == list(range(1, 13 + sum(len(types_of(name)) for name in ALL)))
    assert "gate AS MATERIALIZED" in frame


def test_the_largest_statement_is_kept_prepared() -> None:
    """A longer one than 15 kB is prepared anew each time: `max_cacheable_statement_size` of asyncpg."""
    assert len(statement_of(ALL)) < 15_000


def test_a_write_reads_from_another_place_what_it_reads_from_arrays() -> None:
    assert types_of("insert_dead_letters") == ["integer", "bigint", "timestamptz", "text"]
    assert reading_from("insert_dead_letters", "parked").endswith("\nSELECT * FROM parked;\n")
