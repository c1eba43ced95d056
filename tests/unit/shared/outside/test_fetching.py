"""Fetching: a real client against servers on loopback that behave badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from shared.outside import fetching
from shared.outside.fetching import Fetcher, SourceAwayError, read_file

LOOPBACK: Final = "127.0.0.1"
TOKEN: Final = "s3cret-token"


@asynccontextmanager
async def serving(answer: bytes, then: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[str]:
    """Give the address of a server that gives one answer to all, does something more, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if then is not None:
            await then()
        writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/"


def said(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def fetched(url: str, within_seconds: float = 3.0) -> bytes:
    fetcher = Fetcher(ssl.create_default_context(), within_seconds=within_seconds)
    try:
        return await fetcher.post_form(url, {"token": TOKEN}, "stint", "pw")
    finally:
        await fetcher.close()


async def failure(url: str, within_seconds: float = 3.0) -> str:
    with pytest.raises(SourceAwayError) as caught:
        await fetched(url, within_seconds)
    assert TOKEN not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


async def test_an_address_that_no_client_takes_is_a_source_that_is_away() -> None:
    """Settings refuse it. Should one come through, it must not end the process."""
    assert await failure(f"http://{LOOPBACK}:70000/")


async def test_a_whole_answer_in_time_is_returned() -> None:
    async with serving(said("200 OK", b"{}")) as url:
        assert await fetched(url) == b"{}"


@pytest.mark.parametrize("status", ["201 Created", "401 Unauthorized", "429 Too Many", "503 Service Unavailable"])
async def test_any_other_status_is_no_answer(status: str) -> None:
    async with serving(said(status, b'{"active":true}')) as url:
        assert await failure(url) == f"status {status[:3]}"


async def test_a_redirect_is_not_followed() -> None:
    async with serving(said("200 OK", b"{}")) as good, serving(said("307 Go", b"", f"Location: {good}")) as url:
        assert await failure(url) == "status 307"


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "BYTES_MAX", 100)
    async with serving(said("200 OK", b"x" * 100)) as url:
        assert len(await fetched(url)) == 100
    async with serving(said("200 OK", b"x" * 101)) as url:
        assert await failure(url) == "an answer of over 100 bytes"


async def test_an_answer_that_drips_is_given_up() -> None:
    async def drip() -> None:
        await asyncio.sleep(0.2)

    async with serving(said("200 OK", b"{}")[:-1], drip) as url:
        assert await failure(url, 0.05) == "no whole answer within 0.05 s"


async def test_what_is_no_http_is_not_quoted() -> None:
    async with serving(f"{TOKEN}\r\n\r\n".encode()) as url:
        assert await failure(url) == "RemoteProtocolError"


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{LOOPBACK}:9")
    async with serving(said("200 OK", b"{}")) as url:
        assert await fetched(url) == b"{}"


async def test_nobody_there_is_said_so() -> None:
    async with serving(b"") as url:
        pass
    assert (await failure(url)).startswith("no connection: ")


async def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with pytest.raises(SourceAwayError):
        await read_file(file)
    file.write_bytes(b"1")
    assert await read_file(file) == b"1"
    file.write_bytes(b"2")
    assert await read_file(file) == b"2"
