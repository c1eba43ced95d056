"""Where the local stack lives and on which ports. Read once, from the environment; every default can be changed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"  # nothing here listens to the network
HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Settings:
    """One local stack. Two with different folders and ports run side by side."""

    home: Path = ROOT / ".stint"
    cache: Path = Path.home() / ".cache" / "stint"
    # Kafka and Postgres do not use 9092 and 5432, because the machine's own servers may.
    http_port: int = 8080
    projector_port: int = 8081
    feed_port: int = 8082
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    postgres_port: int = 15432

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read `STINT_HOME` and `STINT_*_PORT`; an empty one counts as unset. Raise `Trouble` for a wrong one."""
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stint"
        default = cls()
        kafka_port = _port(environ, "STINT_KAFKA_PORT", default.kafka_port)
        settings = cls(
            home=Path(environ.get("STINT_HOME") or default.home).absolute(),
            cache=cache.absolute(),
            http_port=_port(environ, "STINT_HTTP_PORT", default.http_port),
            projector_port=_port(environ, "STINT_PROJECTOR_PORT", default.projector_port),
            feed_port=_port(environ, "STINT_FEED_PORT", default.feed_port),
            kafka_port=kafka_port,
            kafka_controller_port=_port(environ, "STINT_KAFKA_CONTROLLER_PORT", kafka_port + 1),
            postgres_port=_port(environ, "STINT_POSTGRES_PORT", default.postgres_port),
        )
        settings.no_port_twice()
        return settings

    @property
    def ports(self) -> dict[str, int]:
        """Every port, under the name of the setting that moves it."""
        return {
            "STINT_HTTP_PORT": self.http_port,
            "STINT_PROJECTOR_PORT": self.projector_port,
            "STINT_FEED_PORT": self.feed_port,
            "STINT_KAFKA_PORT": self.kafka_port,
            "STINT_KAFKA_CONTROLLER_PORT": self.kafka_controller_port,
            "STINT_POSTGRES_PORT": self.postgres_port,
        }

    def no_port_twice(self) -> None:
        """Raise `Trouble` when two settings name one port."""
        taken: dict[int, str] = {}
        for name, port in self.ports.items():
            if port in taken:
                raise Trouble(f"{taken[port]} and {name} are both {port}: give each its own port.")
            taken[port] = name

    def note_ports(self) -> None:
        """Write the ports to a file, for commands about this run from a shell with other settings."""
        self._ports_file.write_text(json.dumps(self.ports), encoding="utf-8")

    def as_it_runs(self) -> Self:
        """Return the settings with the ports of the run in this folder; unchanged when no run has noted its ports."""
        try:
            noted = json.loads(self._ports_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self
        return type(self).from_environment({"STINT_HOME": str(self.home)} | {name: str(noted[name]) for name in noted})

    @property
    def _ports_file(self) -> Path:
        return self.run / "ports.json"

    @property
    def kafka(self) -> str:
        """The broker's address, as clients want it."""
        return f"{HOST}:{self.kafka_port}"

    @property
    def url(self) -> str:
        """Where the command API answers."""
        return f"http://{HOST}:{self.http_port}"

    @property
    def feed_url(self) -> str:
        """Where the feed answers. Behind a gateway its host is the API's."""
        return f"http://{HOST}:{self.feed_port}"

    @property
    def postgres_data(self) -> Path:
        """Postgres' cluster."""
        return self.home / "postgres"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Files that count only while processes live: pid files, the lock, the note that all is ready."""
        return self.home / "run"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, made once, readable by their owner alone."""
        return self.home / "secrets"

    @property
    def demo_env(self) -> Path:
        """The demo tenant's credentials, to be sourced."""
        return self.home / "demo.env"


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT):
        raise Trouble(f"{name}={text} is no port: give a number from 1 to {HIGHEST_PORT}.")
    return int(text)
