"""Filling the new tables: what is said meanwhile."""

from typing import cast

import asyncpg
import pytest

from services.projector.helpers.helpers import HelperProcesses
from services.projector.ports import Checkpoint, Span
from services.projector.rebuild.fill import Filling
from shared.kafka.clients import KafkaAddress

READ, END = 2, 7


async def test_how_much_there_is_to_fill_is_said_before_any_of_it_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first outcomes of a large rebuild take a while, and nothing else says that it has begun."""
    told: list[tuple[int, int]] = []
    no_helpers, nowhere = HelperProcesses(None, 0), KafkaAddress(bootstrap_servers="nowhere:9092")
    filling = Filling(nowhere, cast("asyncpg.Pool", None), no_helpers, lambda done, total: told.append((done, total)))

    async def span(_: int) -> Span:
        return Span(0, END)

    async def checkpoint(kpart: int) -> Checkpoint:
        return Checkpoint(kpart, outcomes_next=READ)

    async def fill(_: int) -> None:
        assert told == [(2 * READ, 2 * END)]

    monkeypatch.setattr(filling._stream, "span", span)
    monkeypatch.setattr(filling.store, "checkpoint", checkpoint)
    monkeypatch.setattr(filling, "_fill", fill)
    assert await filling.to_the_end([0, 1]) == 0
