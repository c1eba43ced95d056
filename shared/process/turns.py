"""Turns of the event loop: what has begun is written to its socket before something else begins.

A loop that has answers to send and more to ask for would ask first: its own next step comes at once, and what it handed
over is written one or two turns later. Then those who wait for the answers wait until the next request is made and
written too. To let the answers go first costs the loop two turns.
"""

import asyncio


async def others_first() -> None:
    """Wait until what was handed over is on its socket: one turn makes the request, the next one writes it."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
