"""Entries: a press, or an unreadable record, at its place and time on the log."""

from datetime import datetime, timedelta
from typing import Final

from shared.events.codec import Press, Unreadable
from shared.events.durations import UNIX_EPOCH
from shared.events.envelope import Envelope
from shared.events.models import AnyEvent
from shared.events.value import value

# Presses that are older than this on arrival are rare, and need a past that no cache keeps.
BACKDATED_AFTER: Final = timedelta(days=2)


def moment_of(timestamp_ms: int) -> datetime:
    """Return the moment of a record's timestamp, in milliseconds since 1970."""
    return UNIX_EPOCH + timedelta(milliseconds=timestamp_ms)


@value
class LoggedPress:
    """A press at its place on the log. `log_time` is the broker's clock, in whole milliseconds."""

    offset: int
    log_time: datetime
    press: Press

    @property
    def event(self) -> AnyEvent:
        """The event of the press."""
        return self.press.event

    @property
    def envelope(self) -> Envelope:
        """The envelope of the press."""
        return self.press.envelope

    @property
    def moment(self) -> datetime:
        """When the press happened: the time that was asked for, else the API's clock; never after the log time."""
        return min(self.press.event.asked_at or self.press.envelope.recorded_at, self.log_time)

    @property
    def is_backdated(self) -> bool:
        """Whether the press happened days before it was recorded."""
        return self.log_time - self.moment > BACKDATED_AFTER

    def at(self, last_at: datetime | None) -> datetime:
        """Return when the press counts. `last_at`: when its timer's last accepted press counted; None: a new timer."""
        moment = self.moment
        return moment if last_at is None else max(moment, last_at)


@value
class UnreadableRecord:
    """A record that no version can read, at its place on the log."""

    offset: int
    log_time: datetime
    unreadable: Unreadable


Entry = LoggedPress | UnreadableRecord
