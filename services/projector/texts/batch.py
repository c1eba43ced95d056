"""Text batch: what a run of records on `timer.texts.v1` changes, newest last. Pure.

A timer's texts have its id as key, one for each event that started it. A record without a value erases all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError

from shared.events.base import is_writable
from shared.events.ids import SHORT_DIGITS_MAX, parse_timer_id, slot_of, slot_of_timer
from shared.events.texts import TIMER_TEXT, TimerText


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One record of the log, not yet read."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Written:
    """A text about a timer."""

    timer_id: int
    text: TimerText


@dataclass(frozen=True, slots=True)
class Erased:
    """All texts of a timer are to be deleted."""

    timer_id: int


@dataclass(frozen=True, slots=True)
class UnreadableText:
    """A record that does not read. `reason` is a code and a place, and quotes nothing of the record."""

    reason: str


def read_text(record: TextRecord) -> Written | Erased | UnreadableText:
    """Return what a record holds. Never raises: one bad record must not stop its neighbours."""
    timer_id = _timer_id(record.key)
    if timer_id is None:
        return UnreadableText("key: no timer's id")
    if record.value is None:
        return Erased(timer_id)
    try:
        text = TIMER_TEXT.validate_json(record.value)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_context=False, include_url=False)[0]
        # An unknown field's name is the record's own text, so it is not repeated.
        known = problem["loc"] and problem["type"] != "extra_forbidden"
        place = f" at {'.'.join(map(str, problem['loc']))}" if known else ""
        return UnreadableText(f"body: {problem['type']}{place}")
    if slot_of(text.tenant, text.owner) != slot_of_timer(timer_id):
        return UnreadableText("body: the owner does not live in the timer's slot")
    if not is_writable([text.tenant, text.owner, text.comment, text.work_item]):
        return UnreadableText("body: U+0000, which Postgres cannot keep")
    return Written(timer_id, text)


def _timer_id(key: bytes | None) -> int | None:
    if key is None or len(key) > SHORT_DIGITS_MAX or not key.isdigit():
        return None
    return parse_timer_id(key.decode())


@dataclass(slots=True)
class TextBatch:
    """What to do for a run of records: erase first, then keep. Of two texts of one event the later counts."""

    erased: set[int] = field(default_factory=set)
    kept: dict[tuple[int, UUID], TimerText] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[Written | Erased]) -> "TextBatch":
        """Return the effect of `texts`, in their order."""
        batch = cls()
        for text in texts:
            if isinstance(text, Written):
                batch.kept[text.timer_id, text.text.event_id] = text.text
            else:
                batch.erased.add(text.timer_id)
                batch.kept = {key: kept for key, kept in batch.kept.items() if key[0] != text.timer_id}
        return batch
