"""deploy/alerts.yml: an alert for each alarm, expressions over metrics that exist, and each alert seen to fire.

`make pages` writes the file anew.
"""

import re
import subprocess
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.exposition import generate_latest

from deploy.local.settings import Settings
from deploy.pages.alerts import CONDITIONS, FILE, PAGE, RAISED, alarms_of_the_page, alert_of, rules, written
from services.command_api.metrics import METRICS as OF_THE_API
from services.feed.metrics import METRICS as OF_THE_FEED
from services.projector.metrics import METRICS as OF_A_PROJECTOR
from shared.process.metrics import NUMBERS, Metric, Samples, registry_of
from shared.process.spread import Spread
from tests.support.stack.debian import program_in

PROMTOOL: Final = ("usr/bin/promtool", "prometheus")
RULES: Final[list[dict[str, Any]]] = [rule for group in rules()["groups"] for rule in group["rules"]]
ALERTS: Final = {rule["alert"]: rule for rule in RULES if "alert" in rule}
ALARMS: Final = list(alarms_of_the_page(PAGE.read_text(encoding="utf-8")))
HISTOGRAM: Final = ("_bucket", "_count", "_sum")

# For each condition: series that make its alert fire at 20 minutes, and series of an ordinary day. A minute apart.
LIVE: Final = 'stint_partition_state{partition="%s", state="live", instance="a"}'
FIRES: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "StintNoCommandApi": ({}, {"stint_waiters": "0x30"}),
    "StintNoProjector": ({"stint_waiters": "0x30"}, {LIVE % 0: "1x30"}),
    "StintNoFeed": ({"stint_waiters": "0x30"}, {"stint_feed_readers": "0x30"}),
    "StintFeedBehind": (
        {'stint_feed_lag_offsets{partition="3", instance="a"}': "5000x30"},
        {'stint_feed_lag_offsets{partition="3", instance="a"}': "5000x16 0x20"},
    ),
    "StintPartitionsNotFolded": (
        {"stint_partitions": "2x30", LIVE % 0: "1x30"},
        # A partition that moves is told of by two projectors for a moment.
        {"stint_partitions": "2x30", LIVE % 0: "1x30", LIVE % 1: "1x30", (LIVE % 1).replace('"a"', '"b"'): "1x30"},
    ),
    "StintPartitionHeld": (
        {'stint_partition_state{partition="3", state="held"}': "1x30"},
        {'stint_partition_state{partition="3", state="held"}': "0x18 1 0x20"},
    ),
    "StintFoldBehind": (
        {'stint_partition_lag_offsets{partition="3"}': "5000x30"},
        {'stint_partition_lag_offsets{partition="3"}': "5000x16 0x20"},
    ),
    "StintLagUnknown": (
        {LIVE % 0: "1x30", 'stint_partition_lag_offsets{partition="0", instance="b"}': "0x30"},
        {LIVE % 0: "1x30", 'stint_partition_lag_offsets{partition="0", instance="a"}': "0x12 _x5 0x20"},
    ),
    "StintOutcomesUnacked": (
        {'stint_partition_unacked_outcomes{partition="3"}': "6000x30"},
        {'stint_partition_unacked_outcomes{partition="3"}': "100x30"},
    ),
    "StintDeadlineNotFolded": ({"stint_deadline_late_seconds": "60x30"}, {"stint_deadline_late_seconds": "0.4x30"}),
    "StintVerdictsSlow": (
        {
            'stint_verdict_seconds_bucket{le="1.0"}': "0+900x30",
            'stint_verdict_seconds_bucket{le="2.0"}': "0+1000x30",
            'stint_verdict_seconds_bucket{le="+Inf"}': "0+1000x30",
        },
        {
            'stint_verdict_seconds_bucket{le="0.1"}': "0+1000x30",
            'stint_verdict_seconds_bucket{le="1.0"}': "0+1000x30",
            'stint_verdict_seconds_bucket{le="+Inf"}': "0+1000x30",
        },
    ),
    "StintPressesUnanswered": (
        {
            'stint_presses_answered_total{answer="accepted"}': "0+90x30",
            'stint_presses_answered_total{answer="waiting"}': "0+10x30",
        },
        {
            'stint_presses_answered_total{answer="accepted"}': "0+9000x30",
            'stint_presses_answered_total{answer="refused"}': "0+9000x30",
            'stint_presses_answered_total{answer="waiting"}': "0+1x30",
        },
    ),
    "StintCommandsBuried": (
        {'stint_commands_buried_total{reason="value_invalid", instance="a"}': "1x15 2x20"},
        {'stint_commands_buried_total{reason="value_invalid", instance="a"}': "0 2x30"},
    ),
    "StintNotReady": (
        {'stint_ready{check="clock", instance="a"}': "0x30", 'stint_ready{check="clock", instance="b"}': "1x30"},
        # One that leaves is not ready on purpose.
        {'stint_ready{check="clock", instance="a"}': "1x30", 'stint_ready{check="stays", instance="a"}': "0x30"},
    ),
    "StintRestarting": (
        {
            'process_start_time_seconds{instance="a"}': "1x10 2x5 3x20",
            'stint_ready{check="joined", instance="a"}': "1x40",
        },
        # Once, as an upgrade does; and a program that is not ours.
        {
            'process_start_time_seconds{instance="a"}': "1x10 2x30",
            'stint_ready{check="joined", instance="a"}': "1x40",
            'process_start_time_seconds{instance="other"}': "1x10 2x5 3x20",
        },
    ),
}


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return program_in(Settings.from_environment().cache, *PROMTOOL)
    except FileNotFoundError as why:
        pytest.skip(str(why))


