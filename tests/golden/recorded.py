"""Recorded logs: a line of JSON for each record, its bytes as text."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOGS: Final = Path(__file__).with_name("log")
NAMES: Final = sorted(path.name for path in LOGS.glob("*"))


@dataclass(frozen=True)
class Recorded:
    """One record at its place. It is what a broker hands out, as far as our readers ask."""

    offset: int
    timestamp: int
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value: bytes | None

    @property
    def type(self) -> str | None:
        """Its `ce_type`, where it has one."""
        type_ = dict(self.headers).get("ce_type")
        return None if type_ is None else type_.decode()

    def line(self) -> str:
        """Return the record as a line of its file."""
        told = {
            "offset": self.offset,
            "timestamp": self.timestamp,
            "key": _text(self.key),
            "headers": [[name, _text(value)] for name, value in self.headers],
            "value": _text(self.value),
        }
        return json.dumps(told, ensure_ascii=False) + "\n"


def records(log: str, topic: str) -> list[Recorded]:
    """Return what a topic holds in a log; nothing: the log has no such topic."""
    file = LOGS / log / f"{topic}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [
        Recorded(
            offset=told["offset"],
            timestamp=told["timestamp"],
            key=_bytes(told["key"]),
            headers=[(name, _bytes(value)) for name, value in told["headers"]],
            value=_bytes(told["value"]),
        )
        for told in map(json.loads, lines)
    ]


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
