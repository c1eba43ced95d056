"""A process has the size that the kernel tells."""

import os
import socket
from pathlib import Path

from bench.rig.sizes import Size, size_of


def test_memory_descriptors_and_connections_are_those_of_the_process(tmp_path: Path) -> None:
    fd = tmp_path / "7" / "fd"
    fd.mkdir(parents=True)
    (tmp_path / "7" / "status").write_text("Name:\tpython\nVmHWM:\t 900 kB\nVmRSS:\t 88 kB\n")
    for number, target in enumerate(("/dev/null", "socket:[1]", "socket:[2]", "anon_inode:[eventpoll]")):
        (fd / str(number)).symlink_to(target)
    assert size_of(7, tmp_path) == Size(88 * 1024, descriptors=4, connections=2)


def test_a_socket_more_is_a_connection_more() -> None:
    before = size_of(os.getpid())
    with socket.socket():
        assert size_of(os.getpid()).connections == before.connections + 1
