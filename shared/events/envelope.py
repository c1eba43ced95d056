"""The envelope: CloudEvents 1.0 in binary mode, in the headers of a Kafka record.

The attribute names are those of the CloudEvents Kafka binding (`ce_` before each); correlationid and expirytime are
published extensions. `reply`, or else `reply_to`, `reply_partition` and `request_id`, are for transport, and the fold
ignores them. Headers are kept for ever with their event, so none is written that says what another one says.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from .base import in_utc
from .topics import REPLIES
from .value import value

SOURCE: Final = "/stint/command-api"

Headers = Sequence[tuple[str, bytes | None]]

_T = TypeVar("_T")

_SPECVERSION: Final = ("ce_specversion", b"1.0")
_CONTENT_TYPE: Final = ("content-type", b"application/json")

# Bounded, because Python refuses to read a number of thousands of digits.
_PARTITION: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_OWN_REPLY: Final = re.compile(r"([0-9]{1,9})/(.*)", re.ASCII | re.DOTALL)


class MalformedEnvelopeError(ValueError):
    """A header that must be there is missing, or does not read."""


@value
class ReplyAddress:
    """Where the verdict is to be sent: a topic, its partition, and the request that waits.

    On the topic of our own processes it is one header, `reply`, written "partition/request"; else it is three.
    """

    topic: str
    partition: int
    request_id: str


@value
class Envelope:
    """The headers around an event.

    `recorded_at` is the API's clock at the press. `policy_rev` is the highest offset of `timer.policies.v1` that the
    API had applied (-1: none). `subject` is a timer's short id. `correlation_id` is the same for all records that
    follow from one request: the event id of its press, which its caller knows from `Location` and from outcomes. None,
    and no header: it is this event's own id. The fold ignores it.
    """

    event_id: UUID
    type: str
    recorded_at: datetime
    policy_rev: int
    subject: int | None = None
    expires_at: datetime | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    reply: ReplyAddress | None = None
    source: str = SOURCE


def timestamp(moment: datetime) -> str:
    """Return `moment` as RFC 3339 in UTC, with "Z", to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def encode_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Return the headers of the record that carries an event."""
    headers = [
        _SPECVERSION,
        ("ce_id", str(envelope.event_id).encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", timestamp(envelope.recorded_at).encode()),
        ("ce_policyrev", str(envelope.policy_rev).encode()),
        _CONTENT_TYPE,
    ]
    if envelope.subject is not None:
        headers.append(("ce_subject", str(envelope.subject).encode()))
    if envelope.correlation_id is not None:
        headers.append(("ce_correlationid", envelope.correlation_id.encode()))
    if envelope.expires_at is not None:
        headers.append(("ce_expirytime", timestamp(envelope.expires_at).encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    if envelope.reply is not None:
        headers += _reply_headers(envelope.reply)
    return headers


def _reply_headers(reply: ReplyAddress) -> list[tuple[str, bytes]]:
    if reply.topic == REPLIES:
        return [("reply", f"{reply.partition}/{reply.request_id}".encode())]
    return [
        ("reply_to", reply.topic.encode()),
        ("reply_partition", str(reply.partition).encode()),
        ("request_id", reply.request_id.encode()),
    ]


def tolerant(headers: Headers) -> dict[str, str]:
    """Return the headers that are text. Others are left out, because a bad header must not cost us the record."""
    readable: dict[str, str] = {}
    for name, raw in headers:
        if raw is not None:
            try:
                readable[name] = raw.decode()
            except UnicodeDecodeError:
                continue
    return readable


def decode_headers(headers: dict[str, str]) -> Envelope:
    """Return the envelope, or raise MalformedEnvelopeError naming the header that is missing or does not read."""
    subject, expires_at = headers.get("ce_subject"), headers.get("ce_expirytime")
    return Envelope(
        event_id=_read(headers, "ce_id", UUID),
        type=_read(headers, "ce_type", str),
        recorded_at=_read(headers, "ce_time", _instant),
        policy_rev=_read(headers, "ce_policyrev", _revision),
        subject=None if subject is None else _read(headers, "ce_subject", _short_id),
        expires_at=None if expires_at is None else _read(headers, "ce_expirytime", _instant),
        correlation_id=headers.get("ce_correlationid"),
        traceparent=headers.get("traceparent"),
        reply=_reply(headers),
        source=headers.get("ce_source", ""),
    )


def _read(headers: dict[str, str], name: str, read: Callable[[str], _T]) -> _T:
    try:
        return read(headers[name])
    except KeyError:
        msg = f"header {name} is missing"
    except (ValueError, OverflowError):
        msg = f"header {name} does not read"
    raise MalformedEnvelopeError(msg) from None


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "a time without zone"
        raise ValueError(msg)
    return in_utc(moment)


def _revision(text: str) -> int:
    number = int(text)
    if not -1 <= number < 1 << 63:
        msg = "not an offset"
        raise ValueError(msg)
    return number


def _short_id(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 63:
        msg = "not a short id"
        raise ValueError(msg)
    return number


def _reply(headers: dict[str, str]) -> ReplyAddress | None:
    # A reply address that does not read costs the caller the reply, and never costs the press its place.
    if (own := headers.get("reply")) is not None:
        match = _OWN_REPLY.fullmatch(own)
        return None if match is None else ReplyAddress(REPLIES, int(match[1]), match[2])
    topic, partition, request_id = (headers.get(name) for name in ("reply_to", "reply_partition", "request_id"))
    if topic is None or partition is None or request_id is None or not _PARTITION.fullmatch(partition):
        return None
    return ReplyAddress(topic, int(partition), request_id)
