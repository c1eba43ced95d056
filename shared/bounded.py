"""Bounds for what is remembered of callers that have proved nothing yet."""

from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


def make_room(kept: dict[_K, _V], most: int) -> None:
    """Drop the oldest entries until one more fits into `most`."""
    while len(kept) >= most:
        del kept[next(iter(kept))]
