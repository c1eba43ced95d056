"""Revisions: all that one tenant ever set, small enough that every process can keep it for ever.

A document may be 64 kB, which takes over a megabyte once it is read. So only the newest one is kept as it was read. Of
each one there are its terms, because any late press may be judged by them, and its record as packed bytes, from which
the rest is read again when it is asked for.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.events.policies.terms import Terms

# Fast. A document of 3,000 holidays becomes a seventh of what it was.
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """Who set a revision, when, in the place of which one, and from when it counts."""

    revision: int
    replaces: int | None
    set_by: str
    set_at: datetime
    begins: datetime


class Revisions:
    """One tenant's revisions, in their order."""

    def __init__(self) -> None:
        self.settings: list[Setting] = []
        self.terms: list[Terms] = []
        self._revisions: list[int] = []
        self._packed: list[bytes] = []

    def add(self, setting: Setting, terms: Terms, value: bytes) -> None:
        """Keep a revision that came into force."""
        self.settings.append(setting)
        self.terms.append(terms)
        self._revisions.append(setting.revision)
        self._packed.append(zlib.compress(value, _LEVEL))

    def count(self, up_to: int) -> int:
        """Return how many of the revisions are at or below `up_to`."""
        return bisect_right(self._revisions, up_to)

    def value(self, revision: int) -> bytes | None:
        """Return the record of a revision as it was written, or None: there is no such revision."""
        place = bisect_left(self._revisions, revision)
        if place == len(self._revisions) or self._revisions[place] != revision:
            return None
        return zlib.decompress(self._packed[place])

    def newest(self, before: int | None, most: int) -> Sequence[Setting]:
        """Return up to `most` of the revisions below `before`, newest first."""
        end = len(self._revisions) if before is None else bisect_left(self._revisions, before)
        return self.settings[max(0, end - most) : end][::-1]
