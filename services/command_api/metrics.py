"""What the API tells Prometheus: how presses are answered, how long verdicts take, and how much waits.

With care: a name or a word. Dashboards and alerts of operators have them. docs/metrics.md lists all.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from services.command_api.desk.tally import ANSWERED, DIALECTS, Tally
from services.command_api.dialects.kafka.reading import REASONS
from services.command_api.submit.replies import Waiters
from services.command_api.submit.sender import Sender
from shared.events.rules import Rule
from shared.events.topics import EVENTS
from shared.process.alarms import SHARED_ALARMS, Alarms
from shared.process.metrics import ALARMS, PARTITIONS, READY, Metric, Readings, Samples, by_word, just, with_words

# All that an API can raise (docs/operations.md, "Alarms").
ALARM_NAMES: Final = (
    *SHARED_ALARMS,
    "background_ended",
    "clock_disagrees",
    "command_failed",
    "commands_feed_lost",
    "commands_not_committed",
    "commands_round_failed",
    "commands_waiting",
    "id_taken_unheard",
    "introspection_failed",
    "issuer_keys_not_fetched",
    "outcome_unreadable",
    "partitions_disagree",
    "partitions_unasked",
    "postgres_away",
    "record_unsendable",
    "replies_consumer_lost",
    "reply_mismatched",
    "reply_unreadable",
    "requests_uncounted",
    "sweep_failed",
    "timer_ids_exhausted",
    "told_failed",
)
CHECKS: Final = ("stays", "replies", "producer", "policies", "clock", "partitions")
NO_RULE: Final = "none"

_RULES: Final = tuple(rule.value for rule in Rule)

ANSWERED_PRESSES: Final = Metric(
    "stint_presses_answered_total",
    "counter",
    "Presses that were sent, by what the caller heard. `waiting`: recorded and not judged in time. `not_recorded`: not "
    "sent, of unknown fate, or void.",
    {"dialect": DIALECTS, "answer": ANSWERED, "rule": (*_RULES, NO_RULE)},
)
TURNED_AWAY: Final = Metric(
    "stint_requests_turned_away_total",
    "counter",
    "Requests that were refused before anything was sent: for their token (R01), for what a press shows by itself "
    "(R02, R03, R04; an id that no timer has, R05; a role that may not press, or an alias of another person, R06), for "
    "their number (R19).",
    {"dialect": DIALECTS, "rule": _RULES},
)
VERDICT_SECONDS: Final = Metric(
    "stint_verdict_seconds",
    "histogram",
    "From the moment at which a press was read to its verdict. Presses that heard none are not in it.",
    {"dialect": DIALECTS},
)
COMMANDS_BURIED: Final = Metric(
    "stint_commands_buried_total",
    "counter",
    "Commands on Kafka that became no press, and are on `timer.dead.v1` with this reason.",
    {"reason": REASONS},
)
WAITERS: Final = Metric("stint_waiters", "gauge", "Callers that wait for a verdict.")
UNACKED_RECORDS: Final = Metric(
    "stint_unacked_records", "gauge", "Presses and texts that were sent and are not acknowledged by Kafka yet."
)
UNACKED_BYTES: Final = Metric("stint_unacked_bytes", "gauge", "The same in bytes.")
API_READY: Final = with_words(READY, check=CHECKS)
API_ALARMS: Final = with_words(ALARMS, alarm=ALARM_NAMES)

METRICS: Final = (
    ANSWERED_PRESSES,
    TURNED_AWAY,
    VERDICT_SECONDS,
    COMMANDS_BURIED,
    WAITERS,
    UNACKED_RECORDS,
    UNACKED_BYTES,
    API_READY,
    PARTITIONS,
    API_ALARMS,
)


def readings(
    *,
    tally: Tally,
    waiters: Waiters,
    sender: Sender,
    ready: Mapping[str, Callable[[], bool]],
    partitions: Mapping[str, int],
    alarms: Alarms,
) -> Readings:
    """Return where each metric of the API is read."""
    return {
        ANSWERED_PRESSES: _answered(tally),
        TURNED_AWAY: lambda: [((d, rule.value), n) for (d, rule), n in tally.turned_away.items()],
        VERDICT_SECONDS: lambda: [((dialect,), spread) for dialect, spread in tally.verdict_after.items()],
        COMMANDS_BURIED: lambda: [((reason,), count) for reason, count in tally.buried.items()],
        WAITERS: lambda: just(len(waiters)),
        UNACKED_RECORDS: lambda: just(sender.unacked_records),
        UNACKED_BYTES: lambda: just(sender.unacked_bytes),
        API_READY: lambda: by_word({name: float(check()) for name, check in ready.items()}),
        PARTITIONS: lambda: just(partitions.get(EVENTS)),
        API_ALARMS: lambda: by_word(alarms.raised()),
    }


def _answered(tally: Tally) -> Callable[[], Samples]:
    def read() -> Iterator[tuple[tuple[str, ...], float]]:
        for (dialect, answer, rule), count in tally.answered.items():
            yield (dialect, answer, NO_RULE if rule is None else rule.value), count

    return read
