"""Both documents and their pages: open to all, cached as they should be, and made of nothing from elsewhere."""

import asyncio
import gzip
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from threading import Event

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from deploy.local.settings import ROOT
from services.command_api.openapi import pages
from services.command_api.openapi.asyncapi import asyncapi_text
from services.command_api.openapi.document import document_text

# Each page with the document that it shows.
PAGES = {"/docs": "/openapi.json", "/docs/events": "/asyncapi.json"}
PATHS = [*PAGES, *PAGES.values(), pages.SCRIPT_PATH]


def reader(encoding: str = "gzip") -> httpx.AsyncClient:
    app = Starlette(routes=pages.routes())
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://api.test", headers={"accept-encoding": encoding})


# A process that serves the pages, and says which modules it has for the documents: before anybody asks, and after.
SERVING = """
import asyncio, sys
from services.command_api.openapi.pages import DOCUMENT_PATH, EVENTS_DOCUMENT_PATH, routes

made = ("services.command_api.openapi.document", "services.command_api.openapi.asyncapi")
served = {route.path: route for route in routes()}
print([name in sys.modules for name in made])
for path in (DOCUMENT_PATH, EVENTS_DOCUMENT_PATH):
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    async def send(message): pass
    asyncio.run(served[path].handle(scope, None, send))
    print([name in sys.modules for name in made])
"""


def test_no_document_is_made_before_somebody_asks_for_it() -> None:
    """An API that starts again serves presses a fifth of a second sooner."""
    said = subprocess.run([sys.executable, "-c", SERVING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["[False, False]", "[True, False]", "[True, True]"]


async def test_all_who_ask_first_get_the_text_that_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page and its programs ask at one time. Each making of a document would hold presses up anew."""
    made: list[pages.StaticText] = []

    def script() -> pages.StaticText:
        made.append(pages.StaticText(b"plain", b"packed", "tag", {}))
        return made[-1]

    monkeypatch.setattr(pages, "_script", script)
    async with reader("identity") as http:
        answers = await asyncio.gather(*(http.get(pages.SCRIPT_PATH) for _ in range(5)))
    assert ([answer.text for answer in answers], len(made)) == (["plain"] * 5, 1)


async def test_whoever_asked_first_may_go_and_the_others_get_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[pages.StaticText] = []
    may_be_made = Event()

    def script() -> pages.StaticText:
        made.append(pages.StaticText(b"plain", b"packed", "tag", {}))
        assert may_be_made.wait(10)
        return made[-1]

    monkeypatch.setattr(pages, "_script", script)
    async with reader("identity") as http:
        first, second = (asyncio.create_task(http.get(pages.SCRIPT_PATH)) for _ in range(2))
        while not made:  # noqa: ASYNC110 - a thread sets no event of the loop
            await asyncio.sleep(0.001)
        first.cancel()
        await asyncio.wait([first])
        may_be_made.set()
        answer = await second
    assert (answer.text, len(made)) == ("plain", 1)


async def test_the_document_is_served_as_it_is_written_in_docs() -> None:
    async with reader() as http:
        answer = await http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == document_text()
    assert json.loads(answer.text)["openapi"] == "3.1.0"


async def test_the_document_of_records_is_served_as_it_is_written_in_docs() -> None:
    async with reader() as http:
        answer = await http.get("/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == asyncapi_text()
    assert json.loads(answer.text)["asyncapi"] == "3.0.0"


@pytest.mark.parametrize("path", PATHS)
async def test_a_caller_that_has_it_hears_304(path: str) -> None:
    async with reader() as http:
        first = await http.get(path)
        etag = first.headers["etag"]
        again = await http.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
        other = await http.get(path, headers={"If-None-Match": '"other"'})
    assert (first.status_code, again.status_code, again.content, other.status_code) == (200, 304, b"", 200)
    assert again.headers["etag"] == etag
    assert first.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", PATHS)
async def test_packed_and_plain_are_the_same_text_under_two_tags(path: str) -> None:
    """One tag for both would let a cache give packed bytes to a caller that cannot unpack them."""
    async with reader() as packed, reader("identity") as plain:
        one, other = await packed.get(path), await plain.get(path)
    assert (one.headers["content-encoding"], other.headers.get("content-encoding")) == ("gzip", None)
    assert one.content == other.content
    assert one.headers["etag"] != other.headers["etag"]


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("gzip;q=0.001", True),
        ("gzip;q=0", False),
        ("identity, gzip ; q=0.000", False),
        ("gzip; Q=0.", False),
        ("gzipped", False),
        ("*", False),
        ("", False),
    ],
)
async def test_a_text_is_packed_for_those_who_can_unpack_it(accepts: str, packed: bool) -> None:  # noqa: FBT001 - a table
    async with reader(accepts) as http:
        answer = await http.get("/docs")
    assert (answer.headers.get("content-encoding") == "gzip", answer.text[:9]) == (packed, "<!doctype")


async def test_documents_and_pages_are_asked_for_again_and_the_script_is_kept() -> None:
    async with reader() as http:
        said = {path: (await http.get(path)).headers["cache-control"] for path in PATHS}
    assert said.pop(pages.SCRIPT_PATH) == "public, max-age=31536000, immutable"
    assert said == dict.fromkeys([*PAGES, *PAGES.values()], "no-cache")


class _Loads(HTMLParser):
    """Collects the addresses in a page, and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.telemetry: str | None = None
        self.inline: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.addresses += [value for name in ("src", "href", "spec-url") if (value := said.get(name)) is not None]
        self._in_script = tag == "script"
        if tag == "redoc":
            self.telemetry = said.get("disable-telemetry")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize(("path", "document"), PAGES.items())
async def test_a_page_loads_its_own_document_and_script_alone_and_reports_to_nobody(path: str, document: str) -> None:
    async with reader() as http:
        page = _Loads()
        page.feed((await http.get(path)).text)
        loaded = [(await http.get(address)).status_code for address in page.addresses]
    assert sorted(page.addresses) == sorted([document, pages.SCRIPT_PATH])
    assert loaded == [200, 200]
    assert (page.telemetry, page.inline) == ("true", [])


@pytest.mark.parametrize("path", PAGES)
async def test_a_browser_may_load_nothing_from_outside(path: str) -> None:
    async with reader() as http:
        headers = (await http.get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["connect-src"]) == ("'self'", "'self'")
    sources = {source for said in policy.values() for source in said.split()}
    # No host, no scheme of the network, no eval.
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert policy["style-src"] == "'unsafe-inline'"


def test_redoc_reads_the_version_of_asyncapi_that_the_document_has() -> None:
    """One file shows both documents. The next version of Redoc must still read AsyncAPI 3."""
    script = gzip.decompress(pages.SCRIPT.read_bytes())
    said = re.search(rb"asyncapi\.startsWith\(`([0-9]+\.)`\)\)return`async3`", script)
    assert said is not None
    assert json.loads(asyncapi_text())["asyncapi"].startswith(said[1].decode())


def test_redoc_is_the_file_that_its_readme_names() -> None:
    """Its version is in the path, because browsers keep it for good."""
    folder = pages.SCRIPT.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    script = gzip.decompress(pages.SCRIPT.read_bytes())
    sums = re.findall(r"`([0-9a-f]{64})`", readme)
    assert sums == [hashlib.sha256(script).hexdigest()]
    assert readme.startswith(f"# Redoc CE {pages.SCRIPT_PATH.removeprefix('/docs/redoc-').removesuffix('.js')}\n")
    assert b"* Version: 3.0.1\n" in script[:400]
    assert "MIT License" in (folder / "LICENSE").read_text(encoding="utf-8")
