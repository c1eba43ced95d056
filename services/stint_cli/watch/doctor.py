"""doctor: every check of a running deployment, and what to do about each thing that is wrong.

A part that cannot be reached is one finding, and what needs that part is not checked.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from services.stint_cli.brokers import Brokers, FoundTopic
from services.stint_cli.database import clock_ahead, opened
from services.stint_cli.deployment.migrate import Applied, outstanding, read_migrations
from services.stint_cli.deployment.topics import WHAT_IF_LOST, differences, lost
from services.stint_cli.policies import read_policies
from services.stint_cli.settings import DoctorSettings
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch.dead_letters import of_the_dead_letters
from services.stint_cli.watch.diagnosis import Diagnosis
from services.stint_cli.watch.log import LogReader
from services.stint_cli.watch.places.commands import CommandPartitions, Unsettled
from services.stint_cli.watch.places.partitions import UNPUBLISHED_MAX, Partitions, Watched
from services.stint_cli.watch.processes import of_the_api, of_the_feed
from shared.events.topics import COMMANDS, OUTCOMES, POLICIES, TEXTS, Topic, topics
from shared.kafka.clients import KafkaAddress, KafkaError

# As far apart as an API takes the clocks to be, by default, before it is not ready.
_CLOCKS_APART_MAX: Final = timedelta(seconds=10)
# What a query raises when Postgres refuses it, or ends the connection.
_QUERY_FAILED: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)


async def examine(settings: DoctorSettings, http_url: str | None) -> list[Diagnosis]:
    """Run every check. Raises nothing because a part is away: that is a finding."""
    async with AsyncExitStack() as open_parts:
        found: list[Diagnosis] = []
        conn = brokers = log = None
        try:
            conn = await open_parts.enter_async_context(opened(settings))
            if not await _tell(found, _of_postgres(conn)):
                conn = None
        except Trouble as trouble:
            found.append(Diagnosis("postgres", str(trouble), "Start Postgres, or correct STINT_CLI_POSTGRES_DSN."))
        try:
            brokers = await open_parts.enter_async_context(Brokers(settings.kafka))
            log = await open_parts.enter_async_context(LogReader(settings.kafka))
        except Trouble as trouble:
            advice = "Start Kafka, or correct STINT_CLI_KAFKA_BOOTSTRAP_SERVERS and the settings of its login."
            found.append(Diagnosis("kafka", str(trouble), advice))
        if conn is not None and brokers is not None and log is not None:
            try:
                await _tell(found, _of_both(conn, brokers, log, settings))
            except (Trouble, KafkaError) as error:
                why = str(error) or type(error).__name__
                advice = (
                    "Look at Kafka, and give this user the rights of `stint-operator` (deploy/k8s/examples/kafka.yaml)."
                )
                found.append(Diagnosis("kafka", why, advice))
    if http_url is not None:
        found.append(await asyncio.to_thread(of_the_api, http_url))
    if settings.feed_url is not None:
        found.append(await asyncio.to_thread(of_the_feed, settings.feed_url))
    return found


async def _tell(found: list[Diagnosis], findings: AsyncIterator[Diagnosis]) -> bool:
    """Add each finding when it comes: what is found before a part fails stays. Return whether Postgres answered all."""
    try:
        async for finding in findings:
            found.append(finding)  # noqa: PERF401 - what came before a failure is kept
    except TimeoutError:
        stands = "Postgres takes connections, and does not answer a query in time"
        found.append(Diagnosis("postgres", stands, "Look in pg_stat_activity and pg_locks for what it waits for."))
        return False
    except _QUERY_FAILED as error:
        why = str(error) or type(error).__name__
        advice = "Look at Postgres' log, and let STINT_CLI_POSTGRES_DSN name the owner of the tables."
        found.append(Diagnosis("postgres", f"Postgres answered, and then failed: {why}", advice))
        return False
    return True


async def _of_postgres(conn: asyncpg.Connection) -> AsyncIterator[Diagnosis]:
    ahead = await clock_ahead(conn)
    version = await conn.fetchval("SHOW server_version")
    yield Diagnosis("postgres", f"Postgres {version}")
    yield _clock("clock", "Postgres'", ahead)
    yield await _tables(conn)
    yield await _roles(conn)


def _clock(check: str, whose: str, ahead: timedelta) -> Diagnosis:
    seconds = ahead.total_seconds()
    found = f"{whose} clock is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} the one here"
    wrong = abs(ahead) > _CLOCKS_APART_MAX
    return Diagnosis(
        check, found, "Correct the clock that is wrong (NTP)." if wrong else None, {"ahead_seconds": seconds}
    )


async def _tables(conn: asyncpg.Connection) -> Diagnosis:
    try:
        rows = await conn.fetch(query("applied_migrations"))
        todo = outstanding(read_migrations(), [Applied(*row) for row in rows])
    except asyncpg.UndefinedTableError:
        return Diagnosis("tables", "there are none yet", "Run `stint migrate`, then `stint topics`.")
    except Trouble as trouble:
        return Diagnosis("tables", str(trouble), "Run the commands of the release that this database has.")
    if todo:
        return Diagnosis("tables", f"{', '.join(one.name for one in todo)} is not applied", "Run `stint migrate`.")
    return Diagnosis("tables", f"all {len(rows)} migrations are applied")


async def _roles(conn: asyncpg.Connection) -> Diagnosis:
    powerless = [row["role"] for row in await conn.fetch(query("roles_without_rights"))]
    if powerless:
        return Diagnosis("roles", f"{', '.join(powerless)} may read nothing here", "Run `stint migrate`.")
    return Diagnosis("roles", "each role of a service that is there has rights")


async def _of_both(
    conn: asyncpg.Connection, brokers: Brokers, log: LogReader, settings: DoctorSettings
) -> AsyncIterator[Diagnosis]:
    try:
        recorded: int | None = await conn.fetchval(query("recorded_partitions"))
    except asyncpg.UndefinedTableError:
        return
    if recorded is None:
        yield Diagnosis("partitions", "P is not recorded", "Run `stint topics --partitions P`, with P for life.")
        return
    wanted = topics(recorded)
    there = await brokers.find([topic.name for topic in wanted])
    yield Diagnosis("kafka", f"Kafka, with {len(there)} of {len(wanted)} topics")
    yield Diagnosis("partitions", f"P is {recorded}")
    gone = await lost(conn, [topic for topic in wanted if topic.name not in there])
    for finding in _of_topics(wanted, there, settings.replication_factor or await brokers.replicas(), gone):
        yield finding
    if any(topic.name not in there or there[topic.name].partitions != topic.partitions for topic in wanted):
        return
    yield await _brokers_clock(conn)
    places, stuck = await Partitions(conn, log, brokers, settings.group_id).watch(recorded)
    for place in places:
        yield of_a_partition(place, stuck=place.kpart in stuck)
    yield await _texts(conn, log, recorded)
    yield await _policies(conn, settings.kafka)
    commands = CommandPartitions(log, brokers, settings.commands_group_id)
    yield of_the_commands(*await commands.watch(there[COMMANDS].partitions))
    yield await of_the_dead_letters(conn, log)


def _of_topics(
    wanted: Sequence[Topic], there: Mapping[str, FoundTopic], replication_factor: int, gone: Sequence[str]
) -> list[Diagnosis]:
    found = [
        Diagnosis("topics", f"{topic.name} is missing, and this deployment has history", WHAT_IF_LOST)
        if topic.name in gone
        else Diagnosis("topics", f"{topic.name} is missing", "Run `stint topics`.")
        for topic in wanted
        if topic.name not in there
    ]
    by_hand = 'Correct it by hand; docs/operations.md, "What cannot be changed in place", says why.'
    wrong = differences(wanted, there, replication_factor)
    found += [Diagnosis("topics", difference, by_hand) for difference in wrong]
    return found or [Diagnosis("topics", "all are there, and as they must be")]


async def _brokers_clock(conn: asyncpg.Connection) -> Diagnosis:
    newest: datetime | None = await conn.fetchval(query("newest_log_time"))
    # A broker that is behind looks like a quiet night from here. The API, which compares at each ack, can.
    ahead = timedelta() if newest is None else max(timedelta(), newest - datetime.now(UTC))
    return _clock("brokers' clock", "by the newest press, the brokers'", ahead)


def of_a_partition(place: Watched, *, stuck: bool) -> Diagnosis:
    """Return what is found of one partition, and what to do when its presses are not judged."""
    state, advice = _state(place, stuck=stuck)
    more = {
        "partition": place.kpart,
        "state": state,
        "lag": place.lag,
        "unpublished": place.unpublished,
        "next_offset": place.next_offset,
        "log_begins": place.log.begin,
        "log_ends": place.log.end,
        "outcomes_next": place.outcomes_next,
        "stream_begins": place.stream.begin,
        "stream_ends": place.stream.end,
        "projector": place.projector,
    }
    unpublished = f"{place.unpublished}{' or more' if place.unpublished == UNPUBLISHED_MAX else ''}"
    found = f"{state}, lag {place.lag}, unpublished outcomes {unpublished}"
    return Diagnosis(f"partition {place.kpart}", found, advice, more)


def _state(place: Watched, *, stuck: bool) -> tuple[str, str | None]:
    if place.next_offset is None:
        return "no checkpoint", "Run `stint topics`: it makes the checkpoints that are missing."
    if place.went_back:
        return (
            "the log went back",
            "Never move the checkpoint: docs/operations.md, alarm `log_went_back`, says what to do.",
        )
    if place.stream_went_back:
        return (
            "the judged stream went back",
            f"{OUTCOMES} is not the one that was written: docs/operations.md, alarm `log_went_back`, says what to do.",
        )
    if place.projector is None:
        return "no projector", "Start a projector, and look at its log when it does not take the partition up."
    if stuck and place.lag:
        return (
            "stuck",
            f"Look at `/readyz` and the log of the projector at {place.projector}, then at docs/operations.md.",
        )
    if stuck:
        return "not published", "Look for `producer_broken` in the log of its projector, and at Kafka's replicas."
    return ("catching up" if place.has_work else "judged"), None


def of_the_commands(places: list[Unsettled], stuck: set[int]) -> Diagnosis:
    """Return what is found of the commands of other services, and what to do when they are not settled."""
    lag, lost = sum(place.lag for place in places), sum(place.lost for place in places)
    read = sum(place.reader is not None for place in places)
    found = f"lag {lag}, and APIs read {read} of {len(places)} partitions"
    more = {"lag": lag, "lost": lost, "read": read, "stuck": sorted(stuck)}
    return Diagnosis(
        "commands",
        found + (f"; {lost} were deleted before one did" if lost else ""),
        _advice({place.partition for place in places if place.reader is None}, stuck, lost),
        more,
    )


def _advice(unread: set[int], stuck: set[int], lost: int) -> str | None:
    if stuck & unread:
        return "Start an API whose COMMAND_API_COMMANDS_AT_ONCE is not 0, or correct STINT_CLI_COMMANDS_GROUP_ID."
    if stuck:
        numbers = ", ".join(map(str, sorted(stuck)))
        return f"Partitions {numbers} stand still: look for `commands_` in the logs of the APIs (docs/operations.md)."
    if lost:
        return "Ask those who sent them to send them again, with the same ce_id: a week is how long commands are kept."
    return None


async def _texts(conn: asyncpg.Connection, log: LogReader, partitions: int) -> Diagnosis:
    kept = {row["kpart"]: row["next_offset"] for row in await conn.fetch(query("text_positions"))}
    # After the positions: a text that comes between the two is lag.
    held = await log.held(TEXTS, range(partitions))
    short = [kpart for kpart, at in held.items() if kept.get(kpart, 0) > at.end]
    lag = sum(max(0, at.end - max(at.begin, kept.get(kpart, 0))) for kpart, at in held.items())
    return Diagnosis(
        "texts",
        f"{TEXTS} ends before what was kept of it in partitions {', '.join(map(str, short))}"
        if short
        else f"lag {lag}",
        "docs/operations.md, alarm `texts_went_back`, says what to do." if short else None,
        {"lag": lag, "went_back": short},
    )


async def _policies(conn: asyncpg.Connection, kafka: KafkaAddress) -> Diagnosis:
    """Compare the policies that projectors have read with those on the topic."""
    kept = await conn.fetch(query("kept_policies"))
    try:
        # After the rows: one that comes between the two is on the topic, and not asked for.
        book = await read_policies(kafka)
    except Trouble as trouble:
        return Diagnosis(
            "policies",
            str(trouble),
            f"Run the commands of that release, or look at Kafka and the right to read {POLICIES}.",
        )
    there = {
        (tenant, one.revision, one.replaces, one.set_by, one.set_at)
        for tenant in {row["tenant"] for row in kept}
        for one in book.history(tenant, None, book.position + 1)
    }
    other = [
        row["revision"]
        for row in kept
        if (row["tenant"], row["revision"], row["replaces"], row["set_by"], row["set_at"]) not in there
    ]
    return Diagnosis(
        "policies",
        f"{POLICIES} is not the one that was read: it lacks {len(other)} revisions, from {other[0]} on"
        if other
        else f"{POLICIES} has all {len(kept)} revisions that were read",
        "docs/operations.md, alarm `policies_went_back`, says what to do." if other else None,
        {"went_back": other},
    )
