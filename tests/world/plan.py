"""Plans: what a seed's world is made of, and which faults it may have. Each seed has its own mix of faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

# Faults at a point, at a send, at a commit: how likely each is at each chance, in a plan that has the fault.
RATES: Final[Mapping[str, float]] = {
    "crash": 0.006,
    "frozen_here": 0.006,
    "read_failed": 0.02,
    "commit_lost": 0.02,
    "commit_unknown": 0.03,
    "kafka_read_failed": 0.03,
    "publish_lost": 0.04,
    "publish_torn": 0.04,
    "publish_unknown": 0.04,
    "publish_late": 0.04,
    "reply_lost": 0.08,
    "reply_doubled": 0.08,
    "send_lost": 0.04,
    "send_unknown": 0.05,
    "send_late": 0.03,
    "send_doubled": 0.08,
    "ack_without_time": 0.02,
    "api_killed": 0.02,
    "same_id_drawn": 0.25,
    "policy_late": 0.3,
    "tick_lost": 0.2,
    "tick_late": 0.1,
    "tick_doubled": 0.1,
    "tick_unknown": 0.1,
    # At the start of a projector.
    "tick_early": 0.3,
    "tick_expired": 0.2,
    "time_jumps": 0.10,
    "month_passes": 0.012,
    "key_again": 0.10,
    "key_reused": 0.04,
    "poison": 0.12,
    "foreign": 0.15,
    "rule_breaks": 0.03,
    "refused_by_store": 0.03,
    "store_froze": 0.01,
    "stale_fetch": 0.1,
    "gap_in_events": 0.06,
    "gap_in_outcomes": 0.06,
    "log_clock_jumps": 0.03,
    # Faults that `trouble` may cause, at each look that it takes.
    "killed": 0.06,
    "frozen": 0.05,
    "left": 0.04,
    "joined": 0.08,
    "rebalanced": 0.06,
    "store_away": 0.05,
    "kafka_away": 0.04,
    "dump_restored": 0.04,
    "policy_changed": 0.10,
    "hole_at_end": 0.06,
    "strange_outcome": 0.06,
    "strange_policy": 0.04,
    "strange_text": 0.06,
    "strange_reply": 0.05,
    "reply_forged": 0.05,
    "no_such_policy": 0.04,
    # Once a run, or not.
    "clock_slow": 1.0,
    "clock_fast": 1.0,
    "newer_event": 1.0,
}
# Faults that few plans have, because they change all that comes after.
_SELDOM: Final = {
    "clock_slow": 0.04,
    "newer_event": 0.05,
    "dump_restored": 0.10,
    "month_passes": 0.30,
    "log_clock_jumps": 0.25,
    "kafka_away": 0.30,
}
# A policy that refuses and the fact that it asks about are each seldom, so chance alone hardly brings them together.
# By the seed and not by chance, so that the other seeds stay as they were.
_LIMITS_EVERY: Final = 10
_ZONES: Final = (
    *("Asia/Jerusalem", "America/New_York", "Africa/Cairo", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe"),
    *("America/Santiago", "America/Asuncion", "Asia/Beirut", "Africa/Casablanca", "Atlantic/Azores", "Pacific/Apia"),
    *("America/St_Johns", "America/Havana", "UTC"),
)
_BEGINNINGS: Final = ("03-07", "03-26", "03-28", "04-04", "04-23", "07-01", "09-05", "10-03", "10-24", "10-30", "12-31")


@dataclass(frozen=True)
class Plan:
    """What a seed stands for: the size of its world, and the rates of its faults."""

    seed: int
    presses: int
    partitions: int
    projectors: int
    people: int
    owners: tuple[tuple[str, str], ...]
    zones: tuple[str, ...]
    begins_at: datetime
    batch_max: int
    latency_seconds: float
    # Whether hours of attendance and an estimate are over from the beginning, and the policies refuse for it.
    has_limits: bool = False
    rates: Mapping[str, float] = field(default_factory=dict)
    # Crash, or freeze for `freeze_seconds`, at exactly this point.
    crash_at: int | None = None
    freeze_at: int | None = None
    freeze_seconds: float = 0.0


def plan_of(seed: int, presses_max: int = 55) -> Plan:
    """Return the plan of a seed."""
    chance = Random(f"plan {seed}")
    kinds = sorted(RATES)
    had = {kind for kind in kinds if chance.random() < _SELDOM.get(kind, 0.45)}
    tenants = ("acme", "birch")
    owners = tuple((chance.choice(tenants), f"o{n}") for n in range(chance.randint(2, 4)))
    return Plan(
        seed=seed,
        presses=chance.randint(15, presses_max),
        partitions=chance.randint(1, 3),
        projectors=chance.randint(1, 3),
        people=chance.randint(2, 4),
        owners=owners,
        zones=tuple(chance.sample(_ZONES, 3)),
        begins_at=_beginning(chance),
        batch_max=chance.choice((1, 3, 10, 100)),
        latency_seconds=chance.choice((0.0, 0.005, 0.05)),
        has_limits=seed % _LIMITS_EVERY == 0,
        rates={kind: RATES[kind] for kind in kinds if kind in had},
    )


def calm(seed: int, presses: int, crash_at: int | None = None) -> Plan:
    """Return a small plan without faults, or with one crash at the point `crash_at`."""
    chance = Random(f"calm {seed}")
    return Plan(
        seed=seed,
        presses=presses,
        partitions=2,
        projectors=1,
        people=2,
        owners=(("acme", "o0"), ("birch", "o1")),
        zones=("Asia/Jerusalem", "UTC", "America/New_York"),
        begins_at=_beginning(chance),
        batch_max=10,
        latency_seconds=0.0,
        rates={},
        crash_at=crash_at,
    )


def _beginning(chance: Random) -> datetime:
    day = datetime.fromisoformat(f"2026-{chance.choice(_BEGINNINGS)}").replace(tzinfo=UTC)
    return day + timedelta(minutes=chance.randrange(24 * 60), microseconds=chance.randrange(1_000_000))
