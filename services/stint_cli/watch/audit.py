"""The audit: presses judged again by the projector's own program, and what it found."""

import json
from dataclasses import dataclass
from typing import Any, Final

from services.stint_cli.projector import environment_of, started, why_it_ended
from shared.settings import KafkaSettings

_DIFFERENT: Final = 1
WHY: Final = {
    "newer_event": "an event of a newer release, whose `stint audit` reads it",
    "newer_outcome": "an outcome of a newer release, whose `stint audit` reads it",
    "newer_policy": "a press under a policy that this release cannot read (a newer release wrote it, or it needs newer "
    "time zones), or under one after it: audit with that release",
    "no_outcomes": "presses and no outcome on timer.outcomes.v1: they were made just now, which a second audit tells; "
    "or no projector has judged them; or the topic was emptied",
}


@dataclass(frozen=True, slots=True)
class Audited:
    """Every press whose verdict would be another today, how many events were read, and what could not be judged.

    `broke_off`: why the audit did not come to its end. Then `events` is 0, and the rest is what was found before.
    """

    differences: list[dict[str, Any]]
    events: int
    unjudged: list[dict[str, Any]]
    broke_off: str | None = None

    @property
    def as_json(self) -> list[dict[str, Any]]:
        """All of it as JSON."""
        return [*self.differences, *self.unjudged]

    @property
    def text(self) -> str:
        """All of it for people, a line each."""
        lines = [f"{one['partition']}:{one['offset']}  {', '.join(one['fields'])}" for one in self.differences]
        lines += [
            f"{one['partition']}:{one['from']}  not judged from here on: {WHY[one['why']]}" for one in self.unjudged
        ]
        if self.broke_off is not None:
            return "\n".join([*lines, f"{len(self.differences)} differences were found until then."])
        if self.differences:
            return "\n".join([*lines, f"{len(self.differences)} of {self.events} events differ today."])
        ended = f" in what was judged; {len(self.unjudged)} partitions were not judged to their end"
        return "\n".join([*lines, f"{self.events} events, no difference{ended if self.unjudged else ''}."])


async def audited(settings: KafkaSettings, partitions: int, tenant: str | None) -> Audited:
    """Return what an audit of all partitions finds."""
    arguments = ["--partitions", str(partitions), *(() if tenant is None else ("--tenant", tenant))]
    process = await started("audit", arguments, environment_of(settings, KafkaSettings))
    found, complaints = await process.communicate()
    # A program that was killed while it wrote leaves a piece of a line.
    lines = [json.loads(line) for line in found.splitlines(keepends=True) if line.endswith(b"\n")]
    # A difference and a crash both end with 1, and only an audit that came to its end counts what it read.
    if process.returncode not in {0, _DIFFERENT} or not lines or "events" not in lines[-1]:
        why = why_it_ended(process.returncode or 0, complaints.decode(errors="replace"))
        return Audited(lines, 0, [], f"The audit ended before its end: {why}.")
    return Audited(lines[:-1], lines[-1]["events"], lines[-1]["unjudged"])
