"""Moves: which places that have work do none of it, for as long as a busy one may take to show some."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

_MOVES_WITHIN_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.25

Place = TypeVar("Place")


async def watched(
    look: Callable[[], Awaitable[Mapping[int, Place]]],
    has_work: Callable[[Place], bool],
    moved: Callable[[Place, Place], bool],
) -> tuple[Mapping[int, Place], set[int]]:
    """Look until all that has work has moved, or for five seconds. Return the last look, and what has not moved.

    `moved` is asked with a place as it is now, and as it was at first. The last look begins when the time is over: a
    look on a busy machine may itself take seconds, and does not show what came after it had begun.
    """
    until = asyncio.get_running_loop().time() + _MOVES_WITHIN_SECONDS
    places = await look()
    staying = {number: place for number, place in places.items() if has_work(place)}
    is_last = False
    while staying and not is_last:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        is_last = asyncio.get_running_loop().time() >= until
        places = await look()
        staying = {number: was for number, was in staying.items() if not moved(places[number], was)}
    return places, set(staying)
