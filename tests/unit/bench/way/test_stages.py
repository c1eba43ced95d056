"""Stages of presses that came one after the other, as a table."""

from bench.way.stages import stages_of

MS = 1_000_000


def test_a_stage_is_told_by_its_time_after_the_clients_write_and_a_second_one_apart() -> None:
    presses = [(begun, begun + 5 * MS) for begun in (0, 10 * MS, 20 * MS)]
    stamps = [
        (begun + after * MS, what)
        for begun, _ in presses
        for after, what in ((3, "committed"), (1, "asked"), (2, "asked"), (7, "asked"))
    ]
    said = stages_of([*presses, (30 * MS, 35 * MS)], [*stamps, (4 * MS, "heartbeat")])
    assert [line.split("|")[1:3] for line in said.splitlines()[2:]] == [
        [" asked                     ", " 1.000 "],
        [" asked, 2                  ", " 2.000 "],
        [" committed                 ", " 3.000 "],
        [" the client has the answer ", " 5.000 "],
        [" asked, 3                  ", " 7.000 "],
    ]
