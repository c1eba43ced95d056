"""A small disk: a folder of a part on a tmpfs of its own, which a test fills and frees. Only root may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.stack.stacks import CONTAINERS

_ROOM_BYTES: Final = 32 << 20
_PIECE_BYTES: Final = 4096

NEEDS_A_DISK: Final = [
    pytest.mark.fault,
    pytest.mark.skipif(CONTAINERS, reason="the disks are in containers"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]


class SmallDisk:
    """The disk. What it holds stays there when it is full, and when it is free again."""

    def __init__(self, place: Path) -> None:
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        at = 0
        with self._ballast.open("wb") as ballast:
            # In large pieces first, and in ever smaller ones: the last block is taken too.
            piece = _ROOM_BYTES
            while piece >= _PIECE_BYTES:
                try:
                    os.posix_fallocate(ballast.fileno(), at, piece)
                    at += piece
                except OSError:
                    piece //= 2

    def free(self) -> None:
        """Make room, as an operator would."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def on_a_small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Have a folder on a disk with little room, and in its place again afterwards. Its part runs at neither end."""
    whole = folder.with_name(f"{folder.name}.whole")
    folder.rename(whole)
    size = sum(file.stat().st_blocks * 512 for file in whole.rglob("*")) + _ROOM_BYTES
    _mount(whole, folder, size)
    disk = SmallDisk(folder)
    try:
        _copy(whole, folder)
        yield disk
    finally:
        disk.free()
        subprocess.run(["rm", "-rf", whole], check=True)
        _copy(folder, whole)
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        whole.rename(folder)


def _mount(like: Path, folder: Path, size: int) -> None:
    owner = like.stat()
    folder.mkdir(mode=0o700)
    how = f"size={size},mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder], check=True)


def _copy(source: Path, target: Path) -> None:
    # `-a` keeps owners, and holes: Kafka's indexes are ten megabytes each of nearly nothing.
    target.mkdir(exist_ok=True, mode=0o700)
    subprocess.run(["cp", "-a", "--sparse=auto", f"{source}/.", target], check=True)
