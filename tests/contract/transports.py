"""Transports: odd but lawful ways to send a request, for `test_transports`.

Safe to change: add one. A transport turns a request into the segments in which it is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tests.support.stack.raw_http import Request

OFFER: Final = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAEAAEAAAAIAAAAA"))

_CHUNK_BYTES: Final = 7


def _in_chunks(request: Request) -> Request:
    if request.body is None:
        return request
    parts = [request.body[at : at + _CHUNK_BYTES] for at in range(0, len(request.body), _CHUNK_BYTES)]
    body = b"".join(b"%X;note=x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: x\r\n\r\n"
    return replace(request.having(("Transfer-Encoding", "chunked")), body=body)


def _spelt(request: Request, *, blanks: str = "", case: Callable[[str], str] = str) -> Request:
    return replace(request, headers=tuple((case(name), f"{blanks}{said}{blanks}") for name, said in request.headers))


def _halves(request: Request, at: int) -> list[bytes]:
    return [part for part in (request.wire[:at], request.wire[at:]) if part]


TRANSPORTS: Final[Mapping[str, Callable[[Request], list[bytes]]]] = {
    "an upgrade offer": lambda asked: [asked.having(*OFFER).wire],
    "an upgrade offer, as Java sends it": lambda asked: _halves(asked.having(*OFFER), len(asked.having(*OFFER).head)),
    "an upgrade offer, in chunks": lambda asked: [_in_chunks(asked).having(*OFFER).wire],
    "another protocol offered": lambda asked: [asked.having(("connection", "upgrade"), ("upgrade", "websocket")).wire],
    "cut in the head": lambda asked: _halves(asked, len(asked.head) // 2),
    "cut at the head's end": lambda asked: _halves(asked, len(asked.head)),
    "cut in the body": lambda asked: _halves(asked, len(asked.head) + len(asked.body or b"") // 2),
    "in chunks": lambda asked: [_in_chunks(asked).wire],
    "capital names": lambda asked: [_spelt(asked, case=str.upper).wire],
    "small names": lambda asked: [_spelt(asked, case=str.lower).wire],
    "blanks around values": lambda asked: [_spelt(asked, blanks=" \t ").wire],
}
