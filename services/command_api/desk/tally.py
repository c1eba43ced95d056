"""The tally: how presses were answered since the process began, and how long their verdicts took. Plain numbers."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Literal, assert_never, get_args

from services.command_api.desk.commands import (
    Accepted,
    Answer,
    Asked,
    Dialect,
    Learned,
    NotRecorded,
    Refused,
    StillWaiting,
)
from shared.events.rules import Rule
from shared.process.spread import Spread

Answered = Literal["accepted", "refused", "waiting", "not_recorded"]

DIALECTS: Final[tuple[Dialect, ...]] = get_args(Dialect)
ANSWERED: Final[tuple[Answered, ...]] = get_args(Answered)


class Tally:
    """Counts answers. Its keys are words of ours alone, so no caller can make it grow."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[Dialect, Answered, Rule | None]] = Counter()
        # Before anything was sent, because of what the request shows by itself.
        self.turned_away: Counter[tuple[Dialect, Rule]] = Counter()
        # Commands on Kafka that became no press, by the reason.
        self.buried: Counter[str] = Counter()
        self.verdict_after: dict[Dialect, Spread] = {dialect: Spread() for dialect in DIALECTS}

    def answer(self, dialect: Dialect, answer: Answer, seconds: float) -> None:
        """Count one answer, and how long its verdict took."""
        word, rule = _word_of(answer)
        self.answered[dialect, word, rule] += 1
        if word in {"accepted", "refused"}:
            self.verdict_after[dialect].add(seconds)


class CountedSubmitter:
    """A submitter whose answers are counted, and whose verdicts are timed. `clock` gives seconds since some moment."""

    def __init__(
        self,
        submit: Callable[[Asked], Awaitable[Answer]],
        first_answer: Callable[[Asked], Awaitable[Answer | None]],
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self._submit = submit
        self._first_answer = first_answer
        self._tally = tally
        self._clock = clock

    async def submit(self, asked: Asked) -> Answer:
        """Record one press, as `desk.Submitter` says."""
        began = self._clock()
        answer = await self._submit(asked)
        self._tally.answer(asked.dialect, answer, self._clock() - began)
        return answer

    async def first_answer(self, asked: Asked) -> Answer | None:
        """Return what became of a press before, as `desk.Submitter` says."""
        began = self._clock()
        answer = await self._first_answer(asked)
        if answer is not None:
            self._tally.answer(asked.dialect, answer, self._clock() - began)
        return answer


def _word_of(answer: Answer) -> tuple[Answered, Rule | None]:
    match answer:
        case Accepted() | Learned():
            return "accepted", None
        case Refused(rule=rule):
            return "refused", rule
        case StillWaiting():
            return "waiting", None
        case NotRecorded():
            return "not_recorded", None
        case _:
            assert_never(answer)
