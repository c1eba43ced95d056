"""A dictionary for packed outcomes: `python -m deploy.outcome_dictionary 2` makes shared/packing/2.zdict.

A dictionary that rows were packed with is never changed, so a number that is taken is refused. It is trained on
outcomes that are made up here, with names that mean nothing: it learns the words of the format, and no owner's name.
"""

import argparse
import random
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.events.ids import make_short, slot_of
from shared.events.models import ToldActor
from shared.events.outcome import Change, Closed, DayPart, Finding, Opened, Outcome, State, TimerAfter, write_outcome
from shared.events.rules import Rule
from shared.packing.bodies import file_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_SAMPLES: Final = 4_000
_BYTES_MAX: Final = 4_096
_SEED: Final = 1
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_YEARS_SECONDS: Final = 10 * 365 * 86_400
_DIALECTS: Final = ("native", "native", "thebase", "zoho", "kafka")
_ROLES: Final = ("machine", "machine", "person", "admin")
_ZONES: Final = ("Asia/Jerusalem", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
_VERBS: Final = ("start", "start", "start", "stop", "stop", "stop", "pause", "resume")
_FINDINGS: Final = ("R09", "R10", "R11", "R12", "R13", "R16", "R17")


def main() -> int:
    """Make one, and return the status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.outcome_dictionary", description=__doc__)
    parser.add_argument("number", type=int, help="of the dictionary: the next one, up to 255")
    number = parser.parse_args().number
    path = file_of(number)
    if path.exists():
        parser.error(f"{path} is there, and rows may need it: take the next number.")
    path.write_bytes(trained(number))
    return 0


def trained(number: int) -> bytes:
    """Return the bytes of a dictionary with this number."""
    chance = random.Random(_SEED)  # noqa: S311 - samples, and the same ones each time
    return numbered(zstd.train_dict([write_outcome(made_up(chance)) for _ in range(_SAMPLES)], _BYTES_MAX), number)


def numbered(dictionary: zstd.ZstdDict, number: int) -> bytes:
    """Return the dictionary's bytes with this number, which is in bytes 4 to 7 (RFC 8878, section 5)."""
    trained = dictionary.dict_content
    return trained[:4] + number.to_bytes(4, "little") + trained[8:]


def made_up(chance: random.Random) -> Outcome:
    """Return an outcome of a press on a timer, as ordinary as chance makes it."""
    verb, role = chance.choice(_VERBS), chance.choice(_ROLES)
    tenant, owner = _name(chance), _name(chance)
    log_time = _EPOCH + timedelta(seconds=chance.randrange(_YEARS_SECONDS), milliseconds=chance.randrange(1000))
    began = log_time - timedelta(microseconds=chance.randrange(10**6, 10**11))
    at = log_time - timedelta(microseconds=chance.randrange(5_000))
    findings = tuple(chance.sample(_FINDINGS, k=chance.choice((0, 0, 0, 1, 2))))
    is_refused = verb != "stop" and chance.random() < 0.05  # noqa: PLR2004 - a share
    timer = _timer(chance, verb, owner, at if verb == "start" else began, at, findings)
    return Outcome(
        source_offset=chance.randrange(10**7),
        event_id=UUID(int=chance.getrandbits(128)),
        event_type=f"timer.{_PAST[verb]}.v1",
        subject=timer.id,
        tenant=tenant,
        owner=owner,
        actor=ToldActor(client=f"{tenant}-{_name(chance)}", person=owner if role == "person" else None, role=role),
        dialect=chance.choice(_DIALECTS),
        digest=f"{chance.getrandbits(256):064x}",
        recorded_at=at,
        log_time=log_time,
        asked_at=at if chance.random() < 0.1 else None,  # noqa: PLR2004 - a share
        at=at,
        policy_rev=(revision := chance.randrange(100)),
        policy_revision=revision,
        verdict="refused" if is_refused else "accepted",
        rule=Rule.NOT_LEGAL_NOW.value if is_refused else None,
        reason=Rule.NOT_LEGAL_NOW.reason if is_refused else None,
        flags=tuple(sorted(findings)),
        findings=tuple(Finding(timer_id=timer.id, rule=rule, from_=at) for rule in findings),
        timer=timer,
        changed=() if is_refused else (_change(chance, verb, timer, began, at),),
        due=at + timedelta(hours=10) if verb in {"start", "resume"} else None,
    )


_PAST: Final = {"start": "started", "stop": "stopped", "pause": "paused", "resume": "resumed"}
_STATES: Final = {"start": State.RUNNING, "stop": State.STOPPED, "pause": State.PAUSED, "resume": State.RUNNING}


def _timer(
    chance: random.Random, verb: str, owner: str, began: datetime, at: datetime, flags: tuple[str, ...]
) -> TimerAfter:
    said: dict[str, Any] = {name: _name(chance) for name in ("account_id", "job_id", "project_id")}
    return TimerAfter(
        id=make_short(chance.randrange(1 << 40), slot_of("", owner), chance.randrange(1 << 10)),
        owner=owner,
        **{name: value if chance.random() < 0.4 else None for name, value in said.items()},  # noqa: PLR2004 - a share
        billable=chance.random() < 0.8,  # noqa: PLR2004 - a share
        state=_STATES[verb],
        started_at=began,
        stopped_at=at if verb == "stop" else None,
        total_us=0 if verb == "start" else (at - began) // timedelta(microseconds=1),
        last_at=at,
        flags=tuple(sorted(flags)),
    )


def _change(chance: random.Random, verb: str, timer: TimerAfter, began: datetime, at: datetime) -> Change:
    seq, zone = 1 if verb == "start" else chance.choice((1, 1, 2, 3)), chance.choice(_ZONES)
    if verb in {"start", "resume"}:
        return Change(timer=timer.id, by="press", after=timer, opened=Opened(seq=seq, start=at, zone=zone))
    days = (DayPart(on=at.date(), us=timer.total_us),)
    closed = Closed(seq=seq, start=began, end=at, zone=zone, days=days)
    return Change(timer=timer.id, by="press", after=timer, closed=closed)


def _name(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789-", k=chance.randrange(4, 16)))


if __name__ == "__main__":
    sys.exit(main())
