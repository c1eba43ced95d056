"""Texts: the value on `timer.texts.v1`, keyed by the timer's short id. The only place where free text is written."""

from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from .base import Model, OwnerId, TenantName


class TimerText(Model):
    """What a person wrote about a timer. The text belongs to the timer that `event_id` started.

    Two processes may draw one timer id in the same millisecond. The fold keeps one start and voids the other, and
    `event_id` tells their texts apart.
    """

    tenant: TenantName
    owner: OwnerId
    event_id: UUID
    comment: str | None = None
    work_item: str | None = None


TIMER_TEXT: Final = TypeAdapter(TimerText)
