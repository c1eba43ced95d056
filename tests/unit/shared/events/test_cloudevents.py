"""Our events are CloudEvents for others too: the official SDK reads what we write, and we read what it writes."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from shared.events.codec import Press, read, write_body
from shared.events.envelope import Envelope, ReplyAddress, encode_headers, timestamp
from shared.events.models import Actor, AnyEvent, DeadlineReached, TimerPaused, TimerStarted

EVENT_ID = UUID("019ac8f1-5d23-7000-8000-000000000001")
NOON = datetime(2026, 7, 1, 12, 0, 0, 250, tzinfo=UTC)
ACTOR = Actor(client="crm", role="machine")
DIGEST = "9d32a829e74ca163382536c7f74703b35fabc12762b627a6806aaef756fc89df"
SUBJECT = 914385031908034631

STARTED = TimerStarted(tenant="acme", actor=ACTOR, dialect="native", digest=DIGEST, owner="דנה")
PAUSED = TimerPaused(tenant="acme", actor=ACTOR, dialect="native", digest=DIGEST, asked_at=NOON)
DUE = DeadlineReached(tenant="acme", actor=ACTOR, dialect="native", digest=DIGEST, owner="dana")


def subject_of(envelope: Envelope) -> dict[str, str]:
    """Return the attribute that names a timer, when there is one."""
    return {} if envelope.subject is None else {"subject": str(envelope.subject)}


def envelope_of(event: AnyEvent) -> Envelope:
    """Return an envelope with all that one may have. A deadline is about an owner, and has no timer."""
    return Envelope(
        event_id=EVENT_ID,
        type=event.type,
        recorded_at=NOON,
        policy_rev=-1,
        subject=None if event is DUE else SUBJECT,
        expires_at=NOON.replace(second=30),
        correlation_id=str(EVENT_ID),
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        reply=ReplyAddress("timer.replies.v1", 3, "r-1"),
    )


@pytest.mark.parametrize("event", [STARTED, PAUSED, DUE], ids=lambda event: event.type)
def test_the_sdk_reads_an_event_as_we_wrote_it(event: AnyEvent) -> None:
    """Every attribute, none that we did not write, and the body. What is for transport alone is no attribute."""
    envelope, body = envelope_of(event), write_body(event)
    heard = from_binary_event(KafkaMessage(dict(encode_headers(envelope)), str(SUBJECT).encode(), body))
    assert heard.get_attributes() == subject_of(envelope) | {
        "specversion": "1.0",
        "id": str(EVENT_ID),
        "type": event.type,
        "source": "/stint/command-api",
        "time": NOON,
        "datacontenttype": "application/json",
        "correlationid": str(EVENT_ID),
        "expirytime": timestamp(NOON.replace(second=30)),
        "policyrev": "-1",
        "partitionkey": str(SUBJECT),
    }
    assert heard.get_data() == json.loads(body)


def test_the_sdk_reads_an_event_with_the_fewest_headers() -> None:
    least = Envelope(event_id=EVENT_ID, type=STARTED.type, recorded_at=NOON, policy_rev=7)
    heard = from_binary_event(KafkaMessage(dict(encode_headers(least)), None, write_body(STARTED)))
    assert isinstance(heard, CloudEvent)
    assert (heard.get_subject(), heard.get_time(), heard.get_extension("policyrev")) == (None, NOON, "7")


def test_the_sdk_refuses_an_event_without_a_mandatory_attribute() -> None:
    """The control: it looks at what it reads."""
    headers = dict(encode_headers(envelope_of(STARTED)))
    del headers["ce_source"]
    with pytest.raises(Exception, match="source"):
        from_binary_event(KafkaMessage(headers, None, write_body(STARTED)))


@pytest.mark.parametrize("event", [STARTED, PAUSED, DUE], ids=lambda event: event.type)
def test_an_event_that_the_sdk_wrote_is_the_press_that_we_would_have_written(event: AnyEvent) -> None:
    ours = envelope_of(event)
    told = CloudEvent(
        subject_of(ours)
        | {
            "id": str(EVENT_ID),
            "type": event.type,
            "source": ours.source,
            "time": NOON,
            "datacontenttype": "application/json",
            "correlationid": str(EVENT_ID),
            "expirytime": timestamp(NOON.replace(second=30)),
            "policyrev": "-1",
        },
        json.loads(write_body(event)),
    )
    message = to_binary_event(told)
    press = read(list(message.headers.items()), message.value)
    assert isinstance(press, Press)
    assert press.event == event
    assert encode_headers(press.envelope) == [
        (name, value) for name, value in encode_headers(ours) if name.startswith("ce_") or name == "content-type"
    ]
