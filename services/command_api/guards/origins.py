"""Origins: which pages of other sites may call the API from a browser (CORS). None by default.

A browser asks before a press (a preflight, `OPTIONS`): it is answered here, without a token, and no dialect sees it.
The lists below are what a page may send and read; everything else of an answer stays hidden from its script.
"""

from collections.abc import Sequence
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

METHODS: Final = ("GET", "POST", "PUT", "DELETE")
# Accept and Content-Type are in every list of Starlette's. A page's trace ends at its own edge, but is passed on.
SENT: Final = (
    "Authorization",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "traceparent",
    "X-Min-Position",
)
# Deprecation, Sunset and Link are promised in docs/compatibility.md: a page must see that its call will end.
READ: Final = (
    "Content-Disposition",
    "Deprecation",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "Sunset",
    "WWW-Authenticate",
    "X-Position",
)
# How long a browser remembers an answer. No setting changes while a process runs, so this is about restarts.
_REMEMBERED_SECONDS: Final = 600


def layers(origins: Sequence[str]) -> list[Middleware]:
    """Return the layer that lets these origins in; none when there are none, so that no request pays for it.

    It must be the outermost one: an answer without its headers, a 413 or a 500 too, is a network error to the page.
    Cookies are never read here, so credentials are not allowed: a page sends its token itself.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=frozenset(origins),
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
            max_age=_REMEMBERED_SECONDS,
        )
    ]
