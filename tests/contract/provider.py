"""Provider: an identity provider on loopback, for processes whose settings name it."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs

import httpx2 as httpx
from joserfc import jws
from joserfc.jwk import RSAKey

from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant

ISSUER: Final = "https://id.example"
SECRET: Final = "introspection-s3cret"
_LOOKS_EVERY_SECONDS: Final = 0.02


Said = Callable[[str, str, dict[str, list[str]]], dict[str, Any]]


class _Answer(BaseHTTPRequestHandler):
    """Answers one request, and closes its connection."""

    def __init__(self, said: Said, *given: Any) -> None:  # noqa: ANN401 - as the library's own
        self._said = said
        super().__init__(*given)

    def do_GET(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("content-length", "0"))).decode())
        said = self._said(f"{self.command} {self.path}", self.headers.get("authorization", ""), form)
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - so the library calls it

    def log_message(self, *_: object) -> None:
        pass


class Provider:
    """An identity provider: its keys at `/keys`, and what it says of opaque tokens at `/introspect`."""

    def __init__(self) -> None:
        [self.port] = free_ports(1)
        self.keys: dict[str, RSAKey] = {}
        self.active: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self._server: ThreadingHTTPServer | None = None

    async def open(self) -> None:
        # In a thread: an asyncio server that is closed leaves behind what it has just accepted (Python 3.11).
        self._server = ThreadingHTTPServer((HOST, self.port), partial(_Answer, self.said))
        Thread(target=self._server.serve_forever, args=(_LOOKS_EVERY_SECONDS,), daemon=True).start()

    async def close(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()

    def settings(self, tenant: Tenant, prefix: str = "COMMAND_API") -> dict[str, str]:
        """Return what makes a process believe it: its keys speak for one tenant, its answers name the tenant."""
        url, person = f"http://{HOST}:{self.port}", {"person_claim": "employee", "role_claim": "role"}
        issuer = person | {"issuer": ISSUER, "audience": "stint", "jwks_url": f"{url}/keys", "tenant": tenant.name}
        source = {"url": f"{url}/introspect", "client_id": "stint", "client_secret": SECRET, "tenant_claim": "tenant"}
        return {f"{prefix}_ISSUERS": json.dumps([issuer]), f"{prefix}_INTROSPECTION": json.dumps(person | source)}

    def token(self, kid: str, **claims: object) -> str:
        key = self.keys.setdefault(kid, RSAKey.generate_key(2048))
        until = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
        said = {"iss": ISSUER, "aud": ["stint"], "sub": "crm", "exp": until} | claims
        return jws.serialize_compact({"alg": "RS256", "kid": kid}, json.dumps(said).encode(), key)

    def said(self, call: str, authorization: str, form: dict[str, list[str]]) -> dict[str, Any]:
        """Return the answer to one request."""
        if call == "GET /keys":
            self.asked["keys"] += 1
            return {"keys": [key.as_dict(private=False) | {"kid": kid} for kid, key in self.keys.items()]}
        assert call == "POST /introspect"
        assert authorization == "Basic " + base64.b64encode(f"stint:{SECRET}".encode()).decode()
        [token] = form["token"]
        self.asked[token] += 1
        return {"active": True} | self.active[token] if token in self.active else {"active": False}


async def quotes_nothing(crew: Crew, http: httpx.AsyncClient, tokens: list[str], *more: str) -> None:
    """No log and no metric does, also no part of a token: neither its claims nor its signature."""
    parts = {part for token in tokens for part in (token, *token.split("."))}
    said = [*(one.said() for one in crew.everybody()), (await http.get("/metrics")).text]
    assert [part for part in {*parts, SECRET, "Basic ", *more} if part in "".join(said)] == []
