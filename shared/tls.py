"""TLS as a client: which authorities we trust, and our own certificate. One way for Kafka and for Postgres."""

import ssl
from pathlib import Path


def client_context(ca: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a context that verifies the server's certificate and its name.

    `ca` is a PEM file of the only authorities to trust; None: those of the machine. `certificate` and `key` are ours,
    when a server asks for them. Raises OSError for a file that cannot be read, ssl.SSLError for one that is not PEM.
    """
    context = ssl.create_default_context(cafile=ca)
    if ca is not None:
        # From 3.13 on Python refuses certificates that lack what RFC 5280 asks for. Private authorities leave some of
        # it out: Strimzi's names no authority key. Signature, name and dates are verified all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate is not None:
        # An empty password, because a prompt would hang a service. The file's mode protects the key.
        context.load_cert_chain(certificate, key, password="")
    return context
