"""Evidence: what a run leaves behind, as plain values. They do not know whether the run was real or seeded.

A history is JSON lines, two for each operation: one when it was invoked, one when its caller got an answer or none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol

from shared.events.envelope import Headers


@dataclass(frozen=True, slots=True)
class Op:
    """One line of a history. `ok`: 200, 201. `fail`: a definite 4xx. `info`: 202, 5xx, and silence.

    `op` is what was asked (start, pause, resume, stop, ask; or the type of an event that did not come through the
    API), `client` one client that does one thing after the other, `t` seconds, `position` "p:offset".
    """

    t: float
    client: str
    op: str
    event_id: str | None
    timer_id: str | None
    type: Literal["invoke", "ok", "fail", "info"]
    body: Mapping[str, Any] | None = None
    status: int | None = None
    position: str | None = None


class Logged(Protocol):
    """One record of a topic, as any client reads it."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def log_time(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """A record of a topic, as the seeded world writes it into its evidence."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    log_time: datetime | None = None


def source_of(value: bytes | None) -> int | None:
    """Return the offset of the event that an outcome is about, or None if the value is no outcome."""
    try:
        said = json.loads(value or b"")
        return int(said["source_offset"]) if said["v"] == 1 and said["log_time"] else None
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class CheckpointMove:
    """One move of a checkpoint by a commit. `restored`: an older dump put it back."""

    kpart: int
    read_at: int
    to: int
    restored: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that is left of a run, healed and drained: topics from their beginning, and tables in key order.

    `tables` are lines of canonical JSON, as `tests.support.proof.tables.dump` returns them. `breaks` names clients
    whose presses were made to fail inside a rule, `also` types that the release that drained could read, and as which.
    `ended_at` is the end by a clock that never jumped, None when there was no such clock.
    """

    partitions: int
    history: Sequence[Op]
    events: Sequence[Logged]
    outcomes: Sequence[Logged]
    policies: Sequence[Logged]
    tables: Mapping[str, str]
    moves: Sequence[CheckpointMove] = ()
    breaks: frozenset[str] = frozenset()
    also: Mapping[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of one table."""
        return [json.loads(line) for line in self.tables[table].splitlines()]

    @cached_property
    def judged(self) -> list[tuple[int, dict[str, Any], bytes]]:
        """The first occurrence of each outcome on the judged stream: partition, outcome, its bytes."""
        found, upto = [], dict[int, int]()
        for record in self.published:
            outcome = json.loads(record.value or b"null")
            if outcome["source_offset"] > upto.get(record.partition, -1):
                upto[record.partition] = outcome["source_offset"]
                found.append((record.partition, outcome, record.value or b""))
        return found

    @cached_property
    def published(self) -> list[Logged]:
        """The outcomes on the judged stream, in order, repeats included; foreign records are left out."""
        ordered = sorted(self.outcomes, key=lambda record: (record.partition, record.offset))
        return [record for record in ordered if source_of(record.value) is not None]

    def event_ids(self) -> dict[str, list[tuple[int, int]]]:
        """Return where on the log each event id lies: partition and offset, in order."""
        found: dict[str, list[tuple[int, int]]] = {}
        for record in self.events:
            for name, value in record.headers:
                if name == "ce_id" and value is not None:
                    found.setdefault(value.decode(errors="replace"), []).append((record.partition, record.offset))
        return found