def test_the_file_is_as_the_page_and_the_conditions_say() -> None:
    assert FILE.read_text(encoding="utf-8") == written()


def test_every_alarm_has_an_alert_and_every_alert_is_of_an_alarm_or_a_condition() -> None:
    assert list(ALERTS) == [*map(alert_of, ALARMS), *(condition.name for condition in CONDITIONS)]
    for alarm in ALARMS:
        assert ALERTS[alert_of(alarm)]["expr"].startswith(f'{RAISED}{{alarm="{alarm}"}} > ')


def words_of(expr: str) -> list[str]:
    """Return what an expression asks for and no process shows: metrics, labels, words."""
    known = {metric.name: metric for metric in (*OF_THE_API, *OF_A_PROJECTOR, *OF_THE_FEED)}
    wrong = []
    for name, _, said in re.findall(r"\b(stint_\w+|process_\w+)({([^}]*)})?", expr):
        bare = next((name.removesuffix(end) for end in HISTOGRAM if name.removesuffix(end) in known), name)
        if name.startswith("process_"):
            continue
        if bare not in known:
            wrong.append(name)
            continue
        of_this_name = [metric for metric in (*OF_THE_API, *OF_A_PROJECTOR, *OF_THE_FEED) if metric.name == bare]
        for label, words in re.findall(r'(\w+)!?=~?"([^"]*)"', said):
            spoken = {word for metric in of_this_name for word in metric.labels.get(label, ())}
            takes_numbers = any(metric.labels.get(label) is NUMBERS for metric in of_this_name)
            wrong += [f"{name} {label} {word}" for word in words.split("|") if word not in spoken and not takes_numbers]
    return wrong


def test_every_expression_asks_for_what_a_process_shows() -> None:
    assert [word for rule in RULES for word in words_of(rule["expr"])] == []


def test_an_expression_over_a_metric_or_a_word_that_does_not_exist_is_noticed() -> None:
    """The control."""
    assert words_of("rate(stint_presses_total[5m])") == ["stint_presses_total"]
    assert words_of('stint_partition_state{state="dead"}') == ["stint_partition_state state dead"]
    assert words_of('stint_ready{check!="stays"}') == []


