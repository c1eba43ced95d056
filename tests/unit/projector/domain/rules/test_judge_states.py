"""The state table of the contract, cell by cell: every command in every state, by every kind of actor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol

import pytest

from shared.events.models import Actor, Role
from shared.events.outcome import Closed, DayPart, Opened, State
from shared.events.rules import Rule
from tests.support.story.given import (
    ADMIN,
    DANA,
    MACHINE,
    MONDAY,
    NOAM,
    Came,
    Story,
    Told,
    accepted,
    found,
    given,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
    void,
)

RUNNING: Final = (started("desk", at="09:00"),)
RESUMED: Final = (*RUNNING, paused("desk", at="09:10"), resumed("desk", at="09:15"))
PAUSED: Final = (*RUNNING, paused("desk", at="09:10"))
STOPPED: Final = (*RUNNING, stopped("desk", at="09:10"))
STOPPED_PAUSED: Final = (*PAUSED, stopped("desk", at="09:20"))

STATES: Final = {
    "running": RUNNING,
    "resumed": RESUMED,
    "paused": PAUSED,
    "stopped": STOPPED,
    "stopped after a pause": STOPPED_PAUSED,
}
BY_STATE: Final = pytest.mark.parametrize("before", STATES.values(), ids=STATES)


class Pressing(Protocol):
    def __call__(self, timer: str, at: str, *, by: Actor = ..., tenant: str = ...) -> Told: ...


PRESSES: Final[dict[str, Pressing]] = {"pause": paused, "resume": resumed, "stop": stopped}
BY_PRESS: Final = pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
BY_WHOM: Final = pytest.mark.parametrize("by", [MACHINE, ADMIN, DANA], ids=["machine", "admin", "the owner"])


def minutes(count: float) -> int:
    return timedelta(minutes=count) // timedelta(microseconds=1)


def opening(seq: int, at: str) -> Opened:
    return Opened(seq=seq, start=moment(at), zone="Asia/Jerusalem")


def closing(seq: int, start: str, end: str) -> Closed:
    us = (moment(end) - moment(start)) // timedelta(microseconds=1)
    days = (DayPart(on=MONDAY.date(), us=us),)
    return Closed(seq=seq, start=moment(start), end=moment(end), zone="Asia/Jerusalem", days=days)


def not_legal() -> Came:
    return refused(Rule.NOT_LEGAL_NOW, found(Rule.NOT_LEGAL_NOW, "desk", "09:30", refused=True))


def not_theirs() -> Came:
    return refused(Rule.NOT_THE_OWNER, found(Rule.NOT_THE_OWNER, "desk", "09:30", refused=True))


@BY_WHOM
def test_a_start_under_a_new_id_runs(by: Actor) -> None:
    story = given().when(started("desk", at="09:30", by=by)).then(accepted()).changing(opening(1, "09:30"))
    assert story.timer("desk").state is State.RUNNING
    assert story.minutes("desk") == 0


@BY_STATE
def test_a_start_under_a_known_id_is_void_in_every_state(before: tuple[Told, ...]) -> None:
    """The API draws another id, and the caller does not notice."""
    given(*before).when(started("desk", at="09:30")).then(void(Rule.ID_TAKEN)).changing_nothing()


@BY_WHOM
@BY_PRESS
def test_an_unknown_timer_is_refused_to_everybody(press: Pressing, by: Actor) -> None:
    story = given().when(press("desk", at="09:30", by=by)).then(refused(Rule.TIMER_UNKNOWN)).changing_nothing()
    assert (story.outcome.owner, story.outcome.timer) == (None, None)


@pytest.mark.parametrize(
    ("before", "pauses_after"),
    [(RUNNING, closing(1, "09:00", "09:30")), (RESUMED, closing(2, "09:15", "09:30"))],
    ids=["running", "resumed"],
)
@BY_WHOM
def test_a_running_timer_pauses(before: tuple[Told, ...], pauses_after: Closed, by: Actor) -> None:
    story = given(*before).when(paused("desk", at="09:30", by=by)).then(accepted()).changing(pauses_after)
    assert story.timer("desk").state is State.PAUSED


@pytest.mark.parametrize(
    "before", [PAUSED, STOPPED, STOPPED_PAUSED], ids=["paused", "stopped", "stopped after a pause"]
)
@BY_WHOM
def test_a_timer_that_does_not_run_cannot_pause(before: tuple[Told, ...], by: Actor) -> None:
    given(*before).when(paused("desk", at="09:30", by=by)).then(not_legal()).changing_nothing()


@BY_WHOM
def test_a_paused_timer_resumes(by: Actor) -> None:
    story = given(*PAUSED).when(resumed("desk", at="09:30", by=by)).then(accepted()).changing(opening(2, "09:30"))
    assert story.timer("desk").state is State.RUNNING
    assert story.minutes("desk") == 10


@pytest.mark.parametrize(
    "before",
    [RUNNING, RESUMED, STOPPED, STOPPED_PAUSED],
    ids=["running", "resumed", "stopped", "stopped after a pause"],
)
@BY_WHOM
def test_a_timer_that_is_not_paused_cannot_resume(before: tuple[Told, ...], by: Actor) -> None:
    given(*before).when(resumed("desk", at="09:30", by=by)).then(not_legal()).changing_nothing()


@pytest.mark.parametrize(
    ("before", "closes", "worked"),
    [(RUNNING, closing(1, "09:00", "09:30"), 30), (RESUMED, closing(2, "09:15", "09:30"), 25)],
    ids=["running", "resumed"],
)
@BY_WHOM
def test_a_running_timer_stops(before: tuple[Told, ...], closes: Closed, worked: int, by: Actor) -> None:
    story = given(*before).when(stopped("desk", at="09:30", by=by)).then(accepted()).changing(closes)
    timer = story.timer("desk")
    assert (timer.state, timer.stopped_at, timer.total_us) == (State.STOPPED, moment("09:30"), minutes(worked))


@BY_WHOM
def test_a_paused_timer_stops_and_gains_no_time(by: Actor) -> None:
    story = given(*PAUSED).when(stopped("desk", at="09:30", by=by)).then(accepted())
    story.changing(None)
    timer = story.timer("desk")
    assert (timer.state, timer.stopped_at, timer.total_us) == (State.STOPPED, moment("09:30"), minutes(10))


@pytest.mark.parametrize(("before", "worked"), [(STOPPED, 10), (STOPPED_PAUSED, 10)], ids=["stopped", "after a pause"])
@BY_WHOM
def test_a_stopped_timer_says_so_again_and_nothing_changes(before: tuple[Told, ...], worked: int, by: Actor) -> None:
    story = given(*before)
    first = story.outcome
    story.when(stopped("desk", at="09:30", by=by), stopped("desk", at="10:30", by=by)).then(accepted(), accepted())
    assert story.outcome.changed == ()
    assert story.outcome.timer == first.timer
    assert story.timer("desk").total_us == minutes(worked)


@pytest.mark.parametrize("asked", ["08:00", "09:05", "11:00"])
def test_no_time_that_comes_with_a_repeated_stop_counts(asked: str) -> None:
    story = given(*STOPPED)
    first = story.outcome
    story.when(stopped("desk", at="09:30", asked=asked)).then(accepted()).changing_nothing()
    assert story.outcome.timer == first.timer


@BY_STATE
@BY_PRESS
def test_another_person_may_press_nothing_in_any_state(press: Pressing, before: tuple[Told, ...]) -> None:
    """The actor is checked before the timer's state."""
    story = given(*before)
    timer = story.outcome.timer
    story.when(press("desk", at="09:30", by=NOAM)).then(not_theirs())
    assert story.outcome.timer == timer


