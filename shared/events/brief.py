"""The brief outcome: what the answer to a press needs of its outcome, read without the rest.

An outcome says everything that happened, for every table. An answer over HTTP shows the verdict and the timer, so a
reader of replies that builds only those takes less than half the time. The members are `Outcome`'s own.
"""

from typing import Final, Literal
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from .base import TimerId, kinds_of
from .outcome import Fact, TimerAfter, UnreadableOutcomeError, Verdict
from .value import value


@value(kw_only=True)
class BriefOutcome:
    """What an answer needs of an outcome."""

    v: Literal[1] = 1
    source_offset: int
    event_id: UUID | None
    subject: TimerId | None
    owner: str | None
    verdict: Verdict
    rule: str | None = None
    timer: TimerAfter | None = None
    fact: Fact | None = None


@value(kw_only=True)
class BriefReply:
    """One element of a reply record, read as far as an answer needs it."""

    request_id: str
    outcome: BriefOutcome


_BRIEF_REPLIES: Final = TypeAdapter(list[BriefReply])


def read_brief_replies(record: bytes) -> list[BriefReply]:
    """Return the elements of one reply record. Raises UnreadableOutcomeError, also when one of them is newer."""
    try:
        return _BRIEF_REPLIES.validate_json(record)
    except ValidationError as error:
        raise UnreadableOutcomeError(kinds_of(error)) from None
