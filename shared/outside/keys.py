"""Keys of one issuer: kept in memory, and fetched seldom, whatever strangers send.

    at start             fetched; nothing waits for it
    an unknown `kid`     fetched again, at most once in 30 s; the request waits, and all others for the same fetch
    every hour           fetched again, so that a key that the issuer withdrew ends
    the issuer is away   what was fetched last stays; a `kid` that is not in it can be neither known nor unknown

Keys belong to one issuer. A `kid` of another issuer is unknown here, even if the other has a key of that name.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import structlog
from joserfc.jwk import ECKey, RSAKey

from shared.outside.fetching import SourceAwayError
from shared.process.backoff import Setbacks

AGAIN_AFTER_SECONDS: Final = 30.0
REFRESH_SECONDS: Final = 3600.0
KEYS_MAX: Final = 100
KID_LENGTH_MAX: Final = 255
# Of 2048 to 8192 bits, in base64: a shorter key can be broken, and a longer one takes long to verify with.
_RSA_CHARACTERS: Final = range(342, 1367)
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

PublicKey = RSAKey | ECKey


class IssuerKeys:
    """The keys of one issuer, by `kid` and algorithm. `clock` returns seconds; None: the loop's."""

    def __init__(
        self,
        issuer: str,
        algorithms: Collection[str],
        fetch: Callable[[], Awaitable[bytes]],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._issuer = issuer
        self._algorithms = algorithms
        self._fetch = fetch
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._keys: Mapping[tuple[str, str], PublicKey] = {}
        self._ask_again_at = float("-inf")
        self._fetched = False
        self._asking: asyncio.Task[None] | None = None
        self._setbacks = Setbacks("issuer_keys_not_fetched")
        self._log = structlog.get_logger()

    async def key(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return a key, None when the issuer has none of that name. Raises SourceAwayError when that is not known."""
        if (kid, algorithm) not in self._keys:
            await self.ask()
        found = self._keys.get((kid, algorithm))
        if found is None and not self._fetched:
            raise SourceAwayError("the issuer's keys are not known")
        return found

    async def run(self) -> None:
        """Fetch the keys at once, and again for ever."""
        while True:
            await self.ask()
            await asyncio.sleep(REFRESH_SECONDS if self._fetched else AGAIN_AFTER_SECONDS)

    def close(self) -> None:
        """End a fetch that is on its way."""
        if self._asking is not None:
            self._asking.cancel()

    async def ask(self) -> None:
        """Fetch the keys, unless that was tried within 30 s. All that ask meanwhile wait for one fetch."""
        if self._asking is None:
            if self._clock() < self._ask_again_at:
                return
            self._ask_again_at = self._clock() + AGAIN_AFTER_SECONDS
            self._asking = self._loop.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            keys = keys_in(await self._fetch(), self._algorithms)
        except SourceAwayError as error:
            self._fetched = False
            self._setbacks.failed(error, issuer=self._issuer, kept=len(self._keys))
        else:
            self._setbacks.recovered()
            if keys.keys() != self._keys.keys():
                self._log.info("issuer_keys_fetched", issuer=self._issuer, keys=len(keys))
            self._keys, self._fetched = keys, True
        finally:
            self._asking = None


def keys_in(body: bytes, algorithms: Collection[str]) -> dict[tuple[str, str], PublicKey]:
    """Return the keys of a JWK Set that can verify one of `algorithms`, by `kid` and algorithm.

    Raises SourceAwayError when there is none: an issuer in trouble must not take away the keys that are known.
    """
    try:
        key_set = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceAwayError("the answer is not JSON") from None
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(listed, list):
        raise SourceAwayError("the answer is no JWK Set: it has no list `keys`")
    found: dict[tuple[str, str], PublicKey] = {}
    for jwk in listed[:KEYS_MAX]:
        if not isinstance(jwk, dict):
            continue
        for algorithm in algorithms:
            key = _key(jwk, algorithm)
            if key is not None:
                # The first of two with one name counts, because a token cannot say which of them it means.
                found.setdefault((jwk["kid"], algorithm), key)
    if not found:
        raise SourceAwayError("no key has a `kid` and fits the algorithms of the setting")
    return found


def _key(jwk: Mapping[str, Any], algorithm: str) -> PublicKey | None:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_LENGTH_MAX:
        return None
    operations = jwk.get("key_ops", ["verify"])
    verifies = isinstance(operations, list) and "verify" in operations
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm or not verifies:
        return None
    kind = ("EC", _CURVES[algorithm]) if algorithm in _CURVES else ("RSA", None)
    if (jwk.get("kty"), jwk.get("crv")) != kind:
        return None
    try:
        return _imported(jwk)
    except Exception:  # noqa: BLE001 - whatever is wrong with one key of an issuer, the others count
        return None


def _imported(jwk: Mapping[str, Any]) -> PublicKey | None:
    # Nothing else of it: neither private parts, nor limits that the library would understand in its own way.
    public = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    if jwk["kty"] == "EC":
        return ECKey.import_key(public)
    return RSAKey.import_key(public) if len(public["n"]) in _RSA_CHARACTERS else None
