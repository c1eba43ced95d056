"""Texts: the value on `timer.texts.v1`, keyed by the timer's short id. The only place where free text is written."""

from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from shared.events.base import Model, OwnerId, TenantName


class TimerText(Model):
    """What somebody wrote about a timer. It belongs to the timer that `event_id` started.

    Two processes may draw one id in the same millisecond; the fold keeps one start and voids the other, and by
    `event_id` a reader tells the text of the one from the text of the other.
    """

    tenant: TenantName
    owner: OwnerId
    event_id: UUID
    comment: str | None = None
    work_item: str | None = None


TIMER_TEXT: Final = TypeAdapter(TimerText)
