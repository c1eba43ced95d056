"""A client verifies what a private authority signed, on each version of Python alike."""

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.local.settings import HOST
from shared.tls import client_context
from tests.support.stack.certificates import Authority

# A handshake takes fewer turns.
TURNS: Final = 10


@pytest.fixture(autouse=True)
def _as_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image has 3.13, whose contexts are strict. Of an older Python they are not."""
    made_before = ssl.create_default_context

    def made(*said: Any, **more: Any) -> ssl.SSLContext:  # noqa: ANN401 - whatever ssl takes
        context = made_before(*said, **more)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr("shared.tls.ssl.create_default_context", made)


def believes(client: ssl.SSLContext, server: Path, name: str = HOST, *, clients: Path | None = None) -> bool:
    """Say whether a client and a server believe each other. `server` has a certificate and its key.

    `clients`: the authority of which the server wants a certificate; None: it wants none.
    """
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # In older versions of TLS the client hears within its handshake what the server thinks of it.
    serving.maximum_version = ssl.TLSVersion.TLSv1_2
    serving.load_cert_chain(server)
    if clients is not None:
        serving.verify_mode = ssl.CERT_REQUIRED
        serving.load_verify_locations(clients)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(TURNS):
        try:
            ours.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError:
            return False
        else:
            return True
        try:
            theirs.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError:
            return False
    raise AssertionError("the handshake has no end")


def replace(file: Path, content: bytes) -> None:
    """Write a file anew, later than before also where the clock of the disk is coarse."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    fresh = file.with_name("fresh")
    fresh.write_bytes(content)
    os.utime(fresh, ns=(before + 1_000_000_000, before + 1_000_000_000))
    fresh.replace(file)


def test_a_certificate_without_an_authority_key_is_believed(tmp_path: Path) -> None:
    """As Strimzi and many private authorities write them."""
    authority = Authority(tmp_path)
    broker = authority.vouches_for("broker").both
    assert believes(client_context(authority.ca), broker)
    # The control: what 3.13 says to it by itself.
    assert not believes(ssl.create_default_context(cafile=authority.ca), broker)


def test_another_authority_and_another_name_are_not_believed(tmp_path: Path) -> None:
    authority, another = Authority(tmp_path / "one"), Authority(tmp_path / "other")
    broker = authority.vouches_for("broker").both
    assert not believes(client_context(another.ca), broker)
    assert not believes(client_context(authority.ca), broker, name="127.0.0.2")


def test_an_authority_that_the_environment_names_is_believed_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSL_CERT_FILE` names a company's own, for its identity provider."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    assert believes(client_context(None), authority.vouches_for("provider").both)


def test_an_authority_that_was_renewed_is_believed_from_the_next_connection_on(tmp_path: Path) -> None:
    """Operators renew theirs within months. With the old one alone every process would be refused at that moment."""
    now, then = Authority(tmp_path / "now"), Authority(tmp_path / "then")
    context = client_context(now.ca)
    renewed = then.vouches_for("broker").both
    assert not believes(context, renewed)
    replace(now.ca, then.ca.read_bytes())
    assert believes(context, renewed)
    assert not believes(context, now.vouches_for("broker").both)


def test_a_certificate_of_ours_that_was_renewed_is_shown_from_the_next_connection_on(tmp_path: Path) -> None:
    authority, another = Authority(tmp_path / "one"), Authority(tmp_path / "other")
    broker = authority.vouches_for("broker").both
    ours, renewed = another.vouches_for("client"), authority.vouches_for("client")
    context = client_context(authority.ca, ours.certificate, ours.key)
    assert not believes(context, broker, clients=authority.ca)
    replace(ours.key, renewed.key.read_bytes())
    replace(ours.certificate, renewed.certificate.read_bytes())
    assert believes(context, broker, clients=authority.ca)


@pytest.mark.parametrize("left", [None, b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_while_a_file_is_not_whole_what_was_read_before_counts(tmp_path: Path, left: bytes | None) -> None:
    authority = Authority(tmp_path)
    broker = authority.vouches_for("broker").both
    context = client_context(authority.ca)
    authority.ca.unlink()
    if left is not None:
        authority.ca.write_bytes(left)
    assert believes(context, broker)
    renewed = Authority(tmp_path / "renewed")
    replace(authority.ca, renewed.ca.read_bytes())
    assert believes(context, renewed.vouches_for("broker").both)


async def test_a_connection_of_the_loop_reads_the_files_too(tmp_path: Path) -> None:
    """Both kinds of loop."""
    now, then = Authority(tmp_path / "now"), Authority(tmp_path / "then")
    context, serving = client_context(now.ca), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(then.vouches_for("broker").both)
    replace(now.ca, then.ca.read_bytes())
    server = await asyncio.start_server(lambda _, writer: writer.close(), HOST, 0, ssl=serving)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=context)
        writer.close()
