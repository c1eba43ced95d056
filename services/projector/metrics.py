"""The projector's metrics: what presses amount to, and how each partition stands.

With care: a name or a word. Dashboards and alerts of operators use them. docs/metrics.md lists all.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from services.projector.clock.clock import DeadlineClock
from services.projector.domain.entry import Entry, LoggedPress
from services.projector.domain.fold import Folded, Repeated, Voided
from services.projector.domain.outcomes import Kept
from services.projector.kafka.replies import KafkaReplies
from services.projector.lag import Lag
from services.projector.loop.partition.partition import Partition, Status
from services.projector.loop.projector import Projector
from services.projector.texts.projection import Texts
from shared.events.outcome import Verdict
from shared.events.rules import Rule
from shared.events.topics import EVENTS
from shared.process.alarms import SHARED_ALARMS, Alarms
from shared.process.metrics import (
    ALARMS,
    NUMBERS,
    PARTITIONS,
    READY,
    Metric,
    Readings,
    Samples,
    by_word,
    just,
    with_words,
)
from shared.process.spread import Spread

# All that a projector can raise (docs/operations.md, "Alarms").
ALARM_NAMES: Final = (
    *SHARED_ALARMS,
    "background_failed",
    "clock_disagrees",
    "deadlines_late",
    "erasure_unreadable",
    "erasures_waiting",
    "event_newer_than_we_are",
    "group_not_joined",
    "log_went_back",
    "outcome_newer_than_we_are",
    "outcome_record_skipped",
    "outcome_unreadable",
    "outcomes_not_pruned",
    "owners_not_looked_at",
    "partition_in_trouble",
    "partitions_not_agreed",
    "policies_not_kept",
    "policy_not_kept",
    "policy_unseen",
    "poll_failed",
    "postgres_not_there",
    "press_failed",
    "press_refused_internally",
    "progress_not_saved",
    "record_unreadable",
    "recovery_failed",
    "text_positions_not_read",
    "text_unreadable",
    "texts_feed_lost",
    "texts_went_back",
    "timer_id_taken_unheard",
)
CHECKS: Final = ("begun", "joined", "producer")
# `stint`: our own ticks. `other`: a program that writes to the log by itself. `none`: the record is no press.
DIALECTS: Final = ("thebase", "zoho", "native", "kafka", "stint", "other", "none")
VERDICTS: Final = (*get_args(Verdict), "repeated")
LOGS: Final = ("events", "texts")
WHY_DROPPED: Final = ("not_a_reply_topic", "too_many_unsent", "no_producer", "no_such_address", "failed")
NO_RULE: Final = "none"

_RULES: Final = (*(rule.value for rule in Rule), NO_RULE)

FOLDED_PRESSES: Final = Metric(
    "stint_presses_folded_total",
    "counter",
    "Records of `timer.events.v1` that were folded and committed, by what they amount to. `repeated`: judged before.",
    {"dialect": DIALECTS, "verdict": VERDICTS, "rule": _RULES},
)
COMMIT_SECONDS: Final = Metric(
    "stint_commit_seconds",
    "histogram",
    "From the moment at which the broker had a record to the commit of its verdict, by two clocks.",
)
PARTITION_STATE: Final = Metric(
    "stint_partition_state",
    "gauge",
    "1 for the state in which a partition of this projector is, 0 for the others.",
    {"partition": NUMBERS, "state": tuple(status.value for status in Status)},
)
PARTITION_LAG: Final = Metric(
    "stint_partition_lag_offsets",
    "gauge",
    "Offsets of `timer.events.v1` that are not folded yet, as seen within the last 5 s. Absent while Kafka is away, or "
    "while the partition has no leader.",
    {"partition": NUMBERS},
)
UNPUBLISHED: Final = Metric(
    "stint_partition_unacked_outcomes",
    "gauge",
    "Committed outcomes that Kafka has not acknowledged on `timer.outcomes.v1` yet.",
    {"partition": NUMBERS},
)
DEADLINE_LATE: Final = Metric(
    "stint_deadline_late_seconds",
    "gauge",
    "How long ago the oldest deadline fell due that is not folded yet; 0 when there is none. While deadlines cannot be "
    "read, at least the time since the last look.",
)
DEAD_LETTERS: Final = Metric(
    "stint_dead_letters_total",
    "counter",
    "Records that could not be read and were passed: of `timer.events.v1`, and of `timer.texts.v1`.",
    {"log": LOGS},
)
REPLIES_DROPPED: Final = Metric(
    "stint_replies_dropped_total",
    "counter",
    "Verdicts that could not be sent to the API that waits. Its callers are answered from Postgres.",
    {"why": WHY_DROPPED},
)
PROJECTOR_READY: Final = with_words(READY, check=CHECKS)
PROJECTOR_ALARMS: Final = with_words(ALARMS, alarm=ALARM_NAMES)

METRICS: Final = (
    FOLDED_PRESSES,
    COMMIT_SECONDS,
    PARTITION_STATE,
    PARTITION_LAG,
    UNPUBLISHED,
    DEADLINE_LATE,
    DEAD_LETTERS,
    REPLIES_DROPPED,
    PROJECTOR_READY,
    PARTITIONS,
    PROJECTOR_ALARMS,
)


class FoldTally:
    """Counts the verdicts of commits, a batch at a time. `now` is the machine's clock, in UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.presses: Counter[tuple[str, str, str]] = Counter()
        self.committed_after = Spread()
        self._now = now

    def count(self, answers: Sequence[tuple[Entry, Folded]]) -> None:
        """Count one commit."""
        now = self._now()
        for entry, folded in answers:
            self.presses[_dialect_of(entry), *_verdict_of(folded)] += 1
            if isinstance(entry, LoggedPress):
                self.committed_after.add((now - entry.log_time).total_seconds())

    @property
    def unreadable(self) -> int:
        """How many records were no press."""
        return sum(count for (_, verdict, _), count in self.presses.items() if verdict == "unreadable")


