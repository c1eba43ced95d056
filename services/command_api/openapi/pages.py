"""`/openapi.json`, and `/docs`, which shows it with Redoc. Open to all: both say nothing about any tenant.

The page loads one script and one document, from this process. Its policy lets a browser load nothing from elsewhere, so
a script that wanted to report to its author could not.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.openapi.document import document_text

DOCUMENT_PATH: Final = "/openapi.json"
PAGE_PATH: Final = "/docs"
# The version is in the name, so a browser may keep the script for good.
SCRIPT_PATH: Final = "/docs/redoc-3.0.1.js"
SCRIPT: Final = Path(__file__).with_name("redoc") / "redoc.standalone.js.gz"

PAGE: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stint: HTTP API</title>
</head>
<body>
<redoc spec-url="{DOCUMENT_PATH}" disable-telemetry="true"></redoc>
<script type="module" src="{SCRIPT_PATH}"></script>
</body>
</html>
"""

# Redoc writes its styles into the page; everything else comes from this process, or not at all.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A cache asks each time whether the text has changed: a release may change it under the same path.
_ASK_AGAIN: Final = "no-cache"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticText:
    """A text that is the same for all callers, plain and packed, with what a cache needs to know."""

    plain: bytes
    packed: bytes
    etag: str
    headers: Mapping[str, str]

    async def answer(self, request: Request) -> Response:
        """Answer with it, or with 304 to a caller that has it."""
        packs = "gzip" in request.headers.get("accept-encoding", "")
        etag = f'"{self.etag}-gz"' if packs else f'"{self.etag}"'
        headers = {**self.headers, "ETag": etag, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, 200, headers)


def routes() -> list[BaseRoute]:
    """Return the routes of the document and its page."""
    document = _text(document_text().encode(), "application/json", _ASK_AGAIN)
    page = _text(PAGE.encode(), "text/html; charset=utf-8", _ASK_AGAIN, POLICY)
    packed = SCRIPT.read_bytes()
    script = _static(gzip.decompress(packed), packed, "text/javascript; charset=utf-8", _FOR_GOOD)
    return [
        Route(DOCUMENT_PATH, document.answer, methods=["GET"]),
        Route(PAGE_PATH, page.answer, methods=["GET"]),
        Route(SCRIPT_PATH, script.answer, methods=["GET"]),
    ]


def _text(plain: bytes, media: str, cache: str, policy: str | None = None) -> StaticText:
    more = {} if policy is None else {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return _static(plain, gzip.compress(plain, mtime=0), media, cache, more)


def _static(plain: bytes, packed: bytes, media: str, cache: str, more: Mapping[str, str] | None = None) -> StaticText:
    digest = hashlib.sha256(plain).hexdigest()[:16]
    return StaticText(plain, packed, digest, {"Content-Type": media, "Cache-Control": cache, **(more or {})})
