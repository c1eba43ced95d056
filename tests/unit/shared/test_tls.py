"""A client verifies what a private authority signed, on each version of Python alike."""

import ssl
from contextlib import suppress
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


def believes(client: ssl.SSLContext, server: Path, name: str = HOST) -> bool:
    """Say whether a client finishes its handshake with a server. `server` has a certificate and its key."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server)
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
        with suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
    raise AssertionError("the handshake has no end")


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


def test_the_authorities_of_the_machine_are_held_to_what_python_asks() -> None:
    assert client_context(None).verify_flags & ssl.VERIFY_X509_STRICT
