"""What `doctor` says of one partition, and what to do about it."""

from dataclasses import replace

import pytest

from services.stint_cli.watch.doctor import of_a_partition, of_the_commands
from services.stint_cli.watch.log import Held
from services.stint_cli.watch.places.commands import Unsettled
from services.stint_cli.watch.places.partitions import Watched

WELL = Watched(kpart=3, log=Held(0, 40), next_offset=40, unpublished=0, projector="10.0.0.7")


@pytest.mark.parametrize(
    ("place", "stuck", "state", "advised"),
    [
        (WELL, False, "judged", None),
        (replace(WELL, next_offset=30), False, "catching up", None),
        (replace(WELL, unpublished=2), False, "catching up", None),
        (replace(WELL, next_offset=30), True, "stuck", "10.0.0.7"),
        (replace(WELL, unpublished=2), True, "not published", "producer_broken"),
        (replace(WELL, projector=None), False, "no projector", "Start a projector"),
        (replace(WELL, next_offset=None), False, "no checkpoint", "stint topics"),
        (replace(WELL, next_offset=41), False, "the log went back", "log_went_back"),
        (replace(WELL, log=Held(41, 50)), False, "the log went back", "log_went_back"),
    ],
)
def test_each_state_of_a_partition_is_named_with_what_to_do(
    place: Watched,
    stuck: bool,  # noqa: FBT001 - a parameter of the table above
    state: str,
    advised: str | None,
) -> None:
    finding = of_a_partition(place, stuck=stuck)
    assert finding.found.startswith(f"{state}, lag {place.lag}, unpublished outcomes {place.unpublished}")
    assert finding.told["ok"] is (advised is None)
    if advised is not None:
        assert advised in (finding.advice or "")
        assert finding.line.splitlines()[1].split()[0] == "do:"


SETTLED = Unsettled(partition=0, begin=5, end=40, committed=40, reader="10.0.0.8")


@pytest.mark.parametrize(
    ("place", "stuck", "lag", "advised"),
    [
        (SETTLED, False, 0, None),
        (replace(SETTLED, committed=30), False, 10, None),
        (replace(SETTLED, committed=None), False, 35, None),
        (replace(SETTLED, reader=None), False, 0, None),
        (replace(SETTLED, committed=30), True, 10, "Partitions 0 stand still"),
        (replace(SETTLED, committed=30, reader=None), True, 10, "COMMAND_API_COMMANDS_AT_ONCE"),
        (replace(SETTLED, committed=3), False, 35, "send them again"),
    ],
)
def test_commands_that_wait_or_are_lost_are_told_with_what_to_do(
    place: Unsettled,
    stuck: bool,  # noqa: FBT001 - a parameter of the table above
    lag: int,
    advised: str | None,
) -> None:
    """A partition that no API reads is well while nobody writes to it: a deployment may read no commands at all."""
    other = replace(SETTLED, partition=1)
    finding = of_the_commands([place, other], {0} if stuck else set())
    assert finding.found.startswith(f"lag {lag}, and APIs read {2 if place.reader else 1} of 2 partitions")
    assert (advised is None, finding.told["lag"]) == (finding.advice is None, lag)
    assert (advised or "") in (finding.advice or "")


def test_a_partition_moves_when_its_checkpoint_or_its_judged_stream_does() -> None:
    behind = replace(WELL, next_offset=30, unpublished=2)
    assert behind.moved_since(replace(behind, next_offset=29))
    assert behind.moved_since(replace(behind, unpublished=3))
    assert not behind.moved_since(replace(behind, log=Held(0, 99)))
