"""Client secrets: whether an id and a secret fit. Open to strangers, and a check takes a core for some 50 ms.

    remembered?  ----- yes --------------------------------> answered without a hash
         | no
    bucket of the id empty, or too many checks wait?  -yes-> Busy, at once
         | no
    looked up, then hashed: two at a time, at most twenty behind them

A secret that fits is remembered for two lives of a token, one that does not for a minute. Both count only for the
hashes that were looked up, so a rotated or revoked secret ends at once. Unknown ids go the same way as wrong secrets,
so neither time nor answer tells the two apart.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.command_api.auth.buckets import Buckets
from services.command_api.desk.desk import Busy
from services.command_api.store.directory import ClientRow, Directory
from shared.bounded import make_room
from shared.identity import TOKEN_LIFE, hash_secret, verify_secret

# Each takes a core for some 50 ms and 16 MiB.
HASHES_AT_ONCE: Final = 2
# Half a second of hashes. Above it, a retry serves the caller better than a longer queue.
WAITING_MAX: Final = 20
# Guesses at one id: a burst, and then a rate. Two cores hash some forty a second for all ids.
GUESSES_AT_ONCE: Final = 10
GUESSES_PER_SECOND: Final = 1.0
# A client renews its token once in the life of a token. Its secret must still be remembered then.
FITS_SECONDS: Final = 2 * TOKEN_LIFE.total_seconds()
DOES_NOT_FIT_SECONDS: Final = 60.0
REMEMBERED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Checked:
    """The result of a check against the kept hashes. `until` is loop time."""

    kept: tuple[str, ...]
    until: float


class ClientSecrets:
    """Checks ids and secrets, within bounds. `clock` returns seconds; None: the loop's."""

    def __init__(self, directory: Directory, clock: Callable[[], float] | None = None) -> None:
        self._directory = directory
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._buckets = Buckets(GUESSES_AT_ONCE, GUESSES_PER_SECOND, self._clock)
        # Two dicts, so that guesses push no honest client out. The keys are `_mark`s.
        self._fitted: dict[bytes, _Checked] = {}
        self._unfit: dict[bytes, _Checked] = {}
        self._checking: dict[bytes, asyncio.Task[ClientRow | None]] = {}
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._admitted = 0
        # Unknown ids are checked against this hash, so that time and answer are those of a wrong secret.
        self._decoy = hash_secret("")
        self._mark_key = secrets.token_bytes(32)

    async def client(self, client_id: str, secret: str) -> ClientRow | Busy | None:
        """Return the client of an id and its secret, None when the two do not fit. Raises ReadsAwayError."""
        mark = self._mark(client_id, secret)
        # Fifty workers of one client that start at one moment are one check.
        checking = self._checking.get(mark)
        if checking is None:
            remembered = self._recall(mark) is not None
            if not remembered and not self._admit(client_id):
                return Busy()
            checking = self._loop.create_task(self._check(mark, client_id, secret))
            self._checking[mark] = checking
            checking.add_done_callback(self._checked(mark, admitted=not remembered))
        return await asyncio.shield(checking)

    def _admit(self, client_id: str) -> bool:
        if self._admitted >= HASHES_AT_ONCE + WAITING_MAX or self._buckets.take(_sha256(client_id)):
            return False
        self._admitted += 1
        return True

    def _checked(self, mark: bytes, *, admitted: bool) -> "Callable[[asyncio.Task[ClientRow | None]], None]":
        def checked(check: "asyncio.Task[ClientRow | None]") -> None:
            del self._checking[mark]
            self._admitted -= admitted
            if not check.cancelled():
                check.exception()  # each caller that waits gets the error; without one, asyncio must not log it

        return checked

    async def _check(self, mark: bytes, client_id: str, secret: str) -> ClientRow | None:
        client = await self._directory.client(client_id)
        kept = (self._decoy,) if client is None else client.secret_hashes
        found = self._recall(mark)
        if found is None or found.kept != kept:
            async with self._hashing:
                fits = await asyncio.to_thread(_fits, secret, kept)
            self._remember(mark, kept, fits=fits)
        else:
            fits = mark in self._fitted
        return client if fits else None

    def _recall(self, mark: bytes) -> _Checked | None:
        found = self._fitted.get(mark) or self._unfit.get(mark)
        return None if found is None or found.until <= self._clock() else found

    def _remember(self, mark: bytes, kept: tuple[str, ...], *, fits: bool) -> None:
        self._fitted.pop(mark, None)
        self._unfit.pop(mark, None)
        remembered = self._fitted if fits else self._unfit
        make_room(remembered, REMEMBERED_MAX)
        seconds = FITS_SECONDS if fits else DOES_NOT_FIT_SECONDS
        remembered[mark] = _Checked(kept, self._clock() + seconds)

    def _mark(self, client_id: str, secret: str) -> bytes:
        # The length keeps two pairs apart. The key makes marks worthless outside this process.
        pair = f"{len(client_id)}:{client_id}{secret}".encode()
        return hmac.digest(self._mark_key, pair, hashlib.sha256)


def _fits(secret: str, kept: tuple[str, ...]) -> bool:
    return any(verify_secret(secret, each) for each in kept)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
