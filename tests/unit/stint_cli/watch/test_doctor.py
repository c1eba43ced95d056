"""What `doctor` says of each part, and what to do about it."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest
from aiokafka.errors import GroupAuthorizationFailedError
from pydantic import SecretStr

from services.stint_cli.brokers import FoundTopic, safety
from services.stint_cli.deployment.migrate import Migration, read_migrations
from services.stint_cli.deployment.topics import WHAT_IF_LOST
from services.stint_cli.settings import DoctorSettings
from services.stint_cli.watch import doctor
from services.stint_cli.watch.diagnosis import Diagnosis
from services.stint_cli.watch.doctor import examine, of_a_partition, of_the_commands
from services.stint_cli.watch.log import Held
from services.stint_cli.watch.places.commands import Unsettled
from services.stint_cli.watch.places.partitions import Watched
from shared.events.topics import EVENTS, REPLIES, TEXTS, topics

WELL = Watched(
    kpart=3,
    log=Held(0, 40),
    stream=Held(0, 25),
    next_offset=40,
    outcomes_next=24,
    published=40,
    unpublished=0,
    projector="10.0.0.7",
)


@pytest.mark.parametrize(
    ("place", "stuck", "state", "advised"),
    [
        (WELL, False, "judged", None),
        (replace(WELL, next_offset=30), False, "catching up", None),
        (replace(WELL, unpublished=2), False, "catching up", None),
        (replace(WELL, next_offset=30), True, "stuck", "10.0.0.7"),
        (replace(WELL, unpublished=2), True, "not published", "producer_broken"),
        (replace(WELL, projector=None), False, "no projector", "Start a projector"),
        (replace(WELL, next_offset=None, outcomes_next=None), False, "no checkpoint", "stint topics"),
        (replace(WELL, next_offset=41), False, "the log went back", "log_went_back"),
        (replace(WELL, log=Held(41, 50)), False, "the log went back", "log_went_back"),
        (replace(WELL, stream=Held(0, 24)), False, "judged", None),
        (replace(WELL, stream=Held(0, 23)), False, "the judged stream went back", "log_went_back"),
        (replace(WELL, stream=Held(25, 25)), False, "the judged stream went back", "log_went_back"),
    ],
)
def test_each_state_of_a_partition_is_named_with_what_to_do(
    place: Watched,
    stuck: bool,  # noqa: FBT001 - a parameter of the table above
    state: str,
    advised: str | None,
) -> None:
    finding = of_a_partition(place, stuck=stuck)
    assert finding.found.startswith(f"{state}, lag {place.lag}, unpublished outcomes {place.unpublished}")
    assert finding.as_json["ok"] is (advised is None)
    if advised is not None:
        assert advised in (finding.advice or "")
        assert finding.line.splitlines()[1].split()[0] == "do:"


SETTLED = Unsettled(partition=0, begin=5, end=40, committed=40, reader="10.0.0.8")


@pytest.mark.parametrize(
    ("place", "stuck", "lag", "advised"),
    [
        (SETTLED, False, 0, None),
        (replace(SETTLED, committed=30), False, 10, None),
        (replace(SETTLED, committed=None), False, 35, None),
        (replace(SETTLED, reader=None), False, 0, None),
        (replace(SETTLED, committed=30), True, 10, "Partitions 0 stand still"),
        (replace(SETTLED, committed=30, reader=None), True, 10, "COMMAND_API_COMMANDS_AT_ONCE"),
        (replace(SETTLED, committed=3), False, 35, "send them again"),
    ],
)
def test_commands_that_wait_or_are_lost_are_told_with_what_to_do(
    place: Unsettled,
    stuck: bool,  # noqa: FBT001 - a parameter of the table above
    lag: int,
    advised: str | None,
) -> None:
    """A partition that no API reads is well while nobody writes to it: a deployment may read no commands at all."""
    other = replace(SETTLED, partition=1)
    finding = of_the_commands([place, other], {0} if stuck else set())
    assert finding.found.startswith(f"lag {lag}, and APIs read {2 if place.reader else 1} of 2 partitions")
    assert (advised is None, finding.as_json["lag"]) == (finding.advice is None, lag)
    assert (advised or "") in (finding.advice or "")


def test_a_partition_moves_when_its_checkpoint_or_its_judged_stream_does() -> None:
    behind = replace(WELL, next_offset=30, published=28, unpublished=2)
    assert behind.moved_since(replace(behind, next_offset=29))
    assert behind.moved_since(replace(behind, published=27))
    assert not behind.moved_since(replace(behind, log=Held(0, 99), unpublished=3))


def test_more_unpublished_outcomes_than_are_counted_are_told_as_such() -> None:
    assert of_a_partition(replace(WELL, unpublished=9_999), stuck=False).found.endswith(" 9999")
    assert of_a_partition(replace(WELL, unpublished=10_000), stuck=False).found.endswith(" 10000 or more")


@dataclass
class Connection:
    """Stands in for a connection to Postgres: answers each query as the first of these that is in its text."""

    said: Mapping[str, object]

    def _said(self, sql: str) -> Any:  # noqa: ANN401 - what the test says
        said = next(said for name, said in self.said.items() if name in sql)
        if isinstance(said, Exception):
            raise said
        return said

    async def fetchval(self, sql: str) -> Any:  # noqa: ANN401 - as asyncpg
        return self._said(sql)

    async def fetch(self, sql: str) -> Any:  # noqa: ANN401 - as asyncpg
        return self._said(sql)


NO_TABLES: Final = asyncpg.UndefinedTableError("relation does not exist")


@pytest.mark.parametrize(
    ("ahead", "found", "is_wrong"),
    [
        (0.0, "0.0 s behind", False),
        (10.0, "10.0 s ahead of", False),
        (10.1, "10.1 s ahead of", True),
        (-10.0, "10.0 s behind", False),
        (-10.1, "10.1 s behind", True),
    ],
)
def test_a_clock_more_than_ten_seconds_off_is_wrong_either_way(ahead: float, found: str, *, is_wrong: bool) -> None:
    told = doctor._clock("clock", "Postgres'", timedelta(seconds=ahead)).as_json
    advice = "Correct the clock that is wrong (NTP)." if is_wrong else None
    assert told == {
        "check": "clock",
        "ok": not is_wrong,
        "found": f"Postgres' clock is {found} the one here",
        "advice": advice,
        "ahead_seconds": ahead,
    }


@pytest.mark.parametrize(("minutes", "is_wrong"), [(0, False), (1, True), (-1, True)])
async def test_the_clock_of_postgres_is_compared_with_the_one_here(minutes: int, *, is_wrong: bool) -> None:
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    answers = {"clock_timestamp": now, "server_version": "18.1", "schema_migration": NO_TABLES, "to_regrole": ()}
    conn: Any = Connection(answers)
    postgres, clock, *_ = [found async for found in doctor._of_postgres(conn)]
    assert (postgres.line, clock.check, clock.as_json["ok"]) == (
        f"ok     {'postgres':<14}  Postgres 18.1",
        "clock",
        not is_wrong,
    )
    assert clock.as_json["ahead_seconds"] == pytest.approx(60 * minutes, abs=5)


@pytest.mark.parametrize(
    ("newest", "is_wrong"),
    [(None, False), (timedelta(hours=-8), False), (timedelta(seconds=5), False), (timedelta(minutes=1), True)],
)
async def test_brokers_ahead_are_seen_by_the_newest_press_and_a_quiet_night_is_not(
    newest: timedelta | None, *, is_wrong: bool
) -> None:
    at = None if newest is None else datetime.now(UTC) + newest
    conn: Any = Connection({"last_log_time": at})
    found = await doctor._brokers_clock(conn)
    assert (found.check, found.advice is not None) == ("brokers' clock", is_wrong)


def applied(migrations: list[Migration]) -> list[tuple[int, str, str]]:
    return [(one.version, one.name, one.sha256) for one in migrations]


OURS: Final = read_migrations()
NEWER: Final = Migration(len(OURS) + 1, "9999_of_another_release.sql", "SELECT 1;")


@pytest.mark.parametrize(
    ("rows", "found", "advice"),
    [
        (NO_TABLES, "there are none yet", "Run `stint migrate`, then `stint topics`."),
        (applied(OURS[:-2]), f"{OURS[-2].name}, {OURS[-1].name} is not applied", "Run `stint migrate`."),
        (applied(OURS), f"all {len(OURS)} migrations are applied", None),
        (
            applied([*OURS, NEWER]),
            "The database has seen 9999_",
            "Run the commands of the release that this database has.",
        ),
    ],
)
async def test_tables_that_are_not_those_of_this_release_are_told(rows: object, found: str, advice: str | None) -> None:
    conn: Any = Connection({"schema_migration": rows})
    told = await doctor._tables(conn)
    assert (told.check, told.found[: len(found)], told.advice) == ("tables", found, advice)


@dataclass
class Cluster:
    """Stands in for Kafka's administration: one broker, with these topics."""

    there: Mapping[str, FoundTopic]

    async def find(self, names: list[str]) -> Mapping[str, FoundTopic]:
        return {name: self.there[name] for name in names if name in self.there}

    async def replicas(self) -> int:
        return 1


