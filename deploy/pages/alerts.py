"""deploy/alerts.yml, Prometheus' rules: `make pages` writes it anew.

Each alarm of docs/operations.md has an alert, whose words are the page's. Others watch what the numbers show, which no
log line says. Tests compare the file with the page, its names with the metrics, and its expressions with promtool.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "deploy" / "alerts.yml"
PAGE: Final = ROOT / "docs" / "operations.md"
RAISED: Final = "stint:alarms:raised10m"

# What the page calls nothing when it happens once.
_MORE_THAN: Final = {"producer_broken": 2, "timer_id_taken_unheard": 2}
# Presses go on; a person should look within days.
_TICKETS: Final = frozenset(
    {
        "batch_not_unpacked",
        "command_failed",
        "commands_not_committed",
        "commands_round_failed",
        "erasure_unreadable",
        "id_taken_unheard",
        "outcome_record_skipped",
        "outcome_unreadable",
        "outcomes_not_pruned",
        "policies_not_kept",
        "policy_not_kept",
        "progress_not_saved",
        "record_unreadable",
        "record_unsendable",
        "reply_mismatched",
        "reply_unreadable",
        "request_failed",
        "requests_uncounted",
        "shutdown_step_failed",
        "sweep_failed",
        "text_unreadable",
        "timer_id_taken_unheard",
        "told_failed",
    }
)
_HEADING: Final = (
    "# Written by `make pages`. Do not edit by hand: change docs/operations.md or deploy/pages/alerts.py.\n"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """An alert on what the numbers show."""

    name: str
    expr: str
    for_: str
    severity: str
    description: str


CONDITIONS: Final = (
    Condition(
        "StintNoCommandApi", "absent(stint_waiters)", "1m", "page", "No command API answers Prometheus: none may run."
    ),
    Condition(
        "StintNoProjector",
        "absent(stint_partition_state)",
        "2m",
        "page",
        "No projector has a partition. Presses are recorded, and answered 202 or 503.",
    ),
    Condition(
        "StintNoFeed",
        "absent(stint_feed_readers)",
        "5m",
        "ticket",
        "No feed answers Prometheus: readers of /v1/feed get 503. Leave this alert out where no feed is to run.",
    ),
    Condition(
        "StintFeedBehind",
        "max by (instance) (stint_feed_lag_offsets) > 1000",
        "5m",
        "ticket",
        "A feed has over 1,000 outcomes of a partition still to read: it is too slow, or does not advance.",
    ),
    Condition(
        "StintPartitionsNotFolded",
        '(count(max by (partition) (stint_partition_state{state="live"}) == 1) or vector(0)) < max(stint_partitions)',
        "2m",
        "page",
        "Some partitions have no projector that folds them. Presses on them are recorded, and answered 202 or 503.",
    ),
    Condition(
        "StintPartitionHeld",
        'max by (partition) (stint_partition_state{state="held"}) == 1',
        "1m",
        "page",
        "A partition waits for something that does not come by itself. /readyz of its projector says for what.",
    ),
    Condition(
        "StintFoldBehind",
        "max by (partition) (stint_partition_lag_offsets) > 1000",
        "5m",
        "page",
        "Over 1,000 presses of a partition wait to be judged: its projector is too slow, or does not advance.",
    ),
    Condition(
        "StintLagUnknown",
        'max by (instance) (stint_partition_state{state="live"}) == 1 unless on (instance) stint_partition_lag_offsets',
        "10m",
        "ticket",
        "A projector folds, and cannot ask Kafka how far it is behind: StintFoldBehind is blind for its partitions.",
    ),
    Condition(
        "StintOutcomesUnacked",
        "max by (partition) (stint_partition_unacked_outcomes) > 5000",
        "5m",
        "page",
        "Kafka does not acknowledge outcomes. Callers are answered; other services get nothing.",
    ),
    Condition(
        "StintDeadlineNotFolded",
        "max(stint_deadline_late_seconds) > 30",
        "1m",
        "page",
        "What fell due (a limit, a cap, an automatic stop) is not folded. See the alarm deadlines_late.",
    ),
    Condition(
        "StintVerdictsSlow",
        "histogram_quantile(0.99, sum by (le) (rate(stint_verdict_seconds_bucket[5m]))) > 1",
        "5m",
        "page",
        "One press in a hundred waits over a second for its verdict.",
    ),
    Condition(
        "StintPressesUnanswered",
        'sum(rate(stint_presses_answered_total{answer=~"waiting|not_recorded"}[5m]))'
        " / sum(rate(stint_presses_answered_total[5m])) > 0.01",
        "5m",
        "page",
        "Over one press in a hundred gets no verdict: it is answered 202 or 503.",
    ),
    # A series begins with the first command of its reason, at one: `increase` does not see that.
    Condition(
        "StintCommandsBuried",
        "sum(increase(stint_commands_buried_total[10m]) > 0"
        " or (stint_commands_buried_total > 0 unless stint_commands_buried_total offset 10m)) > 0",
        "0m",
        "ticket",
        "Commands of other services became no press, and are on timer.dead.v1. `stint dead-letters list` says why.",
    ),
    Condition(
        "StintNotReady",
        'min by (instance, check) (stint_ready{check!="stays"}) == 0',
        "5m",
        "page",
        "A process has not been ready for 5 minutes, because of the check that the label names.",
    ),
    # A process that ends itself takes its count of `background_failed` with it.
    Condition(
        "StintRestarting",
        "changes(process_start_time_seconds[15m]) > 1 and on (instance) count by (instance) (stint_ready)",
        "0m",
        "page",
        "A process began anew twice within 15 minutes: look for background_failed and background_ended in its log.",
    ),
)


def alarms_of_the_page(page: str) -> dict[str, str]:
    """Return what happened, by alarm, as the page says it."""
    section = page.partition("\n## Alarms\n")[2]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \|", section, re.MULTILINE)
    return {name: re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", what) for name, what in rows}


def alert_of(alarm: str) -> str:
    """Return the name of an alarm's alert."""
    return "Stint" + alarm.title().replace("_", "")


