"""TLS as a client: whom we believe, and who we are. One way for Kafka and for Postgres."""

import ssl
from pathlib import Path


def client_context(ca: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a context that verifies the server's certificate and its name.

    `ca`: a PEM file of those we believe, and nobody else; None: whom this machine believes. `certificate` and `key`
    are ours, for servers that ask for one. Raises OSError for a file that cannot be read or is none (ssl.SSLError).
    """
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        # No password: where a key may lie is a matter of the file's mode, and a prompt would hang a service.
        context.load_cert_chain(certificate, key, password="")
    return context
