"""Dead letters on real parts: from when they are news, and how the list of both kinds is cut."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from services.stint_cli.watch import dead_letters
from services.stint_cli.watch.log import LogReader
from shared.events.topics import COMMANDS, DEAD
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import put
from tests.support.stack.terminals import Terminal

REASON: Final[dict[str, bytes | None]] = {"dead_reason": b"not_json"}
EVENT: Final = "INSERT INTO dead_letter (kpart, source_offset, log_time, reason) VALUES (1, $1, $2, 'no_key')"


async def diagnosed(terminal: Terminal) -> dict[str, Any]:
    """Return what `doctor` says of dead letters."""
    _, out, _ = await terminal.run("doctor", "--json")
    [one] = [each for each in json.loads(out)["checks"] if each["check"] == "dead letters"]
    return dict(one)


async def test_the_first_record_since_a_moment_is_found_by_the_brokers_time(deployment: Deployment) -> None:
    first = await put(deployment, 0, b"one", REASON, topic=DEAD)
    await asyncio.sleep(0.01)
    second = await put(deployment, 0, b"two", REASON, topic=DEAD)
    async with LogReader(deployment.kafka) as log:
        record = await log.first_from(DEAD, 0, second)
        assert record is not None
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        assert await log.since(DEAD, 0, at) == second
        assert await log.since(DEAD, 0, at - timedelta(milliseconds=1)) in {first, second}
        assert await log.since(DEAD, 0, at - timedelta(days=365)) == (await log.held(DEAD, [0]))[0].begin
        assert await log.since(DEAD, 0, at + timedelta(hours=1)) is None


async def test_a_dead_command_is_wrong_for_a_day(
    deployment: Deployment, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of this topic are of today, so the length of a day is what is changed."""
    await put(deployment, 0, b"not json", REASON, topic=DEAD)

    async def found() -> tuple[bool, int, bool]:
        one = await diagnosed(terminal)
        return one["ok"], one["new_commands"], COMMANDS in (one["advice"] or "")

    ok, new, advised = await found()
    assert (ok, new >= 1, advised) == (False, True, True)
    monkeypatch.setattr(dead_letters, "_NEW_FOR", timedelta(hours=-1))
    assert await found() == (True, 0, False)


async def test_an_event_that_could_not_be_read_is_news_for_a_day(deployment: Deployment, terminal: Terminal) -> None:
    async def found() -> tuple[int, int]:
        one = await diagnosed(terminal)
        return one["events"], one["new"]

    (events, new), now = await found(), datetime.now(UTC)
    try:
        await deployment.pool.execute(EVENT, 1 << 50, now - timedelta(hours=25))
        assert await found() == (events + 1, new)
        await deployment.pool.execute(EVENT, 2 << 50, now - timedelta(hours=23))
        assert await found() == (events + 2, new + 1)
    finally:
        await deployment.pool.execute("DELETE FROM dead_letter WHERE source_offset >= $1", 1 << 50)


async def test_the_newest_letters_of_both_kinds_are_one_list_which_says_that_it_was_cut(
    deployment: Deployment, terminal: Terminal
) -> None:
    try:
        commands = []
        for value in (b"one", b"two"):
            offset = await put(deployment, 0, value, REASON, topic=DEAD)
            await asyncio.sleep(0.01)
            commands.append(f"0:{offset}")
            await deployment.pool.execute(EVENT, (1 << 50) + offset, datetime.now(UTC))
            await asyncio.sleep(0.01)
        events = [f"1:{(1 << 50) + int(at[2:])}" for at in commands]
        status, out, err = await terminal.run("dead-letters", "list", "--most", "3", "--json")
        assert [one["at"] for one in json.loads(out)] == [events[1], commands[1], events[0]]
        assert (status, err) == (0, "stint: There are more than these 3: ask for more with `--most`.\n")
        _, out, err = await terminal.run("dead-letters", "list", "--most", "3")
        assert (len(out.splitlines()), err.count("\n")) == (1 + 3, 1)
        everything = await terminal.json("dead-letters", "list", "--most", "100000")
        times = [one["log_time"] for one in everything]
        assert times == sorted(times, reverse=True)
        all_of_them = ("dead-letters", "list", "--most", str(len(everything)))
        assert (await terminal.run(*all_of_them))[2] == ""
    finally:
        await deployment.pool.execute("DELETE FROM dead_letter WHERE source_offset >= $1", 1 << 50)