def _dialect_of(entry: Entry) -> str:
    # A program with the right to write to the log may put any word there.
    if not isinstance(entry, LoggedPress):
        return "none"
    return entry.event.dialect if entry.event.dialect in DIALECTS else "other"


def _verdict_of(folded: Folded) -> tuple[str, str]:
    match folded:
        case Kept(outcome=outcome):
            return outcome.verdict, outcome.rule or NO_RULE
        case Voided(rule=rule):
            return "void", NO_RULE if rule is None else rule.value
        case Repeated():
            return "repeated", NO_RULE


@dataclass(slots=True)
class Parts:
    """The parts that are read. Most are made after Kafka and Postgres were reached: None until then."""

    tally: FoldTally
    alarms: Alarms
    checks: Mapping[str, Callable[[], bool]]
    partitions: Mapping[str, int]
    now: Callable[[], datetime]
    projector: Projector | None = None
    clock: DeadlineClock | None = None
    lag: Lag | None = None
    texts: Texts | None = None
    replies: KafkaReplies | None = None


def readings(parts: Parts) -> Readings:
    """Return where each metric of a projector is read."""
    tally = parts.tally
    return {
        FOLDED_PRESSES: tally.presses.items,
        COMMIT_SECONDS: lambda: just(tally.committed_after),
        PARTITION_STATE: lambda: _states(_ours(parts)),
        PARTITION_LAG: lambda: _lags(_ours(parts), parts.lag),
        UNPUBLISHED: lambda: [((str(kpart),), each.outbox.backlog) for kpart, each in _ours(parts).items()],
        DEADLINE_LATE: lambda: just(_late_seconds(parts)),
        DEAD_LETTERS: lambda: by_word(
            {"events": tally.unreadable, "texts": 0 if parts.texts is None else parts.texts.unreadable}
        ),
        REPLIES_DROPPED: lambda: by_word(_dropped(parts.replies)),
        PROJECTOR_READY: lambda: by_word({name: float(check()) for name, check in parts.checks.items()}),
        PARTITIONS: lambda: just(parts.partitions.get(EVENTS)),
        PROJECTOR_ALARMS: lambda: by_word(parts.alarms.raised()),
    }


def _ours(parts: Parts) -> Mapping[int, Partition]:
    return {} if parts.projector is None else parts.projector.keeper.ours


def _states(ours: Mapping[int, Partition]) -> Iterator[tuple[tuple[str, str], float]]:
    for kpart, partition in ours.items():
        for status in Status:
            yield (str(kpart), status.value), float(partition.status is status)


def _lags(ours: Mapping[int, Partition], lag: Lag | None) -> Samples:
    return [((str(kpart),), n) for kpart, n in ({} if lag is None else lag.offsets).items() if kpart in ours]


def _late_seconds(parts: Parts) -> float | None:
    if parts.clock is None:
        return None
    oldest = parts.clock.oldest_due_at
    return 0.0 if oldest is None else max(0.0, (parts.now() - oldest).total_seconds())


def _dropped(replies: KafkaReplies | None) -> Mapping[str, int]:
    counts = dict.fromkeys(WHY_DROPPED, 0)
    for why, times in ({} if replies is None else replies.dropped).items():
        # Other reasons are names of the client library's errors, which are not known beforehand.
        counts[why if why in WHY_DROPPED else "failed"] += times
    return counts
