"""Outside identity against running services: an issuer and a source for introspection on loopback."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import httpx2 as httpx
from joserfc import jws
from joserfc.jwk import RSAKey

from deploy.local.settings import HOST
from tests.contract.ways_in import until
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant, fresh_owner
from tests.support.stack.stacks import free_ports

ISSUER: Final = "https://id.example"
SECRET: Final = "introspection-s3cret"
ACTIVE, UNKNOWN = "opaque-active-0123456789", "opaque-unknown-0123456789"
COMMENT: Final = "a-comment-that-no-log-has"


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

    def settings(self, tenant: Tenant) -> dict[str, str]:
        url = f"http://{HOST}:{self.port}"
        trust = {"tenant": tenant.name, "person_claim": "employee"}
        issuer = trust | {"issuer": ISSUER, "audience": "stint", "jwks_url": f"{url}/keys", "role_claim": "role"}
        source = trust | {"url": f"{url}/introspect", "client_id": "stint", "client_secret": SECRET}
        return {"COMMAND_API_ISSUERS": json.dumps([issuer]), "COMMAND_API_INTROSPECTION": json.dumps(source)}

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


async def start(http: httpx.AsyncClient, token: str, owner: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await http.post("/v1/timers", json={"owner": owner or fresh_owner(), "comment": COMMENT}, headers=headers)


async def until_created(http: httpx.AsyncClient, token: str) -> None:
    async def status() -> int:
        return (await start(http, token)).status_code

    await until(status, 201)


async def quotes_nothing(crew: Crew, http: httpx.AsyncClient, tokens: list[str]) -> None:
    """No log and no metric does, also no part of a token: neither its claims nor its signature."""
    parts = {part for token in tokens for part in (token, *token.split("."))}
    said = [*(one.said() for one in crew.everybody()), (await http.get("/metrics")).text]
    assert [part for part in {*parts, SECRET, COMMENT, "Basic "} if part in "".join(said)] == []


async def test_an_identity_provider_vouches_for_callers_through_rotation_and_outage(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant
) -> None:
    provider, owner = Provider(), fresh_owner()
    machine, person = provider.token("one"), provider.token("one", employee=owner)
    # The provider is away, and the API is ready all the same. Its tokens are neither good nor bad.
    api = await crew.api(provider.settings(tenant), "tests.contract.quick_issuers")
    await crew.be(projectors=1)
    http = client(api.url)
    away = await start(http, machine)
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")

    await provider.open()
    await until_created(http, machine)
    assert [(await start(http, person, one)).status_code for one in (owner, fresh_owner())] == [201, 403]
    reader = provider.token("one", role="reader")
    assert (await start(http, reader)).status_code == 403
    wrong = [provider.token("one", aud="other"), provider.token("one", role="root"), provider.token("one", exp=1)]
    assert [(await start(http, token)).status_code for token in wrong] == [401, 401, 401]

    rotated = provider.token("two")
    await until_created(http, rotated)

    provider.active[ACTIVE] = {"employee": owner, "token_type": "Bearer"}
    assert (await start(http, ACTIVE, owner)).status_code == 201
    assert [(await start(http, UNKNOWN)).status_code for _ in range(3)] == [401, 401, 401]
    assert (provider.asked[ACTIVE], provider.asked[UNKNOWN]) == (1, 1)

    await provider.close()
    assert [(await start(http, token)).status_code for token in (machine, rotated)] == [201, 201]
    assert (await start(http, ACTIVE, owner)).status_code == 201
    fresh = [provider.token("three"), "opaque-and-new-0123456789"]
    await asyncio.sleep(0.5)  # the keys may be asked for again
    assert [(await start(http, token)).status_code for token in fresh] == [503, 503]
    assert (await start(http, UNKNOWN)).status_code == 401
    await api.says("introspection_failed")
    await api.says("issuer_keys_not_fetched")
    await quotes_nothing(crew, http, [machine, person, reader, rotated, ACTIVE, UNKNOWN, *wrong, *fresh])
