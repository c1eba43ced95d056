"""The projector of the next release: it says more in each outcome, and reads what the next release's API says.

`python -m tests.faults.next_projector`. With NEXT_PROJECTOR_UNPUBLISHED set, what it commits is published by others.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import uvloop

from services.projector.__main__ import main
from services.projector.domain import fold
from services.projector.kafka.outcomes import KafkaOutcomeLog
from services.projector.ports import ToPublish
from services.projector.settings import Settings
from shared.events.models import BODY_OF
from shared.events.outcome import Outcome, write_outcome
from shared.process.logs import configure_logging
from shared.settings import read_settings


def say_more(outcome: Outcome) -> bytes:
    """Write an outcome with a member more in every object, and with a role that this release has never heard of."""
    said = _more(json.loads(write_outcome(outcome)))
    if said["actor"] is not None:
        said["actor"]["role"] = "kiosk"
    return json.dumps(said).encode()


def _more(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _more(inner) for name, inner in value.items()} | {"mood": {"of": ["the next release"]}}
    return [_more(inner) for inner in value] if isinstance(value, list) else value


class _Mood:
    """Reads a body that may have the next release's member."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - a TypeAdapter of an event
        self._body = body

    def validate_json(self, value: bytes) -> Any:  # noqa: ANN401 - an event
        try:
            said = json.loads(value)
            said.pop("mood", None)
        except (ValueError, AttributeError):
            return self._body.validate_json(value)
        return self._body.validate_json(json.dumps(said))


async def _publish_nothing(_: KafkaOutcomeLog, kpart: int, outcomes: Sequence[ToPublish]) -> int:
    await asyncio.Event().wait()
    raise AssertionError(kpart, outcomes)


if __name__ == "__main__":
    fold.write_outcome = say_more  # type: ignore[attr-defined] # it is there under its imported name
    for type_, body in BODY_OF.items():
        BODY_OF[type_] = _Mood(body)  # type: ignore[assignment] # it reads, and nothing more is asked of it
    if "NEXT_PROJECTOR_UNPUBLISHED" in os.environ:
        KafkaOutcomeLog.publish = _publish_nothing  # type: ignore[method-assign, assignment]
    configure_logging("next-projector")
    sys.exit(uvloop.run(main(read_settings(Settings))))