WHOLE: Final = {topic.name: FoundTopic(topic.partitions, 1, topic.config | safety(1)) for topic in topics(12)}


SETTINGS: Final = DoctorSettings(
    kafka_bootstrap_servers="kafka:9092", postgres_dsn=SecretStr("postgresql://stint@postgres/stint")
)


async def of_both(recorded: object, there: Mapping[str, FoundTopic], *, has_history: object = False) -> list[Diagnosis]:
    """Return what is found of Kafka and Postgres together, where a topic keeps from looking at the partitions."""
    conn: Any = Connection({"EXISTS": has_history, "deployment": recorded})
    brokers: Any = Cluster(there)
    log: Any = None
    return [found async for found in doctor._of_both(conn, brokers, log, SETTINGS)]


async def test_a_deployment_without_its_number_of_partitions_is_told_and_no_further_looked_at() -> None:
    assert await of_both(NO_TABLES, WHOLE) == []
    [found] = await of_both(None, WHOLE)
    assert (found.found, found.advice) == ("P is not recorded", "Run `stint topics --partitions P`, with P for life.")


async def test_a_topic_that_is_missing_and_one_that_is_wrongly_set_are_each_told() -> None:
    forgetful = replace(WHOLE[TEXTS], config=dict(WHOLE[TEXTS].config) | {"cleanup.policy": "delete"})
    found = await of_both(12, {name: topic for name, topic in WHOLE.items() if name != EVENTS} | {TEXTS: forgetful})
    told = [(one.check, one.found, (one.advice or "")[:13]) for one in found]
    assert told == [
        ("kafka", f"Kafka, with {len(WHOLE) - 1} of {len(WHOLE)} topics", ""),
        ("partitions", "P is 12", ""),
        ("topics", f"{EVENTS} is missing", "Run `stint to"),
        ("topics", f"{TEXTS} has cleanup.policy=delete, not compact", "Correct it by"),
    ]


