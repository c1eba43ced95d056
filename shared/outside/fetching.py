"""Fetching: the one way out to issuers and to introspection, with limits on seconds and bytes.

No redirect is followed and no proxy is used: either could send a token, or the question for keys, to another program.
"""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2

WITHIN_SECONDS: Final = 3.0
BYTES_MAX: Final = 256 * 1024
CONNECTIONS_MAX: Final = 20
_OK: Final = 200


class SourceAwayError(Exception):
    """An issuer's keys, or the answer about a token, could not be had. Its text quotes no token and no answer."""


class Fetcher:
    """One HTTP client. Raises SourceAwayError for all that is not a whole answer 200 in time."""

    def __init__(self, tls: ssl.SSLContext, *, within_seconds: float = WITHIN_SECONDS) -> None:
        self._within_seconds = within_seconds
        self._http = httpx2.AsyncClient(
            verify=tls,
            timeout=within_seconds,
            follow_redirects=False,
            trust_env=False,
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            # Not compressed, because a few bytes may then become many.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    async def get(self, url: str) -> bytes:
        """Return the body of a GET."""
        return await self._whole(self._http.build_request("GET", url))

    async def post_form(self, url: str, form: Mapping[str, str], user: str, password: str) -> bytes:
        """Return the body of a POST of a form, with HTTP Basic."""
        request = self._http.build_request("POST", url, data=dict(form))
        return await self._whole(request, httpx2.BasicAuth(user, password))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _whole(self, request: httpx2.Request, auth: httpx2.Auth | None = None) -> bytes:
        try:
            # The client's own timeouts are for each read; a source that drips would hold us for ever.
            async with asyncio.timeout(self._within_seconds):
                return await self._read(request, auth)
        except TimeoutError:
            raise SourceAwayError(f"no whole answer within {self._within_seconds:g} s") from None
        except httpx2.ConnectError as error:
            raise SourceAwayError(f"no connection: {error}") from None
        except SourceAwayError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an address or an answer brings about, the process goes on
            # The text of other errors may quote what was read.
            raise SourceAwayError(type(error).__name__) from None

    async def _read(self, request: httpx2.Request, auth: httpx2.Auth | None) -> bytes:
        answer = await self._http.send(request, stream=True, auth=auth)
        try:
            if answer.status_code != _OK:
                raise SourceAwayError(f"status {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > BYTES_MAX:
                    raise SourceAwayError(f"an answer of over {BYTES_MAX} bytes")
            return bytes(body)
        finally:
            await answer.aclose()


async def read_file(path: Path) -> bytes:
    """Return the bytes of a file. Raises SourceAwayError."""
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise SourceAwayError(f"the file cannot be read: {error.strerror}") from None
