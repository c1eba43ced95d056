"""Erasures: whose texts an outcome erases, and up to which timer. Pure.

A text is erased when the id of its timer was drawn before the erasure, or when the press that wrote it is older on the
log. Neither depends on when that is checked, so an erasure that is found again, late, or in an older database does no
harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.events.base import Instant, is_writable
from shared.events.ids import first_id_after, slot_of
from shared.events.models import OwnerTextsErased

# Ids of timers are drawn by the clock of an API, which is not ready when its clock is further than this from the log's.
CLOCKS_APART: Final = timedelta(seconds=10)


class _Judged(BaseModel):
    """The members of an outcome that are needed here, of this release or a later one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_offset: int
    event_type: str | None
    tenant: str | None
    owner: str | None
    verdict: str
    recorded_at: Instant | None
    log_time: Instant


@dataclass(frozen=True, slots=True)
class Erasure:
    """All texts of an owner are erased that were written for presses before `source_offset` of partition `kpart`.

    `timers_below`: so are those of timers with a lower id.
    """

    slot: int
    tenant: str
    owner: str
    kpart: int
    source_offset: int
    timers_below: int


class UnreadableErasureError(Exception):
    """An outcome that seems to erase texts does not read."""


def read_erasure(kpart: int, body: str) -> Erasure | None:
    """Return what an outcome erases, None for nothing. Raises UnreadableErasureError."""
    try:
        judged = _Judged.model_validate_json(body)
    except ValidationError:
        raise UnreadableErasureError from None
    tenant, owner = judged.tenant, judged.owner
    if judged.event_type != OwnerTextsErased.type or judged.verdict != "accepted" or tenant is None or owner is None:
        return None
    if not is_writable([tenant, owner]):  # Postgres cannot keep it, so there is no text either
        return None
    return Erasure(
        slot_of(tenant, owner), tenant, owner, kpart, judged.source_offset, first_id_after(_pressed_at(judged))
    )


def _pressed_at(judged: _Judged) -> datetime:
    # A timer that the same API drew just before has the API's time, which may be ahead of the log's. A time further
    # ahead than our clocks may differ was not written by one of our APIs.
    if judged.recorded_at is None:
        return judged.log_time
    return max(judged.log_time, min(judged.recorded_at, judged.log_time + CLOCKS_APART))


def newest(erasures: Iterable[Erasure]) -> list[Erasure]:
    """Return one erasure for each owner, which erases as much as all of theirs."""
    found: dict[tuple[str, str], Erasure] = {}
    for one in erasures:
        other = found.get((one.tenant, one.owner), one)
        found[one.tenant, one.owner] = Erasure(
            one.slot,
            one.tenant,
            one.owner,
            one.kpart,
            max(one.source_offset, other.source_offset),
            max(one.timers_below, other.timers_below),
        )
    return list(found.values())