def test_another_person_may_start_nothing_for_an_owner() -> None:
    story = given().when(started("desk", at="09:30", by=NOAM)).then(not_theirs())
    assert story.outcome.timer is None
    assert story.sheet().timers == {}


def test_a_person_without_a_name_is_nobodys_owner() -> None:
    given().when(started("desk", at="09:30", by=Actor(client="phone", role="person"))).then(not_theirs())


@pytest.mark.parametrize("role", ["machine", "admin", "system"])
def test_a_role_that_acts_for_all_may_carry_any_person(role: Role) -> None:
    by = Actor(client="crm", person="noam", role=role)
    given().when(started("desk", at="09:30", by=by)).then(accepted())


@BY_STATE
@BY_PRESS
def test_another_tenants_timer_reads_like_one_that_never_existed(press: Pressing, before: tuple[Told, ...]) -> None:
    """All bytes but the id are the same, so a caller cannot learn which ids exist elsewhere."""

    def answer(story: Story) -> bytes:
        # A foreign id carries its own owner's slot, so the press names "other" but the timer is dana's of acme.
        foreign = press("desk", at="09:30")
        told = replace(foreign, event=foreign.event.model_copy(update={"tenant": "other"}))
        while len(story.answers) < len(STATES["resumed"]):
            story.when(started("elsewhere", at="08:00", owner=f"noam-{len(story.answers)}"))
        story.when(told).then(refused(Rule.TIMER_UNKNOWN))
        return story.answers[-1].body

    assert answer(given(*before)) == answer(given())


Repeating = Callable[[str], Told]
KEYED: Final[dict[str, tuple[tuple[Told, ...], Repeating]]] = {
    "start": ((), lambda at: started("desk", at=at, key="k")),
    "pause": (RUNNING, lambda at: paused("desk", at=at, key="k")),
    "resume": (PAUSED, lambda at: resumed("desk", at=at, key="k")),
    "stop": (RUNNING, lambda at: stopped("desk", at=at, key="k")),
    "a refused pause": (PAUSED, lambda at: paused("desk", at=at, key="k")),
    "a pause of no timer": ((), lambda at: paused("desk", at=at, key="k")),
}


@pytest.mark.parametrize(("before", "press"), KEYED.values(), ids=KEYED)
def test_the_same_key_and_body_hear_the_first_answer_to_the_byte(before: tuple[Told, ...], press: Repeating) -> None:
    story = given(*before).when(press("09:30"))
    first, kept, sheet = story.answers[-1].body, len(story.outcomes), story.sheet()
    story.when(press("10:30"), press("11:30"))
    assert [folded.body for folded in story.answers[-2:]] == [first, first]
    assert (len(story.outcomes), story.sheet()) == (kept, sheet)


@pytest.mark.parametrize(("before", "press"), KEYED.values(), ids=KEYED)
def test_the_same_key_with_another_body_is_refused_and_not_kept(before: tuple[Told, ...], press: Repeating) -> None:
    story = given(*before).when(press("09:30"))
    first, kept, sheet = story.answers[-1].body, len(story.outcomes), story.sheet()
    other = press("10:30")
    other = replace(other, event=other.event.model_copy(update={"digest": "f" * 64}))
    story.when(other).then(Came("repeated", "refused", Rule.KEY_REUSED.value, "key_reused"))
    assert (len(story.outcomes), story.sheet()) == (kept, sheet)
    # And the first answer still holds.
    story.when(press("11:30"))
    assert story.answers[-1].body == first


def test_the_same_key_on_two_timers_is_two_presses() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:00"))
    story.when(stopped("desk", at="09:10", key="k"), stopped("phone", at="09:20", key="k")).then(accepted(), accepted())
