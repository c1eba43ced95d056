"""Both tables as text that a terminal and a page show alike: what was reached, and the medians behind it."""

from collections.abc import Iterable, Sequence
from statistics import median

from bench.report.samples import Party, Round, Sample, cpu, found, p50, p99, rate
from bench.report.targets import Target


def table_of(targets: Sequence[Target]) -> str:
    """Return what was measured beside what must be."""
    lines = [("what", "measured", "must", "aim", "")]
    for each in targets:
        sign = ">=" if each.more else "<="
        unit = f" {each.unit}" if each.unit else ""
        measured = "-" if each.measured is None else f"{each.measured:.2f}{unit}"
        lines.append((each.what, measured, f"{sign} {each.must:g}{unit}", f"{sign} {each.aim:g}{unit}", each.verdict))
    return drawn(lines)


def medians_of(rounds: Sequence[Round]) -> str:
    """Return a line for each party and number of clients."""
    heads = ("who", "clients", "cycles/s (min-max)", "p50 ms", "p99 ms", "CPU us a press", "by process", "errors")
    lines: list[Sequence[str]] = [heads]
    clients = sorted({each.clients for samples in rounds for each in samples})
    for count in clients:
        lines += [_line(each) for party in Party if (each := found(rounds, party, count))]
    return drawn(lines)


def _line(samples: Sequence[Sample]) -> tuple[str, ...]:
    first, rates = samples[0], [rate(each) for each in samples]
    parts = ", ".join(f"{name} {median(each.cpu_us[name] for each in samples):.0f}" for name in first.cpu_us)
    return (
        first.party.value,
        str(first.clients),
        f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})",
        f"{median(map(p50, samples)):.2f}",
        f"{median(map(p99, samples)):.1f}",
        f"{median(map(cpu, samples)):.0f}",
        parts,
        str(sum(each.told.errors for each in samples)),
    )


def drawn(lines: Sequence[Sequence[str]]) -> str:
    """Return lines as a table. The first one is its head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = [f"{'':-<{width}}" for width in widths]
    return "\n".join(_row(each, widths) for each in (lines[0], rule, *lines[1:]))


def _row(cells: Iterable[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)) + " |"
