"""The rounds: what is pressed before anything is measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from bench import rounds
from bench.load.wrk import Load, Target, Told
from bench.report.samples import Party
from bench.rounds import Plan, warm_up
from deploy.local.process import Process


@dataclass(frozen=True)
class Anyone:
    """Somebody who can be pressed, and runs nowhere."""

    target: Target
    processes: Mapping[str, Process]


def test_the_broker_is_warmed_up_on_the_way_of_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load whose starts have comments was measured while Java compiled their way."""
    pressed: dict[str, Load] = {}

    def press(_: Target, load: Load, owners: str) -> Told:
        pressed[owners] = load
        return Told(0, 0, 1.0, 0, 0.0, 0.0, 0.0, "")

    monkeypatch.setattr(rounds, "press", press)
    plan = Plan(rounds=1, seconds=3, clients=(64,), warm_up_seconds=20)
    anyone = Anyone(Target("http://nowhere"), {})
    warm_up({Party.PRODUCT: anyone, Party.CRUD: anyone}, plan, lambda _: None)
    assert pressed == {"warm-product": Load(64, 20, rounds.COMMENT), "warm-crud": Load(64, 3)}
