"""What a commit of a story's outcomes writes, as rows."""

from typing import Any, Final

from services.projector.ports import Advance, Checkpoint
from services.projector.store.rows import rows_of
from shared.events.ids import slot_of
from tests.support.story.given import Story, timer_id

SLOT: Final = slot_of("acme", "dana")
DESK: Final = timer_id("desk")
WHOSE: Final = ("acme", "dana")
MINUTE_US: Final = 60_000_000


def advance(story: Story, since: int = 0) -> Advance:
    return Advance(0, Checkpoint(3), story.kept[since:])


def writes(story: Story, since: int = 0) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a commit of the story's outcomes writes, by query, as rows; but for deadlines and histories."""
    written = {name: list(zip(*lists, strict=True)) for name, lists in rows_of([advance(story, since)]).writes()}
    written.pop("move_deadlines", None)
    written.pop("insert_history", None)
    return written
