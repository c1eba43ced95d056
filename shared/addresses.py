"""Addresses of Kafka and Postgres, as settings give them: only what our clients can read is taken.

An address may hold a password, and a wrong one often has a piece of it where a host or a port should be. So each error
is a fixed sentence, which quotes nothing.
"""

import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_PORT_MAX: Final = 65_535
# Without a port aiokafka takes 9092. An IPv6 address needs brackets: `::1:9092` is one too, and has no port.
_BROKER: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]@]+)(?::(?P<port>[0-9]{1,5}))?")
_IN_BRACKETS: Final = re.compile(r"\[[^\]]+\](?::(?P<port>[^:]+))?")
_NOT_POSTGRES: Final = (
    "it does not read as postgresql://user:password@host:port/database, with a port from 1 to 65535: "
    "percent-encode / ? # [ @ in the password"
)
_NOT_KAFKA: Final = (
    "it does not read as host:port or host, separated by commas, with ports from 1 to 65535 and IPv6 in brackets"
)
# What asyncpg knows. A wrong one raises at the first connection, which may be hours after the start.
_CHOICES: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
}


def checked_brokers(servers: str) -> str:
    """Return the addresses of brokers as they were given. Raises ValueError."""
    for server in servers.split(","):
        found = _BROKER.fullmatch(server.strip())
        if found is None or not _is_port(found["port"] or "9092"):
            raise ValueError(_NOT_KAFKA)
    return servers


def checked_postgres(dsn: str) -> str:
    """Return the address of Postgres as it was given: one that asyncpg can read. Raises ValueError."""
    try:
        parts = urlsplit(dsn)
        asked = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        raise ValueError(_NOT_POSTGRES) from None  # its message, and a traceback of it, would quote the address
    if "://" not in dsn or not _is_whole(parts) or not _has_hosts(parts.netloc.rpartition("@")[2], asked):
        raise ValueError(_NOT_POSTGRES)
    for name, choices in _CHOICES.items():
        if name in asked and asked[name][-1].replace("_", "-") not in choices:
            raise ValueError(f"{name} is none of {', '.join(choices)}")
    return dsn


def _is_whole(parts: SplitResult) -> bool:
    """Return whether no sign of the password has ended the password: what follows is a path, a query or a fragment."""
    cut = parts.fragment or parts.netloc.count("@") > 1 or ("@" in parts.path and "@" not in parts.netloc)
    return parts.scheme in {"postgresql", "postgres"} and not cut


def _has_hosts(netloc: str, asked: dict[str, list[str]]) -> bool:
    """Return whether each host has a name, and a port or none. Postgres' own socket is a host that is a folder."""
    hosts = (netloc or asked.get("host", [""])[-1]).split(",")
    ports = asked["port"][-1].split(",") if "port" in asked else []
    given = len(ports) < 2 or len(ports) == len(hosts)  # noqa: PLR2004 - one is for all hosts
    return given and all(map(_is_port, ports)) and (hosts == [""] or all(map(_is_host, hosts)))


def _is_host(host: str) -> bool:
    if host.startswith("/"):
        return True
    if host.startswith("["):
        found = _IN_BRACKETS.fullmatch(host)
        return found is not None and (found["port"] is None or _is_port(found["port"]))
    name, _, port = host.partition(":")
    return bool(name) and (not port or _is_port(unquote(port)))


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdecimal() and 0 < int(port) <= _PORT_MAX
