"""The doctor, of policies: those that projectors have read are compared with those on the topic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import doctor
from services.stint_cli.watch.diagnosis import Diagnosis
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy, Preset
from shared.kafka.clients import KafkaAddress

SET_AT: Final = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
KAFKA: Final = KafkaAddress(bootstrap_servers="kafka:9092")


def row(revision: int, replaces: int | None = None, tenant: str = "acme", set_by: str = "ann") -> dict[str, Any]:
    return {"revision": revision, "tenant": tenant, "replaces": replaces, "set_by": set_by, "set_at": SET_AT}


# Void records lie between them.
ROWS: Final = [row(0), row(1, tenant="other"), row(3, 0), row(4, 3)]


def topic_of(*rows: dict[str, Any]) -> PolicyBook:
    book = PolicyBook()
    for one in rows:
        said = {name: value for name, value in one.items() if name not in {"tenant", "revision"}}
        record = PolicyRecord(document=Policy(preset=Preset.NATIVE, zone="UTC"), **said)
        book.apply(one["revision"], one["tenant"].encode(), record.model_dump_json(by_alias=True).encode(), SET_AT)
    return book


@dataclass
class Rows:
    """Stands in for a connection to Postgres with these rows of `policy`."""

    there: list[dict[str, Any]]

    async def fetch(self, _: str) -> list[dict[str, Any]]:
        return self.there


async def found(
    monkeypatch: pytest.MonkeyPatch, topic: PolicyBook | Trouble, rows: list[dict[str, Any]] = ROWS
) -> Diagnosis:
    async def read(_: KafkaAddress) -> PolicyBook:
        if isinstance(topic, Trouble):
            raise topic
        return topic

    monkeypatch.setattr(doctor, "read_policies", read)
    conn: Any = Rows(rows)
    return await doctor._policies(conn, KAFKA)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:2], [], ROWS[-1:]], ids=["all", "the first", "none", "the last"])
async def test_a_topic_that_has_all_that_was_read_is_well(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]
) -> None:
    """An older dump was restored, or projectors have not written the newest yet."""
    told = await found(monkeypatch, topic_of(*ROWS), rows)
    assert (told.advice, told.found.split()[2:4]) == (None, ["all", str(len(rows))])


@pytest.mark.parametrize(
    ("topic", "lacking"),
    [
        (ROWS[:2], [3, 4]),
        ([], [0, 1, 3, 4]),
        ([row(0, set_by="bob"), row(1, tenant="other"), row(3, 0), row(4, 3), row(5, 4)], [0]),
        ([row(0), row(1, tenant="third"), row(3, 0), row(4, 3)], [1]),
    ],
    ids=["shorter", "empty", "set by another person", "of another tenant"],
)
async def test_a_topic_that_lacks_what_was_read_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, topic: list[dict[str, Any]], lacking: list[int]
) -> None:
    told = (await found(monkeypatch, topic_of(*topic))).as_json
    assert told["went_back"] == lacking
    assert told["found"].endswith(f"it lacks {len(lacking)} revisions, from {lacking[0]} on")
    assert "`policies_went_back`" in told["advice"]


async def test_a_topic_that_cannot_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    told = await found(monkeypatch, Trouble("A policy was written by a newer release: run the commands of that one."))
    assert (told.check, told.found[:8], told.advice is None) == ("policies", "A policy", False)
