"""A real Kafka and a real Postgres for tests: on free ports, in a folder of their own, with short sessions."""

import os
import subprocess
from pathlib import Path

from deploy.local.machine import on_free_ports
from deploy.local.stack import Stack

CONTAINERS = os.environ.get("STINT_TEST_STACK", "local") == "containers"


def chosen_stack_in(home: Path) -> Stack:
    """Return what STINT_TEST_STACK says: processes (`local`, the default), or containers."""
    if not CONTAINERS:
        return stack_in(home)
    # Imported only here, because a machine without Docker need not have the library.
    from tests.support.stack.containers import ContainedStack  # noqa: PLC0415

    return stack_in(home, ContainedStack)


def stack_in(home: Path, kind: type[Stack] = Stack) -> Stack:
    """Return a stack of its own folder and ports, not yet started."""
    return kind(
        on_free_ports(home),
        broker_properties={
            # A killed member's partitions move after its session, which is two seconds here instead of ten.
            "group.min.session.timeout.ms": "1000",
            # What is erased leaves the disk when the cleaner looks next: within a second here instead of fifteen.
            "log.cleaner.backoff.ms": "1000",
            # A partition's indexes are files of this size from the start, and a test reads every file of the broker.
            "log.index.size.max.bytes": "1048576",
        },
        jvm_flags=[
            "-XX:TieredStopAtLevel=1"
        ],  # the broker starts sooner, and does not run long enough to need the second compiler
        postgres_options={
            # Tests kill processes, never the machine. Writes of a killed process survive in the cache of the kernel.
            "fsync": "off",
            "log_lock_waits": "on",
        },
    )


def no_engine() -> str | None:
    """Return in one line why no containers can run here, or None if they can."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            works = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            works = False
        if not works:
            tried = " ".join(command)
            return (
                f"`{tried}` fails: install Docker with its compose plugin (Debian: apt-get install docker.io), start it"
            )
    return None
