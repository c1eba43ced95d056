"""Passwords and keys of a local stack: made once, in files that only their owner can read."""

import os
import secrets as chance
from pathlib import Path

BYTES = 32


def kept_secret(path: Path) -> str:
    """Return the secret in `path`, made on first use: 64 hexadecimal digits, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        write_secretly(fresh, chance.token_hex(BYTES))
        fresh.replace(path)  # whole or not at all: half a password would lock us out of the database
    return path.read_text()


def write_secretly(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on. Raise FileExistsError when it exists."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
