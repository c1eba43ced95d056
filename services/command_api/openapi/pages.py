"""`/openapi.json` and `/asyncapi.json`, and a page for each that shows it with Redoc: `/docs` and `/docs/events`.

All are open to all, because nothing in them is about a tenant. A page loads one script, the same for both, and one
document, from this process. Its policy lets a browser load nothing from elsewhere, so a script that wanted to report
to its author could not.

Each text is made at its first request: all of them together are a sixth of what a start costs, and most processes
never serve one.
"""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

DOCUMENT_PATH: Final = "/openapi.json"
PAGE_PATH: Final = "/docs"
EVENTS_DOCUMENT_PATH: Final = "/asyncapi.json"
EVENTS_PAGE_PATH: Final = "/docs/events"
# The version is in the name, so a browser may keep the script for good.
SCRIPT_PATH: Final = "/docs/redoc-3.0.1.js"
SCRIPT: Final = Path(__file__).with_name("redoc") / "redoc.standalone.js.gz"

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<redoc spec-url="{document}" disable-telemetry="true"></redoc>
<script type="module" src="{script}"></script>
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
_NOT_AT_ALL: Final = re.compile(r"q=0(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class StaticText:
    """A text that is the same for all callers, plain and packed, with what a cache needs to know."""

    plain: bytes
    packed: bytes
    etag: str
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """Answer with it, or with 304 to a caller that has it."""
        packs = takes_gzip(request)
        etag = f'"{self.etag}-gz"' if packs else f'"{self.etag}"'
        headers = {**self.headers, "ETag": etag, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, 200, headers)


def takes_gzip(request: Request) -> bool:
    """Return whether a caller names gzip, and not with the weight 0, which means that it cannot read gzip."""
    for part in ",".join(request.headers.getlist("accept-encoding")).split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() == "gzip":
            return not _NOT_AT_ALL.fullmatch("".join(weight.split()).lower())
    return False


def routes() -> list[Route]:
    """Return the routes of both documents and their pages."""
    served: dict[str, Callable[[], StaticText]] = {
        DOCUMENT_PATH: _calls,
        PAGE_PATH: partial(_page, "Stint: HTTP API", DOCUMENT_PATH),
        EVENTS_DOCUMENT_PATH: _records,
        EVENTS_PAGE_PATH: partial(_page, "Stint: records on Kafka", EVENTS_DOCUMENT_PATH),
        SCRIPT_PATH: _script,
    }
    return [Route(path, _answering(make), methods=["GET"]) for path, make in served.items()]


def _answering(make: Callable[[], StaticText]) -> Callable[[Request], Awaitable[Response]]:
    making: asyncio.Task[StaticText] | None = None

    async def answer(request: Request) -> Response:
        nonlocal making
        if making is None or (making.done() and making.exception() is not None):
            # Made once, however many requests ask meanwhile, and also when the first caller has gone: the schemas of
            # all models take half a second. In a thread presses go on beside it, but some are late by a fifth of a
            # second, because a thread may keep the interpreter for that time.
            making = asyncio.create_task(asyncio.to_thread(make), name="making a document")
        return (await asyncio.shield(making)).answer(request)

    return answer


def _calls() -> StaticText:
    from services.command_api.openapi.document import document_text  # noqa: PLC0415 - only for who asks

    return _document(document_text())


def _records() -> StaticText:
    from services.command_api.openapi.asyncapi import asyncapi_text  # noqa: PLC0415 - only for who asks

    return _document(asyncapi_text())


def _script() -> StaticText:
    packed = SCRIPT.read_bytes()
    return _static(gzip.decompress(packed), packed, "text/javascript; charset=utf-8", _FOR_GOOD)


def _document(text: str) -> StaticText:
    return _text(text.encode(), "application/json", _ASK_AGAIN)


def _page(title: str, document: str) -> StaticText:
    page = _PAGE.format(title=title, document=document, script=SCRIPT_PATH)
    return _text(page.encode(), "text/html; charset=utf-8", _ASK_AGAIN, POLICY)


def _text(plain: bytes, media: str, cache: str, policy: str | None = None) -> StaticText:
    more = {} if policy is None else {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return _static(plain, gzip.compress(plain, mtime=0), media, cache, more)


def _static(plain: bytes, packed: bytes, media: str, cache: str, more: Mapping[str, str] | None = None) -> StaticText:
    digest = hashlib.sha256(plain).hexdigest()[:16]
    return StaticText(plain, packed, digest, {"Content-Type": media, "Cache-Control": cache, **(more or {})})
