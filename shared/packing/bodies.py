"""Bodies: an outcome's JSON in fewer bytes, and back to the very bytes it was.

An outcome is some 1,400 bytes, nearly all of them words of the format, which are in the dictionary. For the processes
that pack and unpack it is one call of some microseconds, on the one thread that each of them has.
"""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The dictionary that rows are packed with. Each one that is there can be read.
_NUMBER: Final = 1
# Higher levels take three times as long, and a row would be 5 % smaller.
_LEVEL: Final = 3


class UnknownDictionaryError(Exception):
    """The body was packed by a newer release: upgrade this process."""


class DamagedBodyError(Exception):
    """The packed bytes are not those that were written, so no release can read them."""


def file_of(number: int) -> Path:
    """Return where a dictionary is, or would be."""
    return Path(__file__).with_name(f"{number}.zdict")


def pack(body: bytes) -> bytes:
    """Return the packed bytes of a body."""
    return _packer().compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


def unpack(packed: bytes) -> bytes:
    """Return the body again, byte for byte. Raises UnknownDictionaryError and DamagedBodyError."""
    try:
        number = zstd.get_frame_info(packed).dictionary_id
        if not number:
            raise DamagedBodyError("it names no dictionary, and each release packs with one")
        return zstd.decompress(packed, _dictionary(number))
    except zstd.ZstdError as damaged:
        raise DamagedBodyError(str(damaged)) from None


def body_of(body: str, packed: bytes | None) -> str:
    """Return the body of a row, which has it packed, or as text. Raises as `unpack` does."""
    try:
        return body if packed is None else unpack(packed).decode()
    except UnicodeDecodeError:
        raise DamagedBodyError("it is not UTF-8") from None


@lru_cache(1)
def _packer() -> zstd.ZstdCompressor:
    known = zstd.CompressionParameter
    # A frame ends with its checksum, so that no other body ever comes back, whatever became of a dictionary.
    options: dict[int, int] = {known.compression_level: _LEVEL, known.checksum_flag: True}
    # Digested once. Otherwise each call would look through the whole dictionary first.
    return zstd.ZstdCompressor(options=options, zstd_dict=_dictionary(_NUMBER).as_digested_dict)


@lru_cache(255)
def _dictionary(number: int) -> zstd.ZstdDict:
    try:
        return zstd.ZstdDict(file_of(number).read_bytes())
    except FileNotFoundError:
        raise UnknownDictionaryError(
            f"a body is packed with dictionary {number}, which this release does not have: upgrade this process"
        ) from None
