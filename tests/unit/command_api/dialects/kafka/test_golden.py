"""Recorded commands: each is for ever the same press. Files are added beside them, and never edited."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from services.command_api.desk.commands import Asked, Caller
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.dialects.kafka.reading import ParsedCommand, read_command
from services.command_api.submit.press import press_of
from tests.support.fakes.desks import ANY_TIME

GOLDEN: Final = Path(__file__).resolve().parents[4] / "golden" / "commands"
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_recorded_command_is_the_press_that_it_was(path: Path) -> None:
    golden = json.loads(path.read_text(encoding="utf-8"))
    headers = [(name, value.encode()) for name, value in golden["headers"].items()]
    said = read_command(CommandRecord(0, 0, b"dana", json.dumps(golden["value"]).encode(), headers, NOON), ANY_TIME)
    assert isinstance(said, ParsedCommand)
    asked = Asked(said.command, Caller(said.tenant, said.client, "machine"), "kafka", said.key)
    press = press_of(asked, now=NOON, expires_after=timedelta(seconds=30))
    assert golden["press"] == {
        "ce_id": str(press.event_id),
        "ce_type": press.event.type,
        "slot": press.slot,
        "value": json.loads(press.body()),
    }
    assert {"start.v1", "pause.v1", "resume.v1", "stop.v1"} <= {path.stem for path in GOLDEN.glob("*.json")}
