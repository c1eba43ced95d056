"""TLS as a client: which authorities we trust, and our own certificate. One way for Kafka and for Postgres."""

import ssl
from pathlib import Path
from typing import Any


def client_context(ca: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a context that verifies the server's certificate and its name.

    `ca` is a PEM file of the only authorities to trust; None: those of the machine. `certificate` and `key` are ours,
    when a server asks for them. Raises OSError for a file that cannot be read, ssl.SSLError for one that is not PEM.
    A file that is written anew counts from the next connection on.
    """
    if ca is None and certificate is None:
        return _read(ca, certificate, key)
    return _Renewed(ssl.PROTOCOL_TLS_CLIENT, ca, certificate, key)


def _read(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    # From 3.13 on Python refuses certificates that lack what RFC 5280 asks for. Private authorities leave some of it
    # out: Strimzi's names no authority key. Signature, name and dates are verified all the same.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate is not None:
        # An empty password, because a prompt would hang a service. The file's mode protects the key.
        context.load_cert_chain(certificate, key, password="")
    return context


class _Renewed(ssl.SSLContext):
    """A context that begins each connection with another one, which is made anew when a file has changed.

    Operators of Kafka and Postgres renew authorities within months, and a process may run for longer. By itself this
    context trusts nobody.
    """

    def __init__(self, _protocol: int, ca: Path | None, certificate: Path | None, key: Path | None) -> None:
        self._files = (ca, certificate, key)
        self._changed_at = _changed_at(*self._files)
        self._current = _read(*self._files)

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 - as ssl has them
        """Begin a connection. asyncio and uvloop begin each of theirs here."""
        try:
            changed_at = _changed_at(*self._files)
            if changed_at != self._changed_at:
                self._current = _read(*self._files)
                self._changed_at = changed_at
        except OSError:
            pass  # not whole yet, or gone: what was read before counts, and the next connection looks again
        return self._current.wrap_bio(*args, **options)


def _changed_at(*files: Path | None) -> tuple[int, ...]:
    return tuple(file.stat().st_mtime_ns for file in files if file is not None)
