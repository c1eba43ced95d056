"""Provider: an identity provider on loopback, for processes whose settings name it."""

import asyncio
import base64
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import httpx2 as httpx
from joserfc import jws
from joserfc.jwk import RSAKey

from deploy.local.settings import HOST
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant
from tests.support.stack.stacks import free_ports

ISSUER: Final = "https://id.example"
SECRET: Final = "introspection-s3cret"


class Provider:
    """An identity provider: its keys at `/keys`, and what it says of opaque tokens at `/introspect`."""

    def __init__(self) -> None:
        [self.port] = free_ports(1)
        self.keys: dict[str, RSAKey] = {}
        self.active: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._answer, HOST, self.port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

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

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._tell(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever connected asks no more
        finally:
            writer.close()

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        form = parse_qs((await reader.readexactly(int(headers.get("content-length", "0")))).decode())
        body = json.dumps(self._said(lines[0], headers, form)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    def _said(self, line: str, headers: dict[str, str], form: dict[str, list[str]]) -> dict[str, Any]:
        if line.startswith("GET /keys "):
            self.asked["keys"] += 1
            return {"keys": [key.as_dict(private=False) | {"kid": kid} for kid, key in self.keys.items()]}
        assert line.startswith("POST /introspect ")
        assert headers["authorization"] == "Basic " + base64.b64encode(f"stint:{SECRET}".encode()).decode()
        [token] = form["token"]
        self.asked[token] += 1
        return {"active": True} | self.active[token] if token in self.active else {"active": False}


async def quotes_nothing(crew: Crew, http: httpx.AsyncClient, tokens: list[str], *more: str) -> None:
    """No log and no metric does, also no part of a token: neither its claims nor its signature."""
    parts = {part for token in tokens for part in (token, *token.split("."))}
    said = [*(one.said() for one in crew.everybody()), (await http.get("/metrics")).text]
    assert [part for part in {*parts, SECRET, "Basic ", *more} if part in "".join(said)] == []
