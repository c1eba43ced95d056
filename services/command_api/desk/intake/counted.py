"""A recorder whose answers are counted and timed, as those of the other dialects are."""

from collections.abc import Callable

from services.command_api.desk.commands import Asked, Decided, NotRecorded, Position, StillWaiting, answer_of
from services.command_api.desk.intake.ports import Recorder
from services.command_api.desk.tally import Tally
from shared.events.envelope import ReplyAddress
from shared.events.outcome import Outcome


class CountedRecorder:
    """Counts what becomes of each press. `clock` gives seconds since some moment."""

    def __init__(self, recorder: Recorder, tally: Tally, clock: Callable[[], float]) -> None:
        self._recorder = recorder
        self._tally = tally
        self._clock = clock

    async def judged(self, asked: Asked) -> Decided[Outcome] | StillWaiting | NotRecorded:
        """Record one press and count what became of it, as `intake.Recorder` says."""
        began = self._clock()
        result = await self._recorder.judged(asked)
        answer = answer_of(result.partition, result.outcome) if isinstance(result, Decided) else result
        self._tally.answer(asked.dialect, answer, self._clock() - began)
        return result

    async def pass_on(self, asked: Asked, reply: ReplyAddress | None) -> Position | NotRecorded:
        """Pass one press on. It was counted when it was not judged in time."""
        return await self._recorder.pass_on(asked, reply)
