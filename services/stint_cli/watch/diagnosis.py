"""Diagnosis: what one check found, for people and for programs."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found. `advice` None: it is as it must be. `more` is for programs alone."""

    check: str
    found: str
    advice: str | None = None
    more: dict[str, Any] | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        """The finding as JSON."""
        ok = self.advice is None
        return {"check": self.check, "ok": ok, "found": self.found, "advice": self.advice} | (self.more or {})

    @property
    def line(self) -> str:
        """The finding for people: a second line says what to do."""
        line = f"{'ok   ' if self.advice is None else 'WRONG'}  {self.check:<14}  {self.found}"
        return line if self.advice is None else f"{line}\n       {'':<14}  do: {self.advice}"
