"""Policies, read by hand: which documents of a tenant ever came into force."""

import json
from collections.abc import Iterable

from tests.support.proof.naive.outcome import Row


def policies_in_force(records: Iterable[tuple[int, bytes | None, bytes | None]]) -> dict[str, list[tuple[int, Row]]]:
    """Return each tenant's documents with their revisions, without those that are void."""
    found: dict[str, list[tuple[int, Row]]] = {}
    for offset, key, value in records:
        try:
            tenant, said = (key or b"\xff").decode(), json.loads(value or b"")
            document, replaces = said["document"], said["replaces"]
        except (ValueError, KeyError, TypeError):
            continue
        had = found.setdefault(tenant, [])
        if replaces == (had[-1][0] if had else None):
            had.append((offset, document | {"set_at": said["set_at"]}))
    return found
