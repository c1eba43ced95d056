"""Answers on their way to services that wait, at addresses that may be sick.

A partition without a leader, or with too few replicas, takes nothing and does not answer. That is its service's
trouble: the other commands of a round must not wait for it. The press is passed on once, and never again because of it.
"""

import asyncio
from typing import Final

import structlog

from services.command_api.desk.intake.ports import Letters
from services.command_api.dialects.kafka.answers import reply_to
from shared.events.envelope import ReplyAddress
from shared.events.outcome import Outcome

# After a silence an address is not tried for this time, because each try holds a round up.
_SILENT_FOR_SECONDS: Final = 30.0
_SILENT_MAX: Final = 1_000


class Replying:
    """Sends answers, and remembers for a while which addresses took none."""

    def __init__(self, letters: Letters, within_seconds: float) -> None:
        self._letters = letters
        self._within_seconds = within_seconds
        self._silent_until: dict[tuple[str, int], float] = {}
        self._log = structlog.get_logger()

    async def settled(self, reply: ReplyAddress, outcome: Outcome) -> bool:
        """Send an answer, and return whether no more can be done. False: the address did not take it in time."""
        place = (reply.topic, reply.partition)
        if self._is_silent(place):
            return False
        try:
            async with asyncio.timeout(self._within_seconds):
                taken = await self._letters.send(*place, reply_to(reply, outcome))
        except (ConnectionError, TimeoutError):
            self._keep_silent(place)
            return False
        if not taken:
            # It led somewhere when the command was read. The outcome is in the judged stream all the same.
            self._log.warning("command_unanswered", event_id=str(outcome.event_id))
        return True

    def _keep_silent(self, place: tuple[str, int]) -> None:
        # The commands of a round wait for one address at the same time, and each of them comes here.
        if not self._is_silent(place):
            self._log.warning("reply_address_silent", topic=place[0], partition=place[1])
        if len(self._silent_until) >= _SILENT_MAX:
            self._silent_until.clear()
        self._silent_until[place] = asyncio.get_running_loop().time() + _SILENT_FOR_SECONDS

    def _is_silent(self, place: tuple[str, int]) -> bool:
        return self._silent_until.get(place, 0.0) > asyncio.get_running_loop().time()
