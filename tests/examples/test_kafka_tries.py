"""The service that commands: which answers use up its tries. Its class runs here, without Kafka."""

import asyncio
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Final

import pytest

from shared.events import outcome as outcomes
from shared.events import topics
from shared.events.outcome import NewerOutcomeError
from tests.examples.told import EXAMPLES
from tests.support.story.outcomes import outcome

PROGRAM: Final = EXAMPLES / "kafka_service" / "service.py"
ACCEPTED: Final = outcome()
VOID: Final = outcome(verdict="void")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - the module
    """The program as a module. What the wheel has is the same code under another name."""
    for name, module in {"stint_events.outcome": outcomes, "stint_events.topics": topics}.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = spec_from_file_location("kafka_service_example", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "AGAIN_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(module, "VOID_PAUSE_SECONDS", 0.01, raising=False)
    return module


class Commanding:
    """One press of the example: each send meets the next of `moods`, an outcome or None for silence."""

    def __init__(self, service: Any, moods: list[Any]) -> None:  # noqa: ANN401
        self.sent: list[str] = []
        self._moods = moods
        self._commands = service.Commands.__new__(service.Commands)
        self._commands._waiting = {}
        self._commands._send = self._send
        self._commands._listening = self.listening = asyncio.get_running_loop().create_future()

    async def press(self) -> Any:  # noqa: ANN401
        return await self._commands.press("start", "dana", {}, "order-17")

    async def _send(self, _verb: str, _owner: str, _body: dict[str, Any], command_id: str) -> None:
        self.sent.append(command_id)
        mood = self._moods.pop(0)
        if mood is not None:
            self._commands._waiting[command_id].set_result(mood)


async def test_void_answers_use_up_no_tries(service: Any) -> None:  # noqa: ANN401
    """An API whose clock is behind makes every press void, until its clock is right."""
    commanding = Commanding(service, [VOID] * 12 + [ACCEPTED])
    assert await commanding.press() == ACCEPTED
    assert commanding.sent == ["order-17"] * 13


async def test_a_pause_follows_a_void_answer(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await Commanding(service, [VOID, VOID, ACCEPTED]).press()
    assert paused == [0.01, 0.01]


async def test_ten_silences_end_a_command_with_an_error(service: Any) -> None:  # noqa: ANN401
    commanding = Commanding(service, [None, VOID] + [None] * 9)
    with pytest.raises(service.NotAnsweredError, match="no answer after 10 tries"):
        await commanding.press()
    assert len(commanding.sent) == 11


async def test_an_answer_that_came_before_the_listener_failed_is_returned(service: Any) -> None:  # noqa: ANN401
    """Both may happen in one turn: the record after the answer is one that only a newer release reads."""
    commanding = Commanding(service, [ACCEPTED])
    commanding.listening.set_exception(NewerOutcomeError())
    assert await commanding.press() == ACCEPTED


@pytest.mark.parametrize("mood", [None, VOID])
async def test_a_listener_that_failed_ends_a_command_without_answer(service: Any, mood: Any) -> None:  # noqa: ANN401
    commanding = Commanding(service, [mood, None])
    commanding.listening.set_exception(NewerOutcomeError())
    with pytest.raises(NewerOutcomeError):
        await commanding.press()
