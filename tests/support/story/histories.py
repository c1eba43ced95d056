"""Histories: logs of one partition as chance writes them, with strange clocks, keys, owners and zones.

Two owners of one tenant, a second tenant, three timers each. Presses come from several clients, with asked times and
clocks that are wrong. Some are repeated, under their own event id or under a key. The log's clock may stand still, jump
by a month, and sometimes go back.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import prod
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from services.projector.domain.entry import LoggedPress, UnreadableRecord
from shared.events.codec import Press, Unreadable
from shared.events.envelope import Envelope
from shared.events.idempotency import keyed_event_id
from shared.events.ids import ID_EPOCH, make_short, slot_of
from shared.events.models import (
    Actor,
    AnyEvent,
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from shared.events.policies.book import PolicyBook
from shared.events.policy import (
    DailyCap,
    Holiday,
    LongRunning,
    Mode,
    Overlap,
    OverlapMode,
    PastTime,
    Policy,
    Preset,
    RuleMode,
    Rules,
    WeekendFrom,
)
from tests.support.story.given import JERUSALEM, book_of

Entry = LoggedPress | UnreadableRecord

BEGINNING: Final = datetime(2026, 3, 26, 20, 59, 59, 250_000, tzinfo=UTC)  # an hour before a short night in Jerusalem
OWNERS: Final = ("dana", "noam")
ZONES: Final = ("Africa/Cairo", "America/St_Johns", "Pacific/Chatham", "No/Where")
# Both tenants change their policy. From the first press that names a new one, all presses are judged by it.
HAVANA: Final = Policy(
    preset=Preset.NATIVE,
    zone="America/Havana",
    rules=Rules(R12=RuleMode(mode=Mode.BLOCK), R14=RuleMode(mode=Mode.BLOCK)),
)
LOCKED: Final = Policy(
    preset=Preset.NATIVE,
    zone="Africa/Cairo",
    rules=Rules(
        R08=RuleMode(mode=Mode.STRICT),
        R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS),
        R15=PastTime(mode=Mode.BLOCK, max_backdate_seconds=2 * 86_400, locked_before=date(2026, 3, 27)),
        R20=RuleMode(mode=Mode.FLAG),
    ),
)
CLOSED: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    timers_disabled=True,
    rules=Rules(
        R08=RuleMode(mode=Mode.FLAG),
        R13=Overlap(mode=OverlapMode.STOP_PREVIOUS),
        R15=PastTime(mode=Mode.FLAG, locked_before=date(2026, 3, 28)),
    ),
)
ONE_AT_A_TIME: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    rules=Rules(R13=Overlap(mode=OverlapMode.BLOCK), R20=RuleMode(mode=Mode.BLOCK)),
)
WEARY: Final = Policy(
    preset=Preset.NATIVE,
    zone="Asia/Jerusalem",
    weekend=(WeekendFrom.model_validate({"from": "2026-01-01", "days": "6,7"}),),
    holidays=(Holiday(day=date(2026, 4, 2)),),
    rules=Rules(
        R11=DailyCap(billable_seconds_per_day=5400),
        R16=LongRunning(long_running_seconds=3 * 3600, auto_close_seconds=10 * 3600),
    ),
)
STRICT: Final = Policy(
    preset=Preset.ZOHO,
    zone="Africa/Cairo",
    weekend=(WeekendFrom.model_validate({"from": "2026-01-01", "days": "7"}),),
    rules=Rules(
        R11=DailyCap(billable_seconds_per_day=3600),
        R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS),
        R16=LongRunning(auto_close_seconds=30 * 3600),
    ),
)
DOCUMENTS: Final = (JERUSALEM, HAVANA, WEARY, LOCKED, CLOSED, STRICT, ONE_AT_A_TIME)
BOOK: Final[PolicyBook] = book_of(*DOCUMENTS)

_MS: Final = timedelta(milliseconds=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Move:
    """One record to write. `again` repeats the press of so many records ago, if that record was a press."""

    gap: timedelta
    kind: str
    owner: str
    timer: int
    tenant: str
    by: Actor
    asked: timedelta | None
    heard: timedelta
    key: str | None
    wish: str
    expires: timedelta | None
    policy_rev: int
    again: int | None
    zone: str


_GAPS: Final = [
    *(0 * _MS, _MS, 700 * _MS, timedelta(seconds=20), _MINUTE, 61 * _MINUTE, timedelta(hours=7)),
    *(-1 * _MS, timedelta(seconds=-2), timedelta(days=29, hours=23), timedelta(days=30)),
]
_ASKED: Final = [
    *(timedelta(seconds=60), timedelta(seconds=60, milliseconds=1), timedelta(microseconds=400), timedelta(hours=9)),
    *(-_MINUTE, timedelta(seconds=-1), timedelta(seconds=-61), timedelta(hours=-1), timedelta(days=-2, microseconds=3)),
]
_MACHINE: Final = Actor(client="crm", role="machine")
_BY: Final = [
    Actor(client="phone", person="dana", role="person"),
    Actor(client="phone", person="noam", role="person"),
    Actor(client="console", person="avi", role="admin"),
]

_ORDINARY_EXPIRY: Final = timedelta(seconds=30)
_STRANGE_EXPIRIES: Final = [None, timedelta(seconds=-1), 0 * _MS]

# The values of each field, the ordinary ones first and as often as they occur. A move is three numbers, and each number
# chooses several fields.
_WHAT: Final[dict[str, list[Any]]] = {
    "kind": ["next"] * 14
    + [
        "start",
        "pause",
        "resume",
        "stop",
        "stop",
        "zone",
        "zone",
        "standing",
        "leave",
        "revoked",
        "there",
        "estimate",
        "estimate",
        "due",
        "due",
        "unread",
    ],
    "owner": ["dana", "dana", "noam"],
    "timer": [0, 0, 0, 1, 1, 2, 3],
    "again": [None] * 16 + [1, 2, 5],
}
_WHEN: Final[dict[str, list[Any]]] = {
    "gap": _GAPS[2:6] * 5 + _GAPS,
    "asked": [None] * 9 + _ASKED,
    "heard": [0 * _MS, -3 * _MS, timedelta(microseconds=-1), timedelta(seconds=-40), _MINUTE],
    "expires": [_ORDINARY_EXPIRY] * 12 + _STRANGE_EXPIRIES,
}
_WHO: Final[dict[str, list[Any]]] = {
    "by": [_MACHINE] * 12 + _BY,
    "tenant": ["acme"] * 20 + ["other"],
    "key": [None] * 5 + ["a", "a", "b"],
    "wish": ["one"] * 4 + ["other"],
    "policy_rev": [1] * 8 + [3, 3, 5, 5, 5, 7, 9, 11, 11, 13, 0],
    "zone": list(ZONES),
}


def _numbers(said: dict[str, list[Any]]) -> st.SearchStrategy[int]:
    return st.integers(0, prod(map(len, said.values())) - 1)


def _move(what: int, when: int, who: int) -> Move:
    fields: dict[str, Any] = {}
    for number, said in ((what, _WHAT), (when, _WHEN), (who, _WHO)):
        rest = number
        for name, choices in said.items():
            rest, index = divmod(rest, len(choices))
            fields[name] = choices[index]
    return Move(**fields)


moves: Final = st.builds(_move, _numbers(_WHAT), _numbers(_WHEN), _numbers(_WHO))

# The job of each timer: of four, two are on one, and one is on none.
_JOBS: Final = ("roof", "roof", "cellar", None)
_ESTIMATES: Final = dict(zip(ZONES, (0, 90, 5400, 40 * 3600), strict=True))
# Of which day leave is told, by the move's timer: today, tomorrow, the day before, in a week.
_LEAVE_IN: Final = [timedelta(days=days) for days in (0, 1, -1, 7)]

# What a person presses next, by what they pressed last on that timer.
_NEXT: Final = {"": "start", "start": "pause", "pause": "resume", "resume": "pause", "stop": "stop"}


def written(given: list[Move]) -> list[Entry]:
    """Write the moves on a log, one after the other."""
    log: list[Entry] = []
    now = BEGINNING
    pressed: dict[tuple[str, int], str] = {}
    for offset, intended in enumerate(given):
        now += intended.gap
        who = intended.owner, intended.timer
        move = intended if intended.kind != "next" else replace(intended, kind=_NEXT[pressed.get(who, "")])
        if move.kind in _NEXT:
            pressed[who] = move.kind
        log_time = now.replace(microsecond=now.microsecond // 1000 * 1000)
        repeated = log[-move.again] if move.again is not None and move.again <= len(log) else None
        if isinstance(repeated, LoggedPress):
            log.append(LoggedPress(offset, log_time, repeated.press))
        elif move.kind == "unread":
            log.append(UnreadableRecord(offset, log_time, Unreadable("no_body")))
        else:
            log.append(LoggedPress(offset, log_time, _press(move, offset, now)))
    return log


_runs: Final = st.lists(moves, min_size=1, max_size=10) | st.lists(moves, min_size=14, max_size=28)
histories: Final[st.SearchStrategy[list[Entry]]] = _runs.map(written)


def _there(how: int, now: datetime) -> tuple[datetime, timedelta | None]:
    """Return when an owner came, and for how long. The past is told in whole hours, so that it is told again."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    windows = ((now, None), (now, timedelta(hours=2)), (hour - timedelta(hours=5), None))
    return windows[how] if how < len(windows) else (hour - timedelta(hours=5), timedelta(hours=4))


