"""Lines: outcomes as JSON lines, and as server-sent events. The bytes of each outcome stay as they are.

A JSON line is `{"position":…,"outcome":…}`; the last line of an answer has a position alone, where the next request
goes on. An event has its position as `id` and the outcome as `data`. An `id` without data is taken by every client of
server-sent events, and shown by none: so a position also moves while nothing comes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from services.feed.calls.asking import FeedAsked
from services.feed.window.walk import Walk


async def json_lines(
    walk: Walk,
    asked: FeedAsked,
    *,
    keep_alive_seconds: float,
    for_seconds: float,
    has_ended: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    """Yield what is there, in pieces. If nothing is, wait for the first lines as long as was asked for.

    A slow reader takes long, so the answer ends early when `for_seconds` have passed or the token has ended. Both
    count before each piece and every `keep_alive_seconds` of a wait. Either way the last line has the position
    from which to go on.
    """
    loop = asyncio.get_running_loop()
    now = loop.time()
    waits_until, lasts_until = now + asked.wait_seconds, now + for_seconds
    left = asked.lines_max

    async def is_over() -> bool:
        return loop.time() >= lasts_until or await has_ended()

    taken = walk.take(left)
    while not taken and not walk.over:
        seconds = min(waits_until, lasts_until) - loop.time()
        if seconds <= 0:
            break
        await walk.news(min(keep_alive_seconds, seconds))
        if await is_over():
            break
        taken = walk.take(left)
    while taken:
        left -= len(taken)
        yield b"".join(b'{"position":"%s","outcome":%s}\n' % (at.encode(), body) for at, body in taken)
        await asyncio.sleep(0)  # one reader with a long way must not keep the others waiting
        # What is taken moves the position, so it is taken only to be sent.
        taken = walk.take(left) if left and not await is_over() else []
    yield b'{"position":"%s"}\n' % walk.position.encode()


async def server_sent_events(
    walk: Walk, *, keep_alive_seconds: float, for_seconds: float, has_ended: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Yield what is there and what comes, until the walk is over, `for_seconds` have passed, or the token has ended.

    `has_ended` is asked before each piece, and at least as often as the stream says that it is alive.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + for_seconds
    yield b"retry: 1000\nid: %s\n\n" % walk.position.encode()
    while not walk.over and (seconds := until - loop.time()) > 0 and not await has_ended():
        if taken := walk.take():
            yield b"".join(b"id: %s\ndata: %s\n\n" % (at.encode(), body) for at, body in taken)
            await asyncio.sleep(0)
        elif not await walk.news(min(keep_alive_seconds, seconds)):
            yield b": quiet\nid: %s\n\n" % walk.position.encode()
