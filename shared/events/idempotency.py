"""Idempotency: what one Idempotency-Key means, to the API that takes presses and to the fold that judges them.

    keyed_event_id    the same client, target and key: the same event id
    digest_of         what was asked for under the key
    recall            another press under the key: a retry, another request (R24), or forgotten after 30 days
    key_reused        the answer R24, word for word the same from both services

Never: a change that a retry could meet. Event ids and digests are on the log and in the judged stream, and a retry may
come weeks and releases later.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from .envelope import Envelope
from .models import AnyEvent
from .outcome import Outcome
from .rules import Rule
from .value import value

# How long a key is remembered, in log time. After that the same key is a new press.
REMEMBERED: Final = timedelta(days=30)

# One encoder for every digest: `json.dumps` would make one for each.
_AS_DIGESTED: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

# Drawn once with uuid4. It only has to differ from every other namespace.
_EVENT_IDS: Final = UUID("8c0a3f0e-9a55-4b52-a5b4-5b8a4ad0f6a1")


def keyed_event_id(tenant: str, client: str, target_kind: str, target: str, key: str) -> UUID:
    """Return the event id of every press that `client` makes on one target under one Idempotency-Key.

    `target_kind` is "owner" for a start or a fact, else "timer"; `target` the owner, or the timer's short id as text.
    """
    return uuid5(_EVENT_IDS, json.dumps([tenant, client, target_kind, target, key], ensure_ascii=False))


def digest_of(verb: str, target: str, given: Mapping[str, str | bool | None]) -> str:
    """Return SHA-256, in hex, of what the caller asked for. Order, encoding, headers and dialect do not count.

    `given` maps our names of the parameters to their values. Absent, None and "" are the same. Ids are decimal text
    (timers in the short spelling), times are as the caller spelt them. Give it no free text: a digest outlives an
    erasure.
    """
    present = {name: value for name, value in given.items() if value is not None and value != ""}
    return hashlib.sha256(_AS_DIGESTED([verb, target, present]).encode()).hexdigest()


@value
class Use:
    """One use of a key: the digest of what was asked for, and when the log had it."""

    digest: str | None
    log_time: datetime


Recalled = Literal["known", "reused", "forgotten"]


def recall(judged: Use, again: Use) -> Recalled:
    """Return what a press is, compared with the one that was judged under the same event id.

    known: a retry, which gets the first answer. reused: another request, R24. forgotten: judge it as new.
    """
    if again.log_time - judged.log_time >= REMEMBERED:
        return "forgotten"
    return "known" if again.digest == judged.digest else "reused"


def key_reused(envelope: Envelope, event: AnyEvent, offset: int, log_time: datetime, policy_rev: int) -> Outcome:
    """Return R24 for the press at `offset`: answered and never kept. `policy_rev` is the highest that is known."""
    return Outcome(
        source_offset=offset,
        event_id=envelope.event_id,
        event_type=envelope.type,
        subject=envelope.subject,
        tenant=event.tenant,
        owner=None,
        actor=event.actor.told,
        dialect=event.dialect,
        digest=event.digest,
        recorded_at=envelope.recorded_at,
        log_time=log_time,
        asked_at=event.asked_at,
        at=min(event.asked_at or envelope.recorded_at, log_time),
        policy_rev=max(policy_rev, envelope.policy_rev),
        policy_revision=None,
        verdict="refused",
        rule=Rule.KEY_REUSED.value,
        reason=Rule.KEY_REUSED.reason,
    )
