"""The reads of dialect C: one timer, and the outcome of one press.

A person's token reads that person's timers and presses. Another person's are 404, as if they did not exist.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.desk.follow_up import DIGEST_DIGITS, Place, follow_up_of
from services.command_api.desk.rows import NoSuchPartitionError, OutcomeRow
from services.command_api.dialects.answering import Ask, read
from services.command_api.dialects.headers import parse_position, preferred_wait
from services.command_api.dialects.malformed import Malformed, fault_in
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS
from services.command_api.dialects.native.lists.filters import query_of
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

# The form that `short_digest` writes.
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{DIGEST_DIGITS}}}")
# The rules that refuse a press on a timer that is unknown, or another owner's.
_NOT_THEIRS: Final = frozenset({Rule.TIMER_UNKNOWN, Rule.NOT_THE_OWNER})
_NO_SUCH_OUTCOME: Final = "There is no such outcome."
_AS_SPELT: Final = "Ask the Location of the 202 as it is spelt."


@dataclass(frozen=True, slots=True)
class NativeReads:
    """The reads of dialect C."""

    desk: Desk

    async def timer(self, request: Request) -> Response:
        """`GET /v1/timers/{timer_id}`."""
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        timer_id = parse_timer_id(request.path_params["timer_id"])
        ask = WORDS.refused(Rule.TIMER_UNKNOWN) if timer_id is None else partial(self._timer, caller, timer_id)
        return await read(self.desk, request, caller, WORDS, fault_in(query_of(request)) or ask)

    async def _timer(self, caller: Caller, timer_id: int) -> Response:
        row = await self.desk.reads.timer(caller.tenant, timer_id)
        if row is None or caller.person not in {None, row.owner}:
            return WORDS.refused(Rule.TIMER_UNKNOWN)
        return answers.read(row)

    async def outcome(self, request: Request) -> Response:
        """`GET /v1/outcomes/{event_id}?at=p:offset&digest=…`."""
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        return await read(self.desk, request, caller, WORDS, self._asked(request, caller))

    def _asked(self, request: Request, caller: Caller) -> Ask | Malformed | Response:
        event_id, place = _uuid(request.path_params["event_id"]), _place(request)
        if isinstance(place, Malformed):
            return place
        if event_id is None:
            return answers.refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OUTCOME)
        return partial(self._outcome, caller, event_id, place, preferred_wait(request))

    async def _outcome(self, caller: Caller, event_id: UUID, place: Place | None, wait: float | None) -> Response:
        reads = self.desk.reads
        if place is not None and wait:
            with suppress(NoSuchPartitionError):  # such a position is 404 below
                await reads.wait_for(caller.tenant, place.partition, place.offset, wait)
        # Where the checkpoint stands is asked before the row: asked after it, a press judged between the two would
        # seem to have been passed without an outcome.
        next_offset = None if place is None else await reads.next_offset(place.partition)
        row = await reads.outcome(caller.tenant, event_id, None if place is None else place.partition)
        follow_up = follow_up_of(row, place, next_offset, self.desk.now())
        if row is not None and follow_up in {"shown", "reused"}:
            return _shown(row, caller, reused=follow_up == "reused") if row.unread is None else _unread(row, caller)
        return answers.not_yet() if follow_up == "not_yet" else answers.refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OUTCOME)


def _place(request: Request) -> Place | Malformed | None:
    query = query_of(request, "at", "digest")
    if isinstance(query, Malformed):
        return query
    position = parse_position(query["at"]) if "at" in query else None
    if "at" in query and position is None:
        return Malformed(Rule.VALUE_INVALID, "at", f"at must be a position, such as 3:42. {_AS_SPELT}")
    digest = query.get("digest")
    if digest is not None and not _DIGEST.fullmatch(digest):
        return Malformed(
            Rule.VALUE_INVALID, "digest", f"digest must be {DIGEST_DIGITS} hexadecimal digits. {_AS_SPELT}"
        )
    return None if position is None else Place(*position, digest)


def _shown(row: OutcomeRow, caller: Caller, *, reused: bool) -> Response:
    shown = answers.refused(Rule.KEY_REUSED) if reused else answers.outcome(row.body)
    if caller.person is None:
        return shown
    outcome = json.loads(row.body)
    if outcome.get("owner") == caller.person:
        return shown
    if (outcome.get("actor") or {}).get("person") != caller.person:
        return answers.refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OUTCOME)
    if outcome.get("rule") in _NOT_THEIRS and not reused:
        # A person's own press on another owner's timer: the answer is the one that they would have got in time.
        return answers.refused(Rule(outcome["rule"]))
    return shown


def _unread(row: OutcomeRow, caller: Caller) -> Response:
    # An upgraded process can read what a newer release packed. 404 would say that the press did not count.
    if row.unread == "newer":
        return answers.not_yet()
    # No process can read a damaged outcome, or know whose press it was.
    if caller.person is None:
        return answers.refused(Rule.INTERNAL)
    return answers.refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OUTCOME)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
