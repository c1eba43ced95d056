"""Record: one record of the judged stream. What it says of itself is read; its bytes are passed on as they are."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A record at its place. `written_at_ms` is its timestamp; `tenant` is None when no tenant may read it."""

    partition: int
    offset: int
    written_at_ms: int
    source_offset: int | None
    tenant: str | None
    body: bytes

    @property
    def is_outcome(self) -> bool:
        """Whether the record is an outcome, of this release or of a later one."""
        return self.source_offset is not None


class _Label(BaseModel):
    # The whole record is checked to be JSON on the way. Its other members are the readers' business.
    source_offset: Annotated[int, Field(ge=0, lt=1 << 63, strict=True)]
    tenant: Annotated[str | None, Field(strict=True)]


def record_in(partition: int, offset: int, written_at_ms: int, value: bytes | None) -> StreamRecord:
    """Return what a record holds. Never raises: one bad record must not stop its neighbours."""
    try:
        label = _Label.model_validate_json(value or b"")
    except ValidationError:
        return StreamRecord(partition, offset, written_at_ms, None, None, b"")
    return StreamRecord(partition, offset, written_at_ms, label.source_offset, label.tenant, _on_one_line(value or b""))


def _on_one_line(body: bytes) -> bytes:
    # JSON allows line ends between its words alone. We write none; another writer's would end a line of the feed.
    return body.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in body or b"\r" in body else body