async def test_a_topic_that_is_missing_under_a_history_is_not_to_be_made_anew() -> None:
    """The advice to make it was followed: presses were answered 202, and gone when the right log came back."""
    there = {name: topic for name, topic in WHOLE.items() if name not in {EVENTS, REPLIES}}
    told = {one.found: one.advice for one in await of_both(12, there, has_history=True) if one.advice}
    assert told == {
        f"{EVENTS} is missing, and this deployment has history": WHAT_IF_LOST,
        f"{REPLIES} is missing": "Run `stint topics`.",
    }


async def test_a_topic_with_another_number_of_partitions_is_told() -> None:
    found = await of_both(12, WHOLE | {EVENTS: replace(WHOLE[EVENTS], partitions=3)})
    assert [one.found for one in found if one.advice] == [f"{EVENTS} has 3 partitions, not 12"]


async def test_what_is_found_before_kafka_refuses_something_is_told_beside_the_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(*_: object) -> None:
        raise GroupAuthorizationFailedError("stint.projector")

    now = {"clock_timestamp": datetime.now(UTC), "last_log_time": None}
    answers = {"server_version": "18.1", "schema_migration": applied(OURS), "to_regrole": (), "deployment": 12}
    conn = Connection(answers | now)
    monkeypatch.setattr(doctor, "opened", lambda _: nullcontext(conn))
    monkeypatch.setattr(doctor, "Brokers", lambda _: nullcontext(Cluster(WHOLE)))
    monkeypatch.setattr(doctor, "LogReader", nullcontext)
    monkeypatch.setattr(doctor, "Partitions", refuses)
    found = await examine(SETTINGS, None)
    well = ["postgres", "clock", "tables", "roles", "kafka", "partitions", "topics", "brokers' clock"]
    assert [one.check for one in found if one.advice is None] == well
    [wrong] = [one for one in found if one.advice]
    assert (wrong.check, "GroupAuthorizationFailed" in wrong.found) == ("kafka", True)
    assert "the rights of `stint-operator`" in (wrong.advice or "")


@pytest.mark.parametrize(
    ("failing", "well"),
    [("server_version", []), ("to_regrole", ["postgres", "clock", "tables"])],
)
async def test_postgres_that_fails_after_it_answered_is_a_finding(
    failing: str, well: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost at a later query: what was found before is told, and nothing is asked of both."""
    answers: dict[str, object] = {"clock_timestamp": datetime.now(UTC), "server_version": "18.1"}
    answers |= {"schema_migration": applied(OURS), "to_regrole": ()}
    conn = Connection(answers | {failing: asyncpg.ConnectionDoesNotExistError("connection was closed")})
    monkeypatch.setattr(doctor, "opened", lambda _: nullcontext(conn))
    monkeypatch.setattr(doctor, "Brokers", lambda _: nullcontext(Cluster(WHOLE)))
    monkeypatch.setattr(doctor, "LogReader", nullcontext)
    found = await examine(SETTINGS, None)
    assert [one.check for one in found if one.advice is None] == well
    [wrong] = [one for one in found if one.advice]
    assert (wrong.check, wrong.found) == ("postgres", "Postgres answered, and then failed: connection was closed")


async def test_postgres_that_refuses_a_question_about_partitions_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, object] = {"clock_timestamp": datetime.now(UTC), "server_version": "18.1"}
    answers |= {"schema_migration": applied(OURS), "to_regrole": ()}
    conn = Connection(answers | {"deployment": asyncpg.InsufficientPrivilegeError("permission denied")})
    monkeypatch.setattr(doctor, "opened", lambda _: nullcontext(conn))
    monkeypatch.setattr(doctor, "Brokers", lambda _: nullcontext(Cluster(WHOLE)))
    monkeypatch.setattr(doctor, "LogReader", nullcontext)
    [wrong] = [one for one in await examine(SETTINGS, None) if one.advice]
    assert (wrong.check, "permission denied" in wrong.found) == ("postgres", True)
    assert "the owner of the tables" in (wrong.advice or "")
