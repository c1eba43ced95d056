"""The feed: over restarts, repeats and other processes, a reader hears each outcome of its tenant once, or 410."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import hypothesis
from hypothesis import strategies as st

from services.feed.window.backlog import Backlog, Stretch, starts
from services.feed.window.position import FeedPlace, read_position
from services.feed.window.record import StreamRecord
from services.feed.window.walk import Walk
from services.feed.window.window import FeedWindow
from tests.support.proof.laws import assert_noticed
from tests.support.story.judged import judged

PARTITIONS = 2
TENANTS = ("acme", "other")
LARGE = 1 << 30

Draw = Callable[[st.SearchStrategy[int]], int]


@st.composite
def streams(draw: st.DrawFn) -> list[list[StreamRecord]]:
    """Return the judged stream, by partition: first occurrences in order, and runs of repeats anywhere."""
    stream = []
    for partition in range(PARTITIONS):
        written: list[tuple[int, str]] = []
        records: list[tuple[int, str]] = []
        source = 0
        for _ in range(draw(st.integers(0, 12))):
            source += draw(st.integers(1, 3))
            written.append((source, draw(st.sampled_from(TENANTS))))
            records.append(written[-1])
            if draw(st.booleans()):
                first = draw(st.integers(0, len(written) - 1))
                records += written[first : draw(st.integers(first, len(written)))]
        stream.append(
            [
                replace(
                    judged(source, tenant, partition=partition, offset=offset, at_ms=offset),
                    body=b"%d:%d" % (partition, source),
                )
                for offset, (source, tenant) in enumerate(records)
            ]
        )
    return stream


@dataclass
class Process:
    """One process of the feed. It began when the stream had come to `begins`, and reads on in an order of its own."""

    stream: list[list[StreamRecord]]
    begins: Sequence[int]
    outcomes_max: int
    window: FeedWindow = field(init=False)

    def __post_init__(self) -> None:
        begin = starts({p: Stretch(0, end) for p, end in enumerate(self.begins)}, self.outcomes_max)
        backlog = Backlog(begin, bytes_max=LARGE, outcomes_max=self.outcomes_max)
        for partition, end in enumerate(self.begins):
            for record in self.stream[partition][begin[partition] : end]:
                backlog.add(record)
        self.window = backlog.window()
        self.read = list(self.begins)

    def reads(self, partition: int, count: int) -> None:
        """Read some more records of one partition."""
        at = self.read[partition]
        more = self.stream[partition][at : at + count]
        for record in more:
            self.window.add(record)
        self.read[partition] = at + len(more)


class Reader:
    """A reader that keeps what it hears, and goes on after the last line that it kept."""

    def __init__(self, position: str, *, forgets: bool = False) -> None:
        self.heard: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
        self.gone = False
        self._position = position
        self._forgets = forgets

    def visit(self, draw: Draw, process: Process) -> None:
        """Walk at one process for a while, during which that reads on."""
        places = read_position(self._position, PARTITIONS)
        assert places is not None
        if self._forgets:
            places = tuple(FeedPlace(place.next, 0) for place in places)
        if not process.window.holds(places):
            self.gone = True
            return
        with Walk(process.window, "acme", places) as walk:
            for _ in range(draw(st.integers(1, 4))):
                lines = walk.take(draw(st.integers(1, 20)))
                # A reader may crash after any line: it has kept those up to there.
                kept = len(lines) - draw(st.integers(0, len(lines)))
                for line in lines[:kept]:
                    partition, source = map(int, line.body.split(b":"))
                    self.heard[partition].append(source)
                    self._position = line.position
                if kept < len(lines):
                    return
                self._position = walk.position
                process.reads(draw(st.integers(0, PARTITIONS - 1)), draw(st.integers(0, 12)))

    def finish(self, stream: list[list[StreamRecord]]) -> None:
        """Hear the rest, at a process that has all of the stream."""
        places = read_position(self._position, PARTITIONS)
        assert places is not None
        whole = Process(stream, [len(records) for records in stream], LARGE)
        with Walk(whole.window, "acme", places) as walk:
            while lines := walk.take():
                for line in lines:
                    partition, source = map(int, line.body.split(b":"))
                    self.heard[partition].append(source)


def first_occurrences(stream: list[list[StreamRecord]]) -> dict[int, list[int]]:
    """Return what the contract says that a reader of the topic keeps."""
    found: dict[int, list[int]] = {}
    for partition, records in enumerate(stream):
        last = -1
        found[partition] = []
        for record in records:
            assert record.source_offset is not None
            if record.source_offset > last:
                last = record.source_offset
                if record.tenant == "acme":
                    found[partition].append(last)
    return found


def reads_as_promised(data: st.DataObject, *, forgets: bool = False) -> None:
    stream = data.draw(streams())
    processes = [Process(stream, [0] * PARTITIONS, data.draw(st.integers(3, 60)))]
    reader = Reader(processes[0].window.begin_text, forgets=forgets)
    for _ in range(data.draw(st.integers(1, 10))):
        if data.draw(st.booleans()):
            begins = [data.draw(st.integers(0, len(records))) for records in stream]
            processes.append(Process(stream, begins, data.draw(st.integers(1, 20))))
        reader.visit(data.draw, data.draw(st.sampled_from(processes)))
        if reader.gone:
            break
    if not reader.gone:
        reader.finish(stream)
    for partition, sources in first_occurrences(stream).items():
        heard = reader.heard[partition]
        assert heard == (sources[: len(heard)] if reader.gone else sources)


@hypothesis.given(st.data())
def test_a_reader_hears_each_outcome_once_or_that_it_is_gone(data: st.DataObject) -> None:
    reads_as_promised(data)


@hypothesis.given(st.data())
def test_a_reader_hears_nothing_from_before_the_place_where_it_began(data: st.DataObject) -> None:
    """It began at a process that had just begun too, and goes on at one that has all of the stream."""
    stream = data.draw(streams())
    begins = [data.draw(st.integers(0, len(records))) for records in stream]
    places = Process(stream, begins, data.draw(st.integers(1, 20))).window.frontier
    assert [place.next for place in places] == begins
    whole = Process(stream, [len(records) for records in stream], LARGE)
    with Walk(whole.window, "acme", places) as walk:
        heard = [tuple(map(int, line.body.split(b":"))) for line in walk.take()]
    news = set()
    for records, n in zip(stream, begins, strict=True):
        passed = {record.source_offset for record in records[:n]}
        # What comes again after the place was told before it.
        fresh = [r for r in records[n:] if r.source_offset not in passed and r.tenant == "acme"]
        news |= {(record.partition, record.source_offset) for record in fresh}
    assert set(heard) == news


def test_a_reader_that_keeps_offsets_alone_hears_repeats() -> None:
    """The control: a position without its second number."""

    @hypothesis.given(st.data())
    def forgetful(data: st.DataObject) -> None:
        reads_as_promised(data, forgets=True)

    assert_noticed(nullcontext, forgetful)
