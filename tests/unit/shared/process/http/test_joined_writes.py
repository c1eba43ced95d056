"""An answer leaves in one write, and nothing is held back longer than to the loop's next turn."""

import asyncio
from typing import Final, cast

from shared.process.http.joined_writes import JoinedWrites

HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    """A transport that remembers each write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed_after: int | None = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed_after = len(self.written)

    def is_closing(self) -> bool:
        return self.closed_after is not None


def joined(wire: Wire) -> JoinedWrites:
    return JoinedWrites(cast("asyncio.Transport", wire))


async def test_a_head_and_its_body_are_one_write() -> None:
    wire = Wire()
    out = joined(wire)
    for _ in range(2):
        out.write(HEAD)
        out.write(b"hi")
    await asyncio.sleep(0)
    assert wire.written == [HEAD + b"hi"] * 2


async def test_a_head_alone_leaves_at_the_next_turn() -> None:
    """Its body is a stream that takes its time. Each part of it leaves as it comes."""
    wire = Wire()
    out = joined(wire)
    out.write(HEAD)
    assert wire.written == []
    await asyncio.sleep(0)
    assert wire.written == [HEAD]
    out.write(b"1\r\nh\r\n")
    out.write(b"1\r\ni\r\n")
    assert wire.written == [HEAD, b"1\r\nh\r\n", b"1\r\ni\r\n"]


async def test_a_close_loses_no_head() -> None:
    """An answer without a body that closes its connection."""
    wire = Wire()
    out = joined(wire)
    out.write(HEAD)
    out.close()
    await asyncio.sleep(0)
    assert (wire.written, wire.closed_after, out.is_closing()) == ([HEAD], 1, True)
