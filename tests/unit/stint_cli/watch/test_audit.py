"""`stint audit` prints what the program beside it found, and believes it only when that program came to its end."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import pytest

from services.stint_cli.__main__ import main
from services.stint_cli.projector import environment_of
from services.stint_cli.settings import LogSettings
from services.stint_cli.watch import commands
from services.stint_cli.watch.audit import WHY, Audited, audited
from shared.settings import KafkaSettings

LOG = LogSettings(kafka_bootstrap_servers="kafka:9092")
DIFFERENCE = '{"partition": 3, "offset": 7, "fields": ["flags"], "recorded": null, "today": null}'


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, status: int, complaint: str = "") -> None:
    """Put a program in the place of Python. It leaves its arguments in the file `asked`."""
    script = folder / "python"
    said = "".join(f"echo '{line}'\n" for line in lines)
    script.write_text(f"#!/bin/sh\necho \"$*\" > {folder}/asked\n{said}echo '{complaint}' >&2\nexit {status}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


async def test_differences_and_the_count_of_events_are_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, DIFFERENCE, '{"events": 12, "differences": 1, "unjudged": []}', status=1)
    assert await audited(LOG, 12, None) == Audited([json.loads(DIFFERENCE)], 12, [])


class Connection:
    """Stands in for Postgres: P is 12, and every tenant is there."""

    async def fetchval(self, sql: str, *_: object) -> object:
        return 12 if "deployment" in sql else True


NO_VERDICT: Final = '{"partition": 5, "offset": 40, "fields": ["verdict", "rule"], "recorded": {}, "today": null}'
NEWER: Final = {"partition": 4, "from": 9, "why": "newer_event"}
NEWER_OUTCOME: Final = {"partition": 4, "from": 10, "why": "newer_outcome"}
NEWER_POLICY: Final = {"partition": 5, "from": 11, "why": "newer_policy"}
EMPTIED: Final = {"partition": 6, "from": 0, "why": "no_outcomes"}
BOTH: Final = (DIFFERENCE, NO_VERDICT)


UNJUDGED: Final = (
    f"4:9  not judged from here on: {WHY['newer_event']}\n6:0  not judged from here on: {WHY['no_outcomes']}\n"
    "12 events, no difference in what was judged; 2 partitions were not judged to their end.\n"
)


UNJUDGED_OF_NEWER: Final = (
    f"4:10  not judged from here on: {WHY['newer_outcome']}\n5:11  not judged from here on: {WHY['newer_policy']}\n"
)


@pytest.mark.parametrize(
    ("found", "unjudged", "status", "text"),
    [
        ((), (), 0, "12 events, no difference.\n"),
        (BOTH, (), 1, "3:7  flags\n5:40  verdict, rule\n2 of 12 events differ today.\n"),
        (
            (),
            (NEWER, EMPTIED),
            1,
            UNJUDGED,
        ),
        (
            BOTH,
            (NEWER_OUTCOME, NEWER_POLICY),
            1,
            "3:7  flags\n5:40  verdict, rule\n" + UNJUDGED_OF_NEWER + "2 of 12 events differ today.\n",
        ),
    ],
)
def test_each_difference_is_a_line_and_any_ends_the_command_with_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: tuple[str, ...],
    unjudged: tuple[dict[str, object], ...],
    status: int,
    text: str,
) -> None:
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://stint@postgres/stint")
    monkeypatch.setattr(commands, "opened", lambda _: nullcontext(Connection()))
    monkeypatch.setattr(commands, "Brokers", lambda _: nullcontext())
    last = json.dumps({"events": 12, "differences": len(found), "unjudged": unjudged})
    program(tmp_path, monkeypatch, *found, last, status=status)
    assert (main(["audit", "--tenant", "acme"]), *capsys.readouterr()) == (status, text, "")
    asked = (tmp_path / "asked").read_text()
    assert asked == "-m services.projector audit --partitions 12 --tenant acme\n"
    assert main(["audit", "--json"]) == status
    assert json.loads(capsys.readouterr().out) == [*map(json.loads, found), *unjudged]


@pytest.mark.parametrize("lines", [(), (DIFFERENCE,)])
def test_an_audit_that_broke_off_tells_what_it_found_and_why_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...]
) -> None:
    """A crash of Python ends with 1 too."""
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", "postgresql://stint@postgres/stint")
    monkeypatch.setattr(commands, "opened", lambda _: nullcontext(Connection()))
    monkeypatch.setattr(commands, "Brokers", lambda _: nullcontext())
    program(tmp_path, monkeypatch, *lines, status=1, complaint="KafkaError: away")
    assert main(["audit"]) == 1
    said = capsys.readouterr()
    found = [f"{one['partition']}:{one['offset']}  flags" for one in map(json.loads, lines)]
    assert said.out.splitlines() == [*found, f"{len(lines)} differences were found until then."]
    assert said.err == "stint: The audit ended before its end: KafkaError: away.\n"
    assert main(["audit", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [*map(json.loads, lines)]


def test_the_projectors_settings_are_ours() -> None:
    assert environment_of(LOG, KafkaSettings) == {
        "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "PROJECTOR_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "PROJECTOR_KAFKA_MECHANISM": "SCRAM-SHA-512",
    }
