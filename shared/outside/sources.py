"""Sources: the issuers and the source for introspection of one deployment, wired as its settings say.

Nothing here waits at start: an issuer that is away is asked again, and the other callers are not affected.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from shared.outside.fetching import Fetcher, read_file
from shared.outside.introspection import Introspector, login, question
from shared.outside.issuers import Issuers, TrustedIssuer
from shared.outside.keys import IssuerKeys
from shared.outside.trusted import Introspection, Issuer
from shared.process.clock import Now
from shared.tls import client_context


class Sources:
    """All that may vouch for a caller, beside ourselves. Make it on the loop that will run it."""

    def __init__(self, issuers: Sequence[Issuer], introspection: Introspection | None, now: Now) -> None:
        asks = introspection is not None or any(one.jwks_url for one in issuers)
        self._fetcher = Fetcher(client_context(None)) if asks else None
        self._keys = [self._keys_of(one) for one in issuers]
        self.issuers = Issuers([TrustedIssuer(*each) for each in zip(issuers, self._keys, strict=True)], now)
        self.introspector = None if introspection is None else self._introspector(introspection, now)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """Return what fetches keys, for ever."""
        return [keys.run() for keys in self._keys]

    async def close(self) -> None:
        """End what is on its way, and close the connections."""
        for keys in self._keys:
            keys.close()
        await asyncio.sleep(0)
        if self._fetcher is not None:
            await self._fetcher.close()

    def _keys_of(self, issuer: Issuer) -> IssuerKeys:
        if issuer.jwks_file is not None:
            return IssuerKeys(issuer.issuer, issuer.algorithms, partial(read_file, issuer.jwks_file))
        return IssuerKeys(issuer.issuer, issuer.algorithms, partial(self._http.get, issuer.jwks_url or ""))

    def _introspector(self, trust: Introspection, now: Now) -> Introspector:
        user, password = login(trust)

        async def ask(token: str) -> bytes:
            return await self._http.post_form(trust.url, question(token), user, password)

        return Introspector(trust, ask, now)

    @property
    def _http(self) -> Fetcher:
        if self._fetcher is None:
            raise RuntimeError("no source has an address")
        return self._fetcher
