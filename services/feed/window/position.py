"""Positions: where a reader stands on each partition, and the text that callers keep of that.

A tenant's feed is of many partitions, so a position has a place for each. The text is opaque to callers and safe in a
URL: base64url of a version, the places, and a CRC-32 that tells a mistyped one. One of 12 partitions has about 90
characters. One of 256, the most of a new deployment, has about 2,000, and less than 4,000 on a log of 10^10 records a
partition. A deployment with more partitions reads its positions too, but a gateway may not take them.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_VERSION: Final = b"\x01"
_CRC_BYTES: Final = 4
_OFFSET_BITS_MAX: Final = 63
_PLACE_NUMBERS: Final = 2
# Both numbers of a place, where each is as large as an offset can be.
_PLACE_BYTES_MAX: Final = 9 + 10


class FeedPlace(NamedTuple):
    """A place on one partition. `next`: the offset on the judged stream that is read next.

    `wanted`: the lowest `source_offset` that is new. The stream repeats outcomes; what is below was passed already.
    """

    next: int
    wanted: int


START: Final = FeedPlace(0, 0)


def spell(parts: Sequence[bytes]) -> str:
    """Return the text of a position, of its places as `place_bytes` has them."""
    body = _VERSION + b"".join(parts)
    return base64.urlsafe_b64encode(body + binascii.crc32(body).to_bytes(_CRC_BYTES)).rstrip(b"=").decode()


def place_bytes(place: FeedPlace) -> bytes:
    """Return a place in few bytes. Both numbers are near each other, so the second is written as its distance."""
    ahead = place.next - place.wanted
    return _varint(place.wanted) + _varint(2 * ahead if ahead >= 0 else -2 * ahead - 1)


def text_length_max(partitions: int) -> int:
    """Return how many characters a position of so many partitions has at most. What is longer is not looked at."""
    size = len(_VERSION) + partitions * _PLACE_BYTES_MAX + _CRC_BYTES
    return -(-size * 4 // 3)


def read_position(text: str, partitions: int) -> tuple[FeedPlace, ...] | None:
    """Return the places of a position, or None: the text is none, or is of a deployment with other partitions."""
    if len(text) > text_length_max(partitions) or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    body, crc = raw[:-_CRC_BYTES], raw[-_CRC_BYTES:]
    if body[:1] != _VERSION or binascii.crc32(body).to_bytes(_CRC_BYTES) != crc:
        return None
    numbers = list(_numbers(body[1:]))
    if len(numbers) != _PLACE_NUMBERS * partitions:
        return None
    places = tuple(_place(*numbers[at : at + _PLACE_NUMBERS]) for at in range(0, len(numbers), _PLACE_NUMBERS))
    return places if all(0 <= number < 1 << _OFFSET_BITS_MAX for place in places for number in place) else None


class MovingPosition:
    """A reader's position as it moves. Only a place that moved is written anew, so a text costs little."""

    def __init__(self, places: Sequence[FeedPlace]) -> None:
        self._places = list(places)
        self._parts = [place_bytes(place) for place in places]

    def __getitem__(self, partition: int) -> FeedPlace:
        """Return the place on one partition."""
        return self._places[partition]

    @property
    def text(self) -> str:
        """The position as callers get it."""
        return spell(self._parts)

    def move(self, partition: int, to: FeedPlace) -> None:
        """Stand at `to` or beyond it on one partition. A place never goes back."""
        now = self._places[partition]
        to = FeedPlace(max(now.next, to.next), max(now.wanted, to.wanted))
        if to != now:
            self._places[partition] = to
            self._parts[partition] = place_bytes(to)

    def pass_all(self, frontier: Sequence[FeedPlace]) -> None:
        """Stand at the places of a frontier or beyond them: all up to there was looked at."""
        for partition, to in enumerate(frontier):
            self.move(partition, to)


def _place(wanted: int, ahead: int) -> FeedPlace:
    return FeedPlace(wanted + (ahead // 2 if ahead % 2 == 0 else -(ahead + 1) // 2), wanted)


def _varint(number: int) -> bytes:
    spelt = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte, the eighth says that more follow
        spelt.append(number & 0x7F | 0x80)
        number >>= 7
    spelt.append(number)
    return bytes(spelt)


def _numbers(spelt: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in spelt:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            yield number
            number = shift = 0
