"""A request that two readers could read in two ways is refused, and what follows it is not carried out.

Each safety test has its control: uvicorn's own protocol, given the same bytes, fails it.
"""

from typing import Final

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.process.http.protocol import HEAD_BYTES_MAX
from tests.support.fakes.wire import NEXT, OFFERS, STOP, cut, exchange, request, said_to

CHUNKS: Final = b"0\r\n\r\n"
UNREADABLE: Final = {
    "both lengths": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "both lengths, the other way round": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "one length twice": b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "a list of lengths": b"Content-Length: 5, 5\r\n\r\n" + CHUNKS,
    "a length with a sign": b"Content-Length: +5\r\n\r\n" + CHUNKS,
    "gzip": b"Transfer-Encoding: gzip\r\n\r\n" + CHUNKS,
    "gzip, then chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "chunked, then gzip": b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "no coding": b"Transfer-Encoding:\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "nearly chunked": b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "a folded value": b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a blank before a name": b" X-A: 1\r\nContent-Length: 0\r\n\r\n",
    "a blank before the colon": b"Content-Length : 0\r\n\r\n",
    "a bare LF behind a value": b"X-A: 1\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "a bare LF as the head's end": b"Content-Length: 0\r\n\n",
    "a bare CR": b"X-A: 1\rContent-Length: 5\r\n\r\n" + CHUNKS,
    "a null": b"X-A: \x00\r\nContent-Length: 0\r\n\r\n",
    "a chunk that is no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk with a bare LF": b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
    "a length among the trailers": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.parametrize("offer", [b"", OFFERS[0]], ids=["no offer", "an offer"])
@pytest.mark.parametrize("why", UNREADABLE)
async def test_an_ambiguous_request_is_400_and_ends_the_connection(why: str, offer: bytes) -> None:
    """The bytes that follow are not carried out: not at once, and not when they come later."""
    stream = request(offer, UNREADABLE[why])
    for pieces in ([stream + STOP], [stream, STOP], cut(stream + STOP, range(len(stream)))):
        told = await exchange(pieces)
        assert (told.presses, told.statuses, told.closed) == ([], [400], True)


@pytest.mark.parametrize("why", ["gzip", "gzip, then chunked", "nearly chunked", "a chunk that is no number"])
async def test_control_uvicorn_carries_out_an_ambiguous_request_or_what_follows(why: str) -> None:
    """With an upgrade offer. Without one it refuses all but `gzip, chunked`, as the tests above check."""
    told = await exchange([request(OFFERS[0], UNREADABLE[why]), STOP], HttpToolsProtocol)
    assert told.presses or told.statuses != [400]


CHUNKED_BODY: Final = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
CHUNKED: Final = request(b"", CHUNKED_BODY)
LONG: Final = HEAD_BYTES_MAX + 40 * 1024
LONG_HEADS: Final = {
    "one value": b"GET /press HTTP/1.1\r\nX-A: " + b"a" * LONG + b"\r\n\r\n",
    "many headers": request(b"X-A: %b\r\n" % (b"a" * 100) * 1000, b"\r\n", b"GET"),
    "the address": b"GET /" + b"a" * LONG + b" HTTP/1.1\r\n\r\n",
    "an offer": request(OFFERS[0], b"X-A: " + b"a" * LONG + b"\r\nContent-Length: 0\r\n\r\n"),
    "many trailers": CHUNKED + b"X-A: %b\r\n" % (b"a" * 100) * 1000 + b"\r\n",
    "trailers of an offer": request(OFFERS[0], CHUNKED_BODY + b"X-A: " + b"a" * LONG + b"\r\n\r\n"),
    "a trailer without an end": CHUNKED + b"X-A: " + b"a" * LONG,
    "without an end": b"GET /press HTTP/1.1\r\nX-A: " + b"a" * LONG,
}


@pytest.mark.parametrize("head", LONG_HEADS.values(), ids=LONG_HEADS)
@pytest.mark.parametrize("size", [1000, 20_000, 1_000_000])
async def test_a_head_that_is_too_long_is_400_however_it_comes(head: bytes, size: int) -> None:
    told = await exchange([*cut(head, range(0, len(head), size)), STOP])
    assert (told.presses, told.statuses, told.closed) == ([], [400], True)


async def test_control_uvicorn_keeps_a_head_of_any_length() -> None:
    told = await exchange([LONG_HEADS["one value"]], HttpToolsProtocol)
    assert told.statuses == [200]


async def test_a_press_before_a_head_that_is_too_long_is_answered() -> None:
    told = await exchange([STOP + LONG_HEADS["without an end"], *[b"a" * LONG] * 30], slowly=True)
    assert (told.presses, told.statuses, told.closed) == ([("POST", "/stop", b"")], [200], True)


@pytest.mark.parametrize("size", [1000, 20_000, 1_000_000])
async def test_a_head_of_48_kib_and_a_body_of_any_length_are_read(size: int) -> None:
    body = b"b" * 300_000
    whole = request(b"X-A: " + b"a" * 48 * 1024 + b"\r\nContent-Length: 300000\r\n\r\n", body) + STOP
    told = await exchange(cut(whole, range(0, len(whole), size)))
    assert told.presses == [("POST", "/press", body), ("POST", "/stop", b"")]


@pytest.mark.parametrize("size", [1000, 20_000, 1_000_000])
async def test_a_chunk_of_any_length_and_48_kib_of_trailers_are_read(size: int) -> None:
    body, trailer = b"b" * 300_000, b"X-A: " + b"a" * 48 * 1024
    chunks = b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer)
    whole = request(b"Transfer-Encoding: chunked\r\n\r\n", chunks)
    # A second one on the connection is counted from its own beginning.
    told = await exchange(cut(whole * 2, range(0, 2 * len(whole), size)))
    assert told.presses == [("POST", "/press", body)] * 2


