"""The judged stream in a line each: records as a feed reads them."""

from services.feed.window.record import StreamRecord, record_in


def judged(
    source_offset: int, tenant: str | None = "acme", *, partition: int = 0, offset: int | None = None, at_ms: int = 0
) -> StreamRecord:
    """Return the outcome of one press. It is on the stream where the press is on the log, unless `offset` is given."""
    return record_in(
        partition, source_offset if offset is None else offset, at_ms, outcome_bytes(source_offset, tenant)
    )


def outcome_bytes(source_offset: int, tenant: str | None = "acme") -> bytes:
    """Return an outcome as bytes, with the two members that a feed reads."""
    named = "null" if tenant is None else f'"{tenant}"'
    return f'{{"v":1,"source_offset":{source_offset},"tenant":{named},"owner":"dana"}}'.encode()
