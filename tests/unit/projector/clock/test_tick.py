"""A tick is an ordinary record of the log: it reads back, expires, and never repeats another."""

from datetime import timedelta

from services.projector.clock.tick import tick_for
from shared.events.codec import Press, read
from shared.events.models import Actor, DeadlineReached
from tests.support.story.given import moment

NINE = moment("09:00")


def test_a_tick_reads_back_as_the_deadline_of_its_owner() -> None:
    tick = tick_for("acme", "dana", NINE, 7)
    press = read(tick.headers, tick.value)
    assert isinstance(press, Press)
    event, envelope = press.event, press.envelope
    assert isinstance(event, DeadlineReached)
    assert (event.tenant, event.owner, event.actor) == ("acme", "dana", Actor(client="stint", role="system"))
    assert (envelope.recorded_at, envelope.expires_at) == (NINE, NINE + timedelta(seconds=30))
    assert (envelope.policy_rev, envelope.source, envelope.reply) == (7, "/stint/projector", None)
    assert (tick.key, tick.expires_at) == (b"acme/dana", envelope.expires_at)


def test_two_ticks_of_one_owner_are_two_events() -> None:
    """Under one id the second would be known, and answered without a look."""
    one, other = (read(t.headers, t.value) for t in (tick_for("acme", "dana", NINE, 7) for _ in range(2)))
    assert isinstance(one, Press)
    assert isinstance(other, Press)
    assert one.envelope.event_id != other.envelope.event_id