@pytest.mark.parametrize("trailer", ["many trailers", "a trailer without an end"])
async def test_trailers_that_never_end_close_a_connection_whose_request_is_answered(trailer: str) -> None:
    """They would be kept until the connection counts as idle, a minute later."""

    async def answer_at_once(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    stream = LONG_HEADS[trailer]
    written, closed = await said_to(answer_at_once, cut(stream, range(0, len(stream), 1000)))
    assert (written[:12], closed) == (b"HTTP/1.1 404", True)


@pytest.mark.parametrize("target", [b"a:80", b"/press"])
async def test_connect_is_refused_with_all_that_follows(target: bytes) -> None:
    stream = b"CONNECT %b HTTP/1.1\r\nHost: a\r\n\r\n" % target + STOP
    told = await exchange([stream])
    assert (told.presses, told.statuses, told.closed) == ([], [400], True)


async def test_control_uvicorn_by_itself_reads_on_behind_a_connect() -> None:
    told = await exchange([b"CONNECT /press HTTP/1.1\r\nHost: a\r\n\r\n", STOP], HttpToolsProtocol)
    assert ("POST", "/stop", b"") in told.presses


@pytest.mark.parametrize("behind", [b"junk\r\n\r\n", request(b"", UNREADABLE["a chunk that is no number"])])
async def test_a_press_is_never_answered_with_the_400_of_what_follows(behind: bytes) -> None:
    """The press is carried out, so its own answer comes, and then the end of the connection."""
    for pieces in ([STOP + behind], [STOP, behind], [STOP + NEXT + behind + STOP]):
        told = await exchange(pieces, slowly=True)
        assert told.presses == [("POST", "/stop", b""), ("GET", "/next", b"")][: 1 + (NEXT in pieces[0])]
        assert (told.statuses, told.closed) == ([200] * len(told.presses), True)
        assert told.written.count(b"connection: close") == 1


async def test_control_uvicorn_answers_a_press_with_the_400_after_it() -> None:
    told = await exchange([STOP + b"junk\r\n\r\n"], HttpToolsProtocol, slowly=True)
    assert (told.presses, told.statuses) == ([("POST", "/stop", b"")], [400])
