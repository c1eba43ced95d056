"""The audit is the projector's own. It runs as a program beside this one, because services never import each other."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.stint_cli.terminal.failures import why_it_ended
from shared.settings import KafkaSettings

_ROOT: Final = Path(__file__).resolve().parents[3]
# An outcome that changes two hundred timers is a long line.
_LINE_BYTES_MAX: Final = 64 * 1024 * 1024
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
    def told(self) -> list[dict[str, Any]]:
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
    asked = ["--partitions", str(partitions), *(() if tenant is None else ("--tenant", tenant))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "audit", *asked),
        cwd=_ROOT,
        env=os.environ | environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    said, complaints = await process.communicate()
    # One that was killed while it wrote leaves a piece of a line.
    lines = [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
    # A difference and a crash both end with 1, and only an audit that came to its end counts what it read.
    if process.returncode not in {0, _DIFFERENT} or not lines or "events" not in lines[-1]:
        why = why_it_ended(process.returncode or 0, complaints.decode(errors="replace"))
        return Audited(lines, 0, [], f"The audit ended before its end: {why}.")
    return Audited(lines[:-1], lines[-1]["events"], lines[-1]["unjudged"])


def environment(settings: KafkaSettings) -> Mapping[str, str]:
    """Return our address of Kafka as settings of the projector."""
    values = {name: getattr(settings, name) for name in KafkaSettings.model_fields}
    return {f"PROJECTOR_{name}".upper(): str(value) for name, value in values.items() if value is not None}
