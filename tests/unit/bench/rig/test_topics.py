"""What is kept for ever are the segments of events and outcomes."""

from pathlib import Path

from bench.rig.topics import bytes_kept


def test_segments_count_and_indexes_and_other_topics_do_not(tmp_path: Path) -> None:
    for name, size in (
        ("timer.events.v1-0/00000000000000000000.log", 100),
        ("timer.events.v1-0/00000000000000000000.index", 10_000),
        ("timer.events.v1-11/00000000000000000000.log", 20),
        ("timer.outcomes.v1-0/00000000000000000000.log", 3),
        ("timer.outcomes.v1-0/00000000000000000500.log", 4),
        ("timer.replies.v1-0/00000000000000000000.log", 5_000),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    assert bytes_kept(tmp_path) == 127