def _press(move: Move, offset: int, now: datetime) -> Press:
    event, subject = _event(move, now), None
    if move.kind in {"start", "pause", "resume", "stop"}:
        subject = make_short((BEGINNING - ID_EPOCH) // _MS, slot_of("acme", move.owner), move.timer)
    target = ("timer", str(subject)) if move.kind in {"pause", "resume", "stop"} else ("owner", move.owner)
    keyed = move.key and keyed_event_id(move.tenant, move.by.client, *target, move.key)
    # A deadline without an expiry does not read.
    expires = _ORDINARY_EXPIRY if move.expires is None and isinstance(event, DeadlineReached) else move.expires
    envelope = Envelope(
        event_id=keyed or UUID(int=offset + 1),
        type=event.type,
        recorded_at=now + move.heard,
        policy_rev=move.policy_rev,
        subject=subject,
        expires_at=None if expires is None else now + expires,
    )
    return Press(envelope, event)


def _event(move: Move, now: datetime) -> AnyEvent:
    said: dict[str, Any] = {
        "tenant": move.tenant,
        "actor": move.by,
        "dialect": "native",
        "digest": ("1" if move.wish == "one" else "2") * 64,
    }
    asked = {"asked_at": None if move.asked is None else now + move.asked}
    match move.kind:
        case "start":
            work = {"owner": move.owner, "billable": move.wish == "one", "job_id": _JOBS[move.timer % len(_JOBS)]}
            work |= {"account_id": f"A-{move.timer}", "reference": f"order {move.timer}"} if move.timer else {}
            return TimerStarted.model_validate(said | asked | work)
        case "pause":
            return TimerPaused.model_validate(said | asked | {"reason": "lunch" if move.wish == "one" else None})
        case "resume":
            return TimerResumed.model_validate(said | asked)
        case "stop":
            return TimerStopped.model_validate(said | asked)
        case "zone":
            return OwnerProfileSet.model_validate(said | {"owner": move.owner, "zone": move.zone})
        case "standing":
            return OwnerProfileSet.model_validate(
                said | {"owner": move.owner, "timers_disabled": move.timer == 1, "active": move.timer != 2}
            )
        case "there":
            came, stays = _there(move.timer, now)
            left = None if stays is None else came + stays
            return OwnerAttendanceRecorded.model_validate(
                said | {"owner": move.owner, "on": came.date(), "checked_in_at": came, "checked_out_at": left}
            )
        case "estimate":
            job = _JOBS[move.timer % len(_JOBS)] or "roof"
            seconds = _ESTIMATES[move.zone]
            return OwnerEstimateSet.model_validate(said | {"owner": move.owner, "job_id": job, "seconds": seconds})
        case "leave" | "revoked":
            model = OwnerLeaveGranted if move.kind == "leave" else OwnerLeaveRevoked
            return model.model_validate(
                said | {"owner": move.owner, "on": now.date() + _LEAVE_IN[move.timer % len(_LEAVE_IN)]}
            )
        case _:
            return DeadlineReached.model_validate(said | {"owner": move.owner})
