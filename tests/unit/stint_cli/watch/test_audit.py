"""`stint audit` believes the program beside it only when that program came to its end."""

import sys
from pathlib import Path

import pytest

from services.stint_cli.settings import LogSettings
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch.audit import differences, environment

LOG = LogSettings(kafka_bootstrap_servers="kafka:9092")
DIFFERENCE = '{"partition": 3, "offset": 7, "fields": ["flags"], "recorded": null, "today": null}'


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, status: int, complaint: str = "") -> None:
    """Put a program in the place of Python."""
    script = folder / "python"
    said = "".join(f"echo '{line}'\n" for line in lines)
    script.write_text(f"#!/bin/sh\n{said}echo '{complaint}' >&2\nexit {status}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


async def test_differences_and_the_count_of_events_are_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, DIFFERENCE, '{"events": 12, "differences": 1}', status=1)
    found, events = await differences(LOG, 12, None)
    assert ([(one["partition"], one["offset"]) for one in found], events) == ([(3, 7)], 12)


@pytest.mark.parametrize("lines", [(), (DIFFERENCE,)])
async def test_an_audit_that_broke_off_is_no_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...]
) -> None:
    """A crash of Python ends with 1 too."""
    program(tmp_path, monkeypatch, *lines, status=1, complaint="KafkaError: away")
    with pytest.raises(Trouble, match="ended before its end: KafkaError: away"):
        await differences(LOG, 12, None)


def test_the_projectors_settings_are_ours() -> None:
    assert environment(LOG) == {
        "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "PROJECTOR_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "PROJECTOR_KAFKA_MECHANISM": "SCRAM-SHA-512",
    }
