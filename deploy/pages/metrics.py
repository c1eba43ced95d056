"""docs/metrics.md, from the metrics of all services: `make pages` writes it anew.

What a metric says is written once, beside the code that reads it. A test compares the page with the code.
"""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from services.command_api.metrics import METRICS as OF_THE_API
from services.feed.metrics import METRICS as OF_THE_FEED
from services.projector.metrics import METRICS as OF_A_PROJECTOR
from shared.process.metrics import NUMBERS, Metric

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
METRICS_OF: Final[Mapping[str, Sequence[Metric]]] = {
    "The command API": OF_THE_API,
    "A projector": OF_A_PROJECTOR,
    "The feed": OF_THE_FEED,
}

_INTRODUCTION: Final = """\
<!-- Written by `make pages` from services/*/metrics.py. Do not edit by hand. -->
# Metrics

Every process answers `/metrics` in Prometheus' text format, on the port where it answers `/readyz`. The answer comes
from memory: it asks neither Kafka nor Postgres. Counts begin with the process. Beside the metrics below there are those
of the client library: `process_*` (memory, CPU, open files) and `python_gc_*`.

A label has the words of the table and no other, so the number of series is bounded: no request can make a new one. No
label names a tenant, an owner or a client.

- **Who may ask.** Any program that reaches the port. The gateway refuses the path. On Kubernetes a namespace may ask
  when it has the label `stint/reads-metrics=yes`; pods carry the annotations `prometheus.io/scrape`, `port` and `path`.
- **Alerts** are in [`deploy/alerts.yml`](../deploy/alerts.yml), one for each [alarm](operations.md#alarms) and some for
  what the numbers show. Each process must be asked at least once a minute.
- `stint_presses_answered_total` is what callers heard, `stint_presses_folded_total` what the log amounts to. They
  differ: a repeat is answered twice and kept once, and what fell due by itself was pressed by nobody (dialect `stint`).
"""


def page() -> str:
    """Return the page as it must be."""
    return "\n".join([_INTRODUCTION, *(_section(title, metrics) for title, metrics in METRICS_OF.items())])


def _section(title: str, metrics: Sequence[Metric]) -> str:
    rows = "".join(
        f"| `{metric.name}` | {metric.kind} | {'<br>'.join(_labels(metric)) or '-'} | {metric.means} |\n"
        for metric in metrics
    )
    return f"## {title}\n\n| metric | kind | labels | what it says |\n|---|---|---|---|\n{rows}"


def _labels(metric: Metric) -> Iterator[str]:
    for label, words in metric.labels.items():
        yield f"`{label}`: {_words(label, words)}"


def _words(label: str, words: Collection[str]) -> str:
    if words is NUMBERS:
        return "its number"
    if label == "rule":
        return ", ".join(["each [rule](rules.md)", *(f"`{word}`" for word in words if not word[1:].isdecimal())])
    if label == "alarm":
        return f"the {len(words)} [alarms](operations.md#alarms) that this process can raise"
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")
