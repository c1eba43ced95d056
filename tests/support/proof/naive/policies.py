"""Policies, read by hand: which documents of a tenant ever came into force."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.support.proof.naive.outcome import Row


def policies_in_force(
    records: Iterable[tuple[int, bytes | None, bytes | None, datetime]],
) -> dict[str, list[tuple[int, Row]]]:
    """Return each tenant's documents with their revisions and from when they count, without those that are void."""
    found: dict[str, list[tuple[int, Row]]] = {}
    for offset, key, value, log_time in records:
        try:
            tenant, said = (key or b"\xff").decode(), json.loads(value or b"")
            document, replaces = said["document"], said["replaces"]
        except (ValueError, KeyError, TypeError):
            continue
        had = found.setdefault(tenant, [])
        if replaces == (had[-1][0] if had else None):
            set_at = datetime.fromisoformat(said["set_at"]).astimezone(UTC)
            is_off = not -30 <= (log_time - set_at).total_seconds() <= 30  # the writer's clock, not the brokers'
            had.append((offset, document | {"counts_from": (log_time if is_off else set_at).isoformat()}))
    return found