def checked(promtool: Path, *words: str) -> str:
    done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tried(promtool: Path, folder: Path, cases: list[tuple[dict[str, str], dict[str, bool]]]) -> None:
    """Let promtool feed each case its series, and compare whether its alerts fire at 20 minutes."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "alert_rule_test": [
                {"eval_time": "20m", "alertname": alert, "exp_alerts": [expected(given, alert)] if fires else []}
                for alert, fires in alerts.items()
            ],
        }
        for given, alerts in cases
    ]
    path = folder / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests}))
    checked(promtool, "test", "rules", str(path))


def expected(given: dict[str, str], alert: str) -> dict[str, Any]:
    rule = ALERTS[alert]
    labels = dict(rule["labels"])
    if said := re.search(r'raised10m{(alarm)="(\w+)"}', rule["expr"]):
        labels[said[1]] = said[2]
    by = re.match(r"(?:max|min) by \(([^)]+)\)", rule["expr"])
    kept = ["instance"] if alert == "StintRestarting" else by[1].split(", ") if by else []
    series = next(iter(given), "")
    labels |= {label: word for label, word in re.findall(r'(\w+)="([^"]*)"', series) if label in kept}
    return {"exp_labels": labels, "exp_annotations": rule["annotations"]}


def test_promtool_reads_the_rules(promtool: Path) -> None:
    assert f"SUCCESS: {len(RULES)} rules found" in checked(
        promtool, "check", "rules", "--lint=all", "--lint-fatal", str(FILE)
    )


@pytest.mark.parametrize("metrics", [OF_THE_API, OF_A_PROJECTOR, OF_THE_FEED], ids=["api", "projector", "feed"])
def test_promtool_finds_no_fault_with_names_and_help(promtool: Path, metrics: Sequence[Metric]) -> None:
    """One sample of each metric, with the first word of each label."""
    spread = Spread()
    readings = {metric: partial(one_sample, metric, spread) for metric in metrics}
    shown = generate_latest(registry_of(readings))
    done = subprocess.run([promtool, "check", "metrics"], input=shown, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def one_sample(metric: Metric, spread: Spread) -> Samples:
    words = tuple("3" if known is NUMBERS else next(iter(known)) for known in metric.labels.values())
    return [(words, spread if metric.kind == "histogram" else 1.0)]


def test_a_machine_without_apt_says_why_they_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no promtool, and no apt-get"):
        program_in(tmp_path, *PROMTOOL)


def test_each_alarm_fires_its_own_alert(promtool: Path, tmp_path: Path) -> None:
    """Raised several times, so that those fire too that are nothing when they happen once."""
    tried(
        promtool,
        tmp_path,
        [
            (
                {f'stint_alarms_total{{alarm="{alarm}", instance="a"}}': "0x15 5x20"},
                {alert_of(alarm): True, alert_of(other): False},
            )
            for alarm, other in pairwise([*ALARMS, ALARMS[0]])
        ],
    )


def test_an_alarm_is_heard_that_was_raised_before_prometheus_first_asked(promtool: Path, tmp_path: Path) -> None:
    """`increase` alone would not see it: the counter has been 1 for as long as Prometheus knows it."""
    raised = {'stint_alarms_total{alarm="postgres_not_there", instance="a"}': "_x15 1x20"}
    long_ago = {'stint_alarms_total{alarm="postgres_not_there", instance="a"}': "1x30"}
    tried(promtool, tmp_path, [(raised, {"StintPostgresNotThere": True}), (long_ago, {"StintPostgresNotThere": False})])


def test_the_first_command_that_is_buried_for_a_reason_is_heard(promtool: Path, tmp_path: Path) -> None:
    """Its series begins with it, at one."""
    first = {'stint_commands_buried_total{reason="value_invalid", instance="a"}': "_x15 1x20"}
    tried(promtool, tmp_path, [(first, {"StintCommandsBuried": True})])


def test_what_is_nothing_once_fires_only_when_it_happens_again(promtool: Path, tmp_path: Path) -> None:
    once = {'stint_alarms_total{alarm="producer_broken", instance="a"}': "0x15 1x20"}
    tried(promtool, tmp_path, [(once, {"StintProducerBroken": False})])


@pytest.mark.parametrize("name", [condition.name for condition in CONDITIONS])
def test_each_condition_fires_its_alert_and_an_ordinary_day_does_not(promtool: Path, tmp_path: Path, name: str) -> None:
    fires, quiet = FIRES[name]
    tried(promtool, tmp_path, [(fires, {name: True}), (quiet, {name: False})])
