"""What the machine must offer before anything starts: free ports, room on the disk, the wheels for this platform."""

import errno
import importlib.util
import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

from deploy.local.settings import HOST, Settings
from deploy.local.trouble import Trouble

FREE_BYTES_MIN = 1024**3
GIB = 1024**3


def check(settings: Settings) -> None:
    """Raise `Trouble` for the first obstacle that would otherwise fail later and less clearly."""
    for folder in (settings.home, settings.cache):
        require_room(folder)
    require_no_comma(settings.home)
    require_free(settings.ports)


def require_no_comma(home: Path) -> None:
    """Raise `Trouble` when Kafka would read the name of its folder as two."""
    if "," in str(home):
        raise Trouble(f"{home} has a comma in its name, at which Kafka divides it: choose another with STINT_HOME.")


def require_free(ports: Mapping[str, int]) -> None:
    """Raise `Trouble` when other programs listen on `ports`, under the settings that chose them. It names all."""
    taken = {name: port for name, port in ports.items() if not _is_free(name, port)}
    if len(taken) == 1:
        ((name, port),) = taken.items()
        raise Trouble(f"Port {port} is taken by another program: end that one, or choose another port with {name}=...")
    if taken:
        raise Trouble(
            f"Ports {', '.join(map(str, taken.values()))} are taken by other programs: end those, or choose other "
            f"ports with {' '.join(f'{name}=...' for name in taken)}"
        )


def _is_free(name: str, port: int) -> bool:
    with socket.socket() as probe:
        # Connections of an ended listener in TIME_WAIT are no obstacle; a living listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise Trouble(f"Port {port} is for root alone: choose one above 1023 with {name}=...") from None
            return False
    return True


def require_room(folder: Path) -> None:
    """Raise `Trouble` when `folder` cannot be written, or its disk is nearly full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A file of its own: two stacks that start at once share the cache.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Trouble(f"{folder} cannot be written ({error.strerror}): choose another with {_mover(folder)}.") from None
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_MIN:
        raise Trouble(
            f"Only {free / GIB:.2f} GiB are free where {folder} lies, and {FREE_BYTES_MIN / GIB:.0f} GiB are needed: "
            f"make room, or move it with {_mover(folder)}."
        )


def _mover(folder: Path) -> str:
    return "XDG_CACHE_HOME" if folder.parent.name == ".cache" else "STINT_HOME"


def wheel(package: str, holds: str) -> Path:
    """Return where `package` is installed; raise `Trouble` when this platform has no wheel of it.

    The package is not imported: only its files are needed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Trouble(f"{holds} is not installed ({package}): run `make install`; it has no wheel for every platform.")
    return Path(spec.origin).parent


def free_ports(count: int) -> list[int]:
    """Return free ports. All are held until the last is known, so that no port comes twice."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def on_free_ports(home: Path) -> Settings:
    """Return the settings of a stack in a folder of its own, beside whatever else runs. The cache is everybody's."""
    http, projector, feed, kafka, controller, postgres = free_ports(6)
    shared = Settings.from_environment({"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")})
    return Settings(
        home=home,
        cache=shared.cache,
        http_port=http,
        projector_port=projector,
        feed_port=feed,
        kafka_port=kafka,
        kafka_controller_port=controller,
        postgres_port=postgres,
    )