def rules() -> dict[str, Any]:
    """Return the file as it must be."""
    # A counter that begins above zero has not risen for `increase`: the alarm was raised before Prometheus first asked.
    raised = (
        "sum by (alarm) (increase(stint_alarms_total[10m]) > 0"
        " or (stint_alarms_total > 0 unless stint_alarms_total offset 10m))"
    )
    return {
        "groups": [
            {"name": "stint-alarms", "rules": [{"record": RAISED, "expr": raised}, *_alarms()]},
            {"name": "stint-conditions", "rules": [_rule_of(condition) for condition in CONDITIONS]},
        ]
    }


def written() -> str:
    """Return the text of the file."""
    return _HEADING + yaml.safe_dump(rules(), sort_keys=False, width=1000, allow_unicode=True)


def _alarms() -> Iterator[dict[str, Any]]:
    for alarm, what in alarms_of_the_page(PAGE.read_text(encoding="utf-8")).items():
        severity = "ticket" if alarm in _TICKETS else "page"
        expr = f'{RAISED}{{alarm="{alarm}"}} > {_MORE_THAN.get(alarm, 0)}'
        yield _alert(alert_of(alarm), expr, None, severity, what, f"docs/operations.md, Alarms, {alarm}")


def _rule_of(condition: Condition) -> dict[str, Any]:
    where = f"docs/operations.md, Alerts on numbers, {condition.name}"
    return _alert(condition.name, condition.expr, condition.for_, condition.severity, condition.description, where)


def _alert(name: str, expr: str, for_: str | None, severity: str, description: str, runbook: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        **({} if for_ is None else {"for": for_}),
        "labels": {"severity": severity},
        "annotations": {"description": description, "runbook": runbook},
    }


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name} is written\n")
