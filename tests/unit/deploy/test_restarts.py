"""A part that dies is started again, each time a little later. A part that dies too often ends the run."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from deploy.local.keeper import Keeper, Part
from deploy.local.process import Process, Program
from deploy.local.restarts import Restarts
from deploy.local.trouble import Trouble

LOOK_SECONDS = 0.1


def test_pauses_grow_and_the_fourth_death_within_a_minute_is_the_last() -> None:
    restarts = Restarts()
    assert [restarts.pause_after_death(at) for at in (0.0, 10.0, 20.0, 59.9)] == [0.5, 1.0, 2.0, None]
    assert restarts.deaths == 4


def test_a_death_of_a_minute_ago_no_longer_counts() -> None:
    restarts = Restarts()
    assert [restarts.pause_after_death(at) for at in (0.0, 10.0, 20.0)] == [0.5, 1.0, 2.0]
    assert restarts.pause_after_death(60.0) == 2.0
    assert restarts.pause_after_death(70.0) == 2.0
    assert restarts.pause_after_death(79.9) is None


def test_a_part_that_dies_now_and_then_is_started_again_for_ever() -> None:
    restarts = Restarts()
    assert {restarts.pause_after_death(at * 30.0) for at in range(2, 100)} == {0.5, 1.0}


class Fake(Process):
    """A process that dies and is ready when a test says so."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(Program(name=name, argv=[], environ={}), log, log)
        self.status: int | None = None
        self.starts = 0
        self.is_ready = True
        self.words = b""

    @property
    def alive(self) -> bool:
        return self.status is None

    @property
    def ready(self) -> bool:
        return self.is_ready

    @property
    def exit_status(self) -> int | None:
        return self.status

    def start(self) -> None:
        self.status, self.starts = None, self.starts + 1

    def _logged(self) -> bytes:
        return self.words


def _itself(fake: Fake) -> Process:
    return fake


@dataclass
class Run:
    """A keeper of two parts, on a clock that a test moves."""

    folder: Path
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kafka, self.api = Fake("kafka", self.folder), Fake("command_api", self.folder)
        parts = [Part(fake.name, fake.start, partial(_itself, fake)) for fake in (self.kafka, self.api)]
        self.keeper = Keeper(parts, self.said.append, lambda: self.now)

    def passes(self, seconds: float) -> bool:
        """Look every tenth of a second for `seconds`, and return whether all was ready at the end."""
        ready = self.keeper.look()
        until = self.now + seconds
        while self.now < until:
            self.now = round(self.now + LOOK_SECONDS, 3)
            ready = self.keeper.look()
        return ready


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_nothing_is_printed_or_started_while_all_parts_live(run: Run) -> None:
    assert run.passes(5.0)
    assert (run.said, run.kafka.starts, run.api.starts) == ([], 0, 0)


def test_a_killed_part_alone_is_started_after_its_pause(run: Run) -> None:
    run.api.status = -9
    assert not run.passes(0.4)
    assert run.api.starts == 0
    assert run.passes(0.2)
    assert (run.api.starts, run.kafka.starts) == (1, 0)
    assert run.said == [
        "command_api ended with signal 9 (SIGKILL); starting it again in 0.5 s",
        "All is ready again, after 0.5 s",
    ]


def test_an_unrequested_orderly_end_counts_as_a_death(run: Run) -> None:
    run.api.status = 0
    run.passes(1.0)
    assert run.api.starts == 1
    assert run.said[0] == "command_api ended with status 0; starting it again in 0.5 s"


def test_all_is_ready_only_when_the_surviving_parts_say_so(run: Run) -> None:
    """An API lives on without a broker, and is ready a moment after the broker."""
    run.kafka.status, run.api.is_ready = -9, False
    assert not run.passes(3.0)
    assert len(run.said) == 1
    run.api.is_ready = True
    assert run.passes(0.0)
    assert run.said[1:] == ["All is ready again, after 3.0 s"]


def test_parts_that_die_together_pause_and_count_each_alone(run: Run) -> None:
    for _ in range(3):
        run.kafka.status = run.api.status = 1
        run.passes(2.1)
    assert (run.kafka.starts, run.api.starts) == (3, 3)


def test_the_fourth_death_ends_the_run_with_one_line(run: Run) -> None:
    """The line names the part, how it ended, and its log."""
    run.api.words = b"starting\nthe port is taken\n\n"
    for _ in range(3):
        run.api.status = 3
        run.passes(2.1)
    run.api.status = 3
    with pytest.raises(Trouble) as caught:
        run.keeper.look()
    assert str(caught.value) == (
        "command_api died 4 times within 60 s and is not started again; the last time it ended with status 3: "
        f"the port is taken - its log: {run.api.log}. Put that right, then start anew."
    )
    assert run.api.starts == 3
