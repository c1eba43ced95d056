"""A request that offers an upgrade is read like any other, in whatever pieces its bytes come.

Each safety test has its control: uvicorn's own protocol, given the same bytes, fails it.
"""

import asyncio
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.local.settings import HOST
from shared.process.http.server import Server, http_config
from tests.support.fakes.wire import NEXT, OFFERS, STOP, Exchange, cut, exchange, request

BODIES: Final = {
    "length": b"Content-Length: %d\r\n\r\n%b" % (len(STOP), STOP),
    "chunked": b"Transfer-Encoding: Chunked\r\n\r\n%x\r\n%b\r\n2;x=y\r\n{}\r\n0\r\n\r\n" % (len(STOP), STOP),
    "empty": b"Content-Length: 0\r\n\r\n",
    "none": b"\r\n",
}
READ: Final = {"length": STOP, "chunked": STOP + b"{}", "empty": b"", "none": b""}


@pytest.mark.parametrize("pieces", ["one", "at the head's end", "byte by byte"])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("offer", OFFERS)
async def test_a_request_with_an_upgrade_offer_reads_like_any_other(offer: bytes, body: str, pieces: str) -> None:
    stream = request(offer, BODIES[body]) + NEXT
    cuts = {
        "one": [],
        "at the head's end": [stream.index(b"\r\n\r\n") + 4],
        "byte by byte": list(range(len(stream))),
    }[pieces]
    told = await exchange(cut(stream, cuts))
    assert told.presses == [("POST", "/press", READ[body]), ("GET", "/next", b"")]
    assert told.read[0][2].items() >= {"host": "a", "x-key": "k"}.items()
    assert not {"upgrade", "http2-settings"} & set(told.read[0][2])
    assert (told.statuses, told.closed) == ([200, 200], False)


@pytest.mark.parametrize("body", ["length", "chunked"])
async def test_control_uvicorn_by_itself_loses_the_body(body: str) -> None:
    """It even carries out the body, if that looks like a request and comes in a segment of its own."""
    stream = request(OFFERS[0], BODIES[body])
    whole = await exchange([stream], HttpToolsProtocol)
    assert whole.presses == [("POST", "/press", b"")]
    split = await exchange(cut(stream, [stream.index(STOP)]), HttpToolsProtocol)
    assert split.presses == [("POST", "/press", b""), ("POST", "/stop", b"")]


async def test_a_server_of_ours_keeps_the_body_over_a_real_connection() -> None:
    told = Exchange()
    server = Server(http_config(told.asgi(), HOST, 0, 1))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    head, body = cut(request(OFFERS[0], BODIES["length"]), [-len(STOP)])
    writer.write(head)
    await asyncio.sleep(0.1)
    writer.write(body + NEXT.replace(b"Host", b"Connection: close\r\nHost"))
    told.written = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    server.should_exit = True
    await serving
    assert told.presses == [("POST", "/press", STOP), ("GET", "/next", b"")]
    assert told.statuses == [200, 200]


@st.composite
def _streams(draw: st.DrawFn) -> tuple[list[tuple[bytes, str]], list[int]]:
    requests = draw(
        st.lists(st.tuples(st.sampled_from((b"", *OFFERS)), st.sampled_from(sorted(BODIES))), min_size=1, max_size=4)
    )
    return requests, draw(st.lists(st.integers(0, 5000), max_size=12))


@hypothesis.given(_streams())
async def test_no_split_of_a_pipeline_changes_what_is_read(
    stream: tuple[list[tuple[bytes, str]], list[int]],
) -> None:
    requests, cuts = stream
    told = await exchange(cut(b"".join(request(offer, BODIES[body]) for offer, body in requests), cuts))
    assert told.presses == [("POST", "/press", READ[body]) for _, body in requests]
    assert (told.statuses, told.closed) == ([200] * len(requests), False)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"PUT"])
async def test_an_upgrade_offer_without_a_body_changes_no_connection(method: bytes) -> None:
    told = await exchange([request(OFFERS[0], b"\r\n", method), NEXT])
    assert told.presses == [(method.decode(), "/press", b""), ("GET", "/next", b"")]
    assert not told.closed


@pytest.mark.parametrize("connection", [b"close, Upgrade", b"Upgrade, close", b"upgrade\r\nConnection: Close"])
async def test_a_close_beside_an_offer_still_closes(connection: bytes) -> None:
    offer = b"Connection: %b\r\nUpgrade: h2c\r\n" % connection
    told = await exchange([request(offer, BODIES["length"]) + NEXT])
    assert (told.presses, told.closed) == ([("POST", "/press", STOP)], True)
    assert b"connection: close" in told.written


async def test_http_1_0_with_an_offer_keeps_its_body_too() -> None:
    told = await exchange([request(OFFERS[0], BODIES["length"]).replace(b"HTTP/1.1", b"HTTP/1.0", 1)])
    assert (told.presses, told.closed) == ([("POST", "/press", STOP)], True)


async def test_an_upgrade_offer_does_not_cancel_100_continue() -> None:
    head, _, body = request(OFFERS[0] + b"Expect: 100-continue \r\n", BODIES["length"]).partition(b"\r\n\r\n")
    told = await exchange([head + b"\r\n\r\n", b"", body])
    assert (told.statuses, told.presses) == ([100, 200], [("POST", "/press", STOP)])


TRAILED: Final = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\nUpgrade: h2c\r\n\r\n"


async def test_trailers_are_no_headers() -> None:
    told = await exchange([request(b"X-Blanks: a b \t \r\n", TRAILED) + NEXT])
    assert told.read[0][2] == {"host": "a", "x-key": "k", "x-blanks": "a b", "transfer-encoding": "chunked"}
    assert told.presses == [("POST", "/press", b"{}"), ("GET", "/next", b"")]


async def test_control_uvicorn_by_itself_lets_trailers_join_the_headers_and_keeps_blanks() -> None:
    told = await exchange([request(b"X-Blanks: a b \t \r\n", TRAILED)], HttpToolsProtocol)
    heard: dict[str, Any] = told.read[0][2]
    assert heard["authorization"] == "Bearer x"
    assert heard["x-blanks"] == "a b \t "
