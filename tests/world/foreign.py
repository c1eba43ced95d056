"""Foreign records: records that came through no API of ours: facts, deadlines, mistakes, poison."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from shared.events.calendar import local_day
from shared.events.codec import write_body
from shared.events.envelope import Envelope, Headers, encode_headers
from shared.events.idempotency import digest_of
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import (
    BODY_OF,
    Actor,
    AnyEvent,
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
    TimerPaused,
    TimerStarted,
    TimerStopped,
)
from tests.support.proof.checkers.history import Op
from tests.world.world import World

_CLERK: Final = Actor(client="clerk", role="admin")
_MEGABYTE: Final = b"x" * 1_000_000
# A type that this release does not know, and the next one does.
NEWER_TYPE: Final = "owner.texts_erased.v2"
NEWER_READ_AS: Final = {NEWER_TYPE: OwnerTextsErased.type}

Poison = Callable[[dict[str, bytes | None], bytes], tuple[Headers, bytes | None]]


class TextsErasedV2(OwnerTextsErased):
    """An event of the next release."""

    type = NEWER_TYPE


NEWER_BODY: Final[TypeAdapter[AnyEvent]] = TypeAdapter(TextsErasedV2)


def _with(**changed: Any) -> Poison:  # noqa: ANN401 - whatever is wrong
    def spoil(headers: dict[str, bytes | None], body: bytes) -> tuple[Headers, bytes | None]:
        return list(headers.items()), json.dumps(json.loads(body) | changed).encode()

    return spoil


def _headed(**changed: bytes | None) -> Poison:
    def spoil(headers: dict[str, bytes | None], body: bytes) -> tuple[Headers, bytes | None]:
        return list((headers | changed).items()), body

    return spoil


def _saying(body: bytes | None) -> Poison:
    def spoil(headers: dict[str, bytes | None], _: bytes) -> tuple[Headers, bytes | None]:
        return list(headers.items()), body

    return spoil


# Records that no version can read. The last two look broken, and can be read.
POISON: Final[tuple[Poison, ...]] = (
    _saying(b"not json"),
    _saying(b"[" * 100_000),
    _saying(b'{"tenant": "\xff\xfe"}'),
    _saying(None),
    _saying(b""),
    _saying(b"{}"),
    _saying(b"null"),
    _with(tenant="a/b"),
    _with(tenant="\0"),
    _with(owner=""),
    _with(owner="\ud800"),
    _with(digest="short"),
    _with(actor={"client": 7, "role": "machine"}),
    _with(owner=7),
    _with(asked_at="yesterday"),
    _with(asked_at="2026-03-01T12:00:00"),
    _with(asked_at="9999-12-31T23:59:59-05:00"),
    _with(asked_at="9999-12-31T23:59:59.9Z"),
    _with(asked_at="0001-01-01T00:00:00Z"),
    _with(work_date="9999-12-31"),
    _headed(ce_type=b"payroll.run.v1"),
    _headed(ce_type=b"timer.started"),
    _headed(ce_type=b"\xff"),
    _headed(ce_type=None),
    _headed(ce_id=None),
    _headed(ce_id=b"7"),
    _headed(ce_time=b"noon"),
    _headed(ce_time=b"2026-03-01T12:00:00"),
    _headed(ce_policyrev=b"latest"),
    _headed(ce_subject=None),
    _headed(ce_subject=b"-1"),
    _headed(ce_subject=b"9" * 30),
    _headed(ce_expirytime=b"\xff", extra=b"\xff", traceparent=None),
    _headed(more=_MEGABYTE, ce_correlationid=b"\0"),
)


# Revisions that no run reaches.
_NO_POLICIES: Final = (1_000_000, 1 << 62)
_STRANGE: Final = (None, b"", b"not json", b"null", b"[]", b'{"v":1}', b'{"source_offset":0}', b"\xff")
STRANGE_POLICIES: Final[tuple[tuple[bytes | None, bytes | None], ...]] = (
    (None, b"{}"),
    (b"acme", None),
    (b"acme", b"[1]"),
    (b"\xff", b"{}"),
    (b"birch", b'{"replaces":null,"set_by":"x"}'),
)


class Foreign:
    """Puts foreign records on the log. Each is in the history too, because C3 wants every logged id invoked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._put = 0

    def poison(self) -> None:
        """Put a record that cannot be read, or that looks so."""
        chance = self._world.chance
        tenant, owner = chance.choice(self._world.plan.owners)
        event = TimerStarted(**self._said(tenant), owner=owner)
        headers, body = self._written(event, self._timer_of(tenant, owner))
        spoilt, value = chance.choice(POISON)(dict(headers), body)
        self._append(self._kpart(tenant, owner), spoilt, value, chance.choice((None, b"\xff", b"key")))

    def mistake(self) -> None:
        """Put a record that can be read but that no API of ours would write; or a fact, or a deadline."""
        chance, plan = self._world.chance, self._world.plan
        tenant, owner = chance.choice(plan.owners)
        wrong = (self._kpart(tenant, owner) + 1) % plan.partitions
        timer_id = chance.choice(self._world.known)[1] if self._world.known else self._timer_of(tenant, owner)
        match chance.randrange(9):
            case 0:
                self._record(TimerStarted(**self._said(tenant), owner=owner), self._timer_of(tenant, "nobody"))
            case 1:
                self._record(TimerStarted(**self._said("ghosts"), owner=owner), self._timer_of("ghosts", owner))
            case 2:
                self._record(TimerPaused(**self._said(tenant)), timer_id, kpart=wrong)
            case 3:
                other = "birch" if tenant == "acme" else "acme"
                self._record(TimerStopped(**self._said(other)), timer_id)
            case 4:
                self._record(DeadlineReached(**self._said(tenant), owner=owner), None)
            case 5:
                nul = f"{owner}\0"
                self._record(TimerStarted(**self._said(tenant), owner=nul), self._timer_of(tenant, nul), twice=True)
            case _:
                self._record(self._fact(tenant, owner), None)

    def limits(self, zones: Mapping[str, str]) -> None:
        """Put facts: the first owner has gone home, and the second one's job is used up. `zones` is by tenant."""
        (tenant, owner), (other, worker), *_ = self._world.plan.owners
        now, hour = self._world.now(), timedelta(hours=1)
        on = local_day(now, zones[tenant])
        was_there: dict[str, Any] = {"on": on, "checked_in_at": now - 2 * hour, "checked_out_at": now - hour}
        self._record(OwnerAttendanceRecorded(**self._said(tenant), owner=owner, **was_there), None)
        self._record(OwnerEstimateSet(**self._said(other), owner=worker, job_id="j1", seconds=0), None)

    def names_no_policy(self) -> None:
        """Put a press that names a policy revision that was never written."""
        tenant, owner = self._world.chance.choice(self._world.plan.owners)
        event = TimerStarted(**self._said(tenant), owner=owner)
        headers, body = self._written(event, self._timer_of(tenant, owner))
        named = {**dict(headers), "ce_policyrev": str(self._world.chance.choice(_NO_POLICIES)).encode()}
        self._append(self._kpart(tenant, owner), list(named.items()), body, b"foreign")

    def aborts_a_transaction(self) -> None:
        """Leave an offset without a record at the end of a partition. It becomes a gap when the next record comes."""
        topic = self._world.chance.choice((self._world.events, self._world.outcomes))
        topic.holes_at_end[self._world.chance.randrange(self._world.plan.partitions)] += 1

    def writes_on_the_judged_stream(self) -> None:
        """Put a record on the judged stream that is no outcome."""
        chance = self._world.chance
        kpart = chance.randrange(self._world.plan.partitions)
        self._world.outcomes.put(kpart, chance.choice((None, b"acme/o0")), chance.choice(_STRANGE))

    def newer(self) -> None:
        """Put a record of the next release."""
        tenant, owner = self._world.chance.choice(self._world.plan.owners)
        self._record(TextsErasedV2(**self._said(tenant), owner=owner), None)

    def _fact(self, tenant: str, owner: str) -> AnyEvent:
        chance, said = self._world.chance, self._said(tenant)
        today, now = self._world.now().date(), self._world.now()
        match chance.randrange(9):
            case 0:
                return OwnerLeaveGranted(**said, owner=owner, on=today + timedelta(days=chance.choice((0, 0, 1))))
            case 1:
                return OwnerLeaveRevoked(**said, owner=owner, on=today)
            case 2:
                came = now - timedelta(hours=chance.choice((0, 0, 5)))
                left = came + timedelta(hours=8) if chance.random() < 0.5 else None
                there: dict[str, Any] = {"on": came.date(), "checked_in_at": came, "checked_out_at": left}
                return OwnerAttendanceRecorded(**said, owner=owner, **there)
            case 3 | 8:
                job, seconds = chance.choice(("j1", "j1", "j2", "j\0")), chance.choice((0, 20, 600, 3600))
                return OwnerEstimateSet(**said, owner=owner, job_id=job, seconds=seconds)
            case 4:
                return OwnerTextsErased(**said, owner=owner)
            case 5:
                return OwnerProfileSet(
                    **said, owner=owner, timers_disabled=chance.random() < 0.5, zone=chance.choice((None, "Mars/Base"))
                )
            case _:
                return OwnerProfileSet(**said, owner=owner, zone=chance.choice(self._world.plan.zones), active=True)

    def _record(self, event: AnyEvent, timer_id: int | None, kpart: int | None = None, *, twice: bool = False) -> None:
        headers, body = self._written(event, timer_id)
        if kpart is None:
            slot = (timer_id >> 10) & 4095 if timer_id is not None else slot_of(event.tenant, _owner(event))
            kpart = slot % self._world.plan.partitions
        for _ in range(1 + twice):
            self._append(kpart, headers, body, b"foreign")

    def _append(self, kpart: int, headers: Headers, value: bytes | None, key: bytes | None) -> None:
        said = dict(headers)
        event_id, op = ((said.get(name) or b"").decode(errors="replace") for name in ("ce_id", "ce_type"))
        world = self._world
        world.history.append(Op(world.loop.now, "foreign", op, event_id or None, None, "invoke"))
        record = world.events.append(kpart, key, headers, value)
        place = f"{kpart}:{record.offset}"
        world.history.append(Op(world.loop.now, "foreign", op, event_id or None, None, "info", None, 202, place))

    def _written(self, event: AnyEvent, timer_id: int | None) -> tuple[Headers, bytes]:
        self._put += 1
        envelope = Envelope(
            event_id=UUID(int=self._world.chance.getrandbits(128)),
            type=event.type,
            recorded_at=self._world.now(),
            policy_rev=self._world.chance.randint(-1, len(self._world.policies.records) - 1),
            subject=timer_id,
            # A deadline without an expiry is a dead letter, and one in six has none.
            expires_at=self._expiry() if isinstance(event, DeadlineReached) else None,
        )
        return encode_headers(envelope), write_body(event)

    def _expiry(self) -> datetime | None:
        return self._world.chance.choice([None, *[self._world.now() + timedelta(seconds=30)] * 5])

    def _said(self, tenant: str) -> dict[str, Any]:
        digest = digest_of("foreign", str(self._put), {})
        return {"tenant": tenant, "actor": _CLERK, "dialect": "clerk", "digest": digest}

    def _timer_of(self, tenant: str, owner: str) -> int:
        ms = (self._world.now() - ID_EPOCH) // timedelta(milliseconds=1)
        return make_short(ms, slot_of(tenant, owner), self._world.chance.randrange(1024))

    def _kpart(self, tenant: str, owner: str) -> int:
        return slot_of(tenant, owner) % self._world.plan.partitions


def _owner(event: AnyEvent) -> str:
    return event.owner if not isinstance(event, TimerPaused | TimerStopped) and hasattr(event, "owner") else ""


def upgrade() -> None:
    """Be the next release."""
    BODY_OF[NEWER_TYPE] = NEWER_BODY


def downgrade() -> None:
    """Be this release again."""
    BODY_OF.pop(NEWER_TYPE, None)
