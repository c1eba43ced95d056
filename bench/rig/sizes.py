"""How large a process is: its memory, its open files and its connections, from /proc."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_MEMORY: Final = "VmRSS:"
_SOCKET: Final = "socket:"
_KB: Final = 1024


@dataclass(frozen=True, slots=True)
class Size:
    """One process at one moment."""

    memory_bytes: int
    descriptors: int
    connections: int


def size_of(pid: int, proc: Path = _PROC) -> Size:
    """Return the size of a running process. Connections are sockets, those that listen too."""
    folder = proc / str(pid)
    status = (folder / "status").read_text().splitlines()
    [memory_kb] = [int(line.split()[1]) for line in status if line.startswith(_MEMORY)]
    open_to = _open_to(folder / "fd")
    return Size(memory_kb * _KB, len(open_to), sum(each.startswith(_SOCKET) for each in open_to))


def _open_to(folder: Path) -> list[str]:
    targets = []
    for entry in folder.iterdir():
        try:
            targets.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return targets
