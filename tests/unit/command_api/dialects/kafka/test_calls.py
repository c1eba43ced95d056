"""The whole way of one command, against parts whose moods the test sets."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog

from services.command_api.desk.commands import Asked, Caller, NotRecorded, Position, PressTimer, StillWaiting
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.kafka import calls, replying
from services.command_api.dialects.kafka.calls import TRIES_WITHOUT_POLICY
from services.command_api.dialects.kafka.reading import REASONS
from services.command_api.inbox.rounds import settle
from shared.events.envelope import ReplyAddress
from shared.events.outcome import join_replies, write_outcome
from tests.support.fakes.desks import BACKDATE_DAYS_MAX, EVENT_ID, NOON, SHORT
from tests.support.fakes.intake import CRM, OUTCOME, Parts
from tests.support.story.commands import REPLY_TOPIC, command, headers

ADDRESS = ReplyAddress(REPLY_TOPIC, 3, "order-17")
WAITING = StillWaiting(EVENT_ID, SHORT, Position(3, 42), "d" * 64)
NO_REPLY = headers(reply_to=None, reply_partition=None)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Take the pauses away, and return how long they would have been."""
    paused: list[float] = []

    async def sleep(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return paused


async def test_a_command_is_pressed_by_its_client_under_its_id_and_answered() -> None:
    parts = Parts()
    assert await parts.commands().take(command("stop", timer_id=str(SHORT)))
    assert parts.pressed == [Asked(PressTimer("stop", SHORT), CRM, "kafka", "order-17", 2.0)]
    reply = join_replies([("order-17", write_outcome(OUTCOME))])
    assert parts.letters == [(REPLY_TOPIC, 3, reply, None, ())]
    assert parts.passed_on == []


@pytest.mark.parametrize(("late_us", "pressed"), [(0, 1), (1, 0)])
async def test_how_far_back_a_command_may_lie_counts_from_its_record(late_us: int, pressed: int) -> None:
    """A command that is read again, after a crash or months later, is the press or the dead letter that it was."""
    at = NOON - timedelta(days=BACKDATE_DAYS_MAX)
    record = replace(command(at=at.isoformat()), written_at=NOON + timedelta(microseconds=late_us))
    parts = Parts()
    assert await parts.commands().take(record)
    assert len(parts.pressed) == pressed
    assert pressed or parts.buried == "value_invalid"


async def test_a_command_without_reply_address_is_pressed_and_not_answered() -> None:
    parts = Parts()
    assert await parts.commands().take(command(said=NO_REPLY))
    assert (len(parts.pressed), parts.letters) == (1, [])


async def test_a_press_that_is_not_judged_in_time_is_passed_on_with_the_callers_address() -> None:
    parts = Parts(press_moods=[WAITING])
    assert not await parts.commands().take(command())
    assert parts.passed_on == [(parts.pressed[0], ADDRESS)]
    assert parts.letters == []


@pytest.mark.parametrize(("verb", "body", "passed_on"), [("start", {}, 1), ("stop", {"timer_id": str(SHORT)}, 0)])
async def test_without_address_only_a_start_is_passed_on(verb: str, body: dict[str, Any], passed_on: int) -> None:
    """Its id may turn out to be taken, and then nobody would draw another."""
    parts = Parts(press_moods=[WAITING])
    said = headers(verb, reply_to=None, reply_partition=None)
    assert not await parts.commands().take(command(verb, said=said, **body))
    assert len(parts.passed_on) == passed_on


async def test_an_impatient_command_does_not_wait() -> None:
    parts = Parts()
    assert await parts.commands().take(command(), patient=False)
    assert parts.pressed[0].wait_seconds == 0


async def test_a_client_that_cannot_be_looked_up_is_waited_for(pauses: list[float]) -> None:
    parts = Parts(client_moods=[ReadsAwayError(), ReadsAwayError()])
    await parts.commands().take(command())
    assert (pauses, len(parts.pressed), len(parts.letters)) == ([0.1, 0.2], 1, 1)


@pytest.mark.parametrize("why", ["overloaded", "fate_unknown", "expired", "closing", "not_ready", "no_policy"])
async def test_a_press_that_is_not_recorded_is_pressed_again_and_never_skipped(why: str, pauses: list[float]) -> None:
    """With growing pauses; and an alarm when it takes longer than a moment."""
    parts = Parts(press_moods=[NotRecorded(why)] * 12, policies_read=False)
    with structlog.testing.capture_logs() as logs:
        assert await parts.commands().take(command())
    assert len(parts.pressed) == 13
    assert {asked.key for asked in parts.pressed} == {"order-17"}
    assert (pauses[:3], pauses[-1]) == ([0.1, 0.2, 0.4], 5.0)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["commands_waiting"]
    assert len(parts.letters) == 1


async def test_a_press_that_was_not_passed_on_is_pressed_again() -> None:
    parts = Parts(press_moods=[WAITING], pass_on_moods=[NotRecorded("fate_unknown")])
    assert await parts.commands().take(command())
    assert (len(parts.pressed), len(parts.letters)) == (2, 1)


@pytest.mark.parametrize("silence", [ConnectionError("NotEnoughReplicasError"), TimeoutError()])
async def test_an_answer_that_its_address_does_not_take_is_left_to_the_projector(silence: Exception) -> None:
    """Before, the command was pressed again without end, and each try was one more record on the log."""
    parts = Parts(letter_moods=[silence])
    assert await parts.commands().take(command())
    assert len(parts.pressed) == 1
    assert parts.passed_on == [(parts.pressed[0], ADDRESS)]
    assert parts.letters == []


async def test_an_address_that_was_silent_is_not_tried_again_for_a_while() -> None:
    """Each try holds up the round for as long as an answer may take."""
    parts = Parts(letter_moods=[ConnectionError("NotEnoughReplicasError")])
    commands = parts.commands()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert await commands.take(command())
    assert (len(parts.passed_on), parts.letters) == (3, [])
    assert [line["event"] for line in logs] == ["reply_address_silent"]


async def test_an_address_that_never_answers_holds_up_its_round_no_longer_than_an_answer_may_take() -> None:
    """The next round is read, and what lies there is pressed and answered. The sick one was pressed once."""
    parts = Parts(sick_topics={"timer.replies.sick"}, answer_within_seconds=0.05)
    commands = parts.commands()
    sick, well = command(said=headers(reply_to="timer.replies.sick")), replace(command(), key=b"noa")
    async with asyncio.timeout(5):
        await settle([sick, well], commands.take)
        await settle([sick, well], commands.take)
    assert [topic for topic, *_ in parts.letters] == [REPLY_TOPIC] * 2
    assert len(parts.pressed) == 4
    assert [reply.topic for _, reply in parts.passed_on if reply] == ["timer.replies.sick"] * 2


async def test_an_address_that_never_answers_is_logged_once_a_round() -> None:
    """All its commands of the round wait at the same time, and each of them waits in vain."""
    parts = Parts(sick_topics={"timer.replies.sick"}, answer_within_seconds=0.05)
    sick = command(said=headers(reply_to="timer.replies.sick"))
    with structlog.testing.capture_logs() as logs:
        await settle([replace(sick, key=key) for key in (b"dana", b"noa", b"kim")], parts.commands().take)
    assert len(parts.passed_on) == 3
    assert [line["event"] for line in logs] == ["reply_address_silent"]


async def test_silent_addresses_beyond_the_bound_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each service may name any topic of replies: memory must not grow with them. A forgotten one is tried again."""
    monkeypatch.setattr(replying, "_SILENT_MAX", 1)
    silence = ConnectionError("NotEnoughReplicasError")
    parts = Parts(letter_moods=[silence], sick_topics={"timer.replies.sick"}, answer_within_seconds=0.05)
    commands = parts.commands()
    for reply_to in (REPLY_TOPIC, "timer.replies.sick", REPLY_TOPIC):
        assert await commands.take(command(said=headers(reply_to=reply_to)))
    assert (len(parts.passed_on), [topic for topic, *_ in parts.letters]) == (2, [REPLY_TOPIC])


async def test_a_part_that_takes_its_time_to_fail_is_alarmed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four tries of twelve seconds each would be most of a minute in silence."""
    monkeypatch.setattr(calls, "_SECONDS_IN_SILENCE", 0.0)
    parts = Parts(press_moods=[NotRecorded("fate_unknown")])
    with structlog.testing.capture_logs() as logs:
        assert await parts.commands().take(command())
    assert [line["event"] for line in logs] == ["commands_waiting"]


async def test_an_answer_whose_topic_has_gone_is_given_up() -> None:
    """The press is recorded, and its outcome is in the judged stream."""
    parts = Parts(letter_moods=[False])
    with structlog.testing.capture_logs() as logs:
        assert await parts.commands().take(command())
    assert (parts.letters, [line["event"] for line in logs]) == ([], ["command_unanswered"])


STRANGERS = [
    ("client_unknown", Parts(client_moods=[None]), command()),
    ("other_tenant", Parts(), command(tenant="another")),
    ("role_may_not_press", Parts(client_moods=[Caller("acme", "crm", "reader")]), command()),
    ("reply_address", Parts(addresses=False), command()),
    ("value_invalid", Parts(), command(at="2020-01-01T00:00:00Z")),
    ("type_unknown", Parts(), command("lunch")),
]


@pytest.mark.parametrize(("reason", "parts", "record"), STRANGERS)
async def test_what_is_no_command_is_buried_and_not_pressed(reason: str, parts: Parts, record: CommandRecord) -> None:
    assert await parts.commands().take(record)
    assert (parts.pressed, parts.buried) == ([], reason)
    assert parts.tally.buried == {reason: 1}
    assert reason in REASONS


async def test_a_dead_letter_has_the_bytes_the_reason_and_the_place() -> None:
    parts = Parts()
    record = command(said=[("x-null", None), ("dead_reason", b"of another time"), *headers("lunch")])
    await parts.commands().take(record)
    ((_, _, value, key, said),) = parts.letters
    assert (value, key) == (record.value, record.key)
    assert said == [
        *record.headers,
        ("dead_reason", b"type_unknown"),
        (
            "dead_detail",
            b"The header ce_type is none of timer.start.v1, timer.pause.v1, timer.resume.v1, timer.stop.v1.",
        ),
        ("dead_topic", b"timer.commands.v1"),
        ("dead_partition", b"4"),
        ("dead_offset", b"17"),
    ]


async def test_a_dead_letter_that_is_too_large_says_where_its_bytes_are() -> None:
    parts = Parts(letter_moods=[False])
    await parts.commands().take(command("lunch"))
    ((_, _, value, key, said),) = parts.letters
    assert (value, key, dict(said)["dead_offset"]) == (b"", None, b"17")


async def test_a_topic_of_the_dead_that_takes_nothing_is_waited_for(pauses: list[float]) -> None:
    parts = Parts(letter_moods=[False, False])
    await parts.commands().take(command("lunch"))
    assert (parts.buried, len(pauses)) == ("type_unknown", 1)


async def test_a_tenant_without_policy_is_waited_for_and_then_buried(pauses: list[float]) -> None:
    parts = Parts(press_moods=[NotRecorded("no_policy")] * 100)
    assert await parts.commands().take(command())
    assert (parts.buried, len(pauses)) == ("no_policy", TRIES_WITHOUT_POLICY)


async def test_a_bug_in_one_command_is_alarmed_and_its_bytes_are_kept() -> None:
    parts = Parts(press_moods=[TypeError("a bug")])
    with structlog.testing.capture_logs() as logs:
        assert await parts.commands().take(command())
    assert parts.buried == "internal"
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["command_failed"]
