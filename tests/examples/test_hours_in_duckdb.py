"""The analyst's consumer: its sums are those of the read models, over kills, and over what comes twice."""

import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from shared.events.topics import OUTCOMES
from tests.examples.told import EXAMPLES, loosely, told_by
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.logs import LogRecord, read_topic
from tests.support.stack.outside import said_by, started
from tests.support.stack.until import eventually

FOLDER: Final = EXAMPLES / "hours_in_duckdb"
PROGRAM: Final = FOLDER / "hours.py"
SWITCHING: Final[dict[str, Any]] = {
    "preset": "native",
    "zone": "Asia/Jerusalem",
    "rules": {"R13": {"mode": "stop_previous"}},
}
TWO_DAYS_AGO: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
OWNERS: Final = 2
PRESSES: Final = 1 + OWNERS * 6  # and the one by which an API shows that it knows the tenant
# Between the sums and the positions of one transaction.
IN_THE_MIDDLE: Final = "        for kpart, records in polled.items():\n            self._db.execute(MOVE"
KILLS_ITSELF: Final = '        if os.environ.get("DIE"):\n            os.kill(os.getpid(), 9)\n' + IN_THE_MIDDLE


class Analyst:
    """One DuckDB file in a folder of its own, and the program that fills it."""

    def __init__(self, folder: Path, wheel: Path, deployment: Deployment, program: Path = PROGRAM) -> None:
        self.folder, self._wheel, self._program = folder, wheel, program
        self._kafka = deployment.kafka.bootstrap_servers

    async def starts(self, at_once: int = 10_000, **environ: str) -> asyncio.subprocess.Process:
        """Start the program."""
        arguments = ("hours.duckdb", "hours.parquet", "--at-once", str(at_once))
        said = {"STINT_KAFKA": self._kafka} | environ
        return await started(self._program, *arguments, folder=self.folder, wheel=self._wheel, environ=said)

    async def runs(self) -> list[str]:
        """Run the program to its end, and return what it printed."""
        return await said_by(await self.starts())

    def days(self, account: str) -> list[dict[str, Any]]:
        """Return an account's days from the Parquet file, as the API words them."""
        found = duckdb.execute(
            "SELECT day, us, billable_us FROM read_parquet($1) WHERE account = $2 AND us <> 0 ORDER BY day",
            [str(self.folder / "hours.parquet"), account],
        ).fetchall()
        return [
            {"day": f"{day}", "seconds": us / 1e6, "billable_seconds": billable / 1e6} for day, us, billable in found
        ]


async def worked(api: Api, deployment: Deployment) -> tuple[str, list[dict[str, Any]]]:
    """Work for one account in every way that days can change. Return the account, and its days as the API says them."""
    tenant = await deployment.tenant(role="admin")
    office = Api(api.http, tenant.token)
    await api.knows(tenant)
    put = await api.http.put("/v1/policy", json=SWITCHING | {"replaces": tenant.revision}, headers=office.headers())
    assert put.status_code == 200, put.text
    account = f"account-{fresh_owner()}"
    for number in range(OWNERS):
        await _works(office, account, billable=number % 2 == 0)
    asked = await api.http.get(f"/v1/accounts/{account}/days", headers=office.headers())
    told = [{name: day[name] for name in ("day", "seconds", "billable_seconds")} for day in asked.json()["items"]]
    assert len(told) >= 2
    await _delivered_twice(deployment, tenant)
    return account, told


async def _works(api: Api, account: str, *, billable: bool) -> None:
    """Work over a midnight. Then a second timer switches the first one off, whose own stop comes late, and earlier."""
    owner = fresh_owner()

    async def pressed(verb: str, timer: str, hours: float) -> None:
        answer = await api.press(verb, timer, at=(TWO_DAYS_AGO + timedelta(hours=hours)).isoformat())
        assert answer.status_code == 200, answer.text

    async def begun(hours: float) -> str:
        at = (TWO_DAYS_AGO + timedelta(hours=hours)).isoformat()
        answer = await api.start(owner, at=at, account_id=account, billable=billable)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    first = await begun(19.5)
    await pressed("pause", first, 23.25)
    await pressed("resume", first, 24)
    second = await begun(26)
    await pressed("stop", first, 25.5)
    await pressed("stop", second, 27)


async def _delivered_twice(deployment: Deployment, tenant: Tenant) -> None:
    """Append the tenant's last outcomes once more, as after a projector that died before it knew of the ack."""

    async def published() -> list[LogRecord]:
        theirs = f"{tenant.name}/".encode()
        return [one for one in await read_topic(deployment.kafka, OUTCOMES) if (one.key or b"").startswith(theirs)]

    async def all_are_published() -> bool:
        return len(await published()) >= PRESSES

    await eventually(all_are_published, "each outcome is on the judged stream")
    for record in (await published())[-5:]:
        await deployment.producer.send_and_wait(
            OUTCOMES, value=record.value, key=record.key, partition=record.partition
        )


@pytest.fixture
async def analyst(tmp_path: Path, wheel: Path, deployment: Deployment) -> Analyst:
    """Give an analyst who has read what other tests did."""
    analyst = Analyst(tmp_path, wheel, deployment)
    await analyst.runs()
    return analyst


def changed(analyst: Analyst, wheel: Path, deployment: Deployment, *changes: tuple[str, str]) -> Analyst:
    """Give the same analyst another program: ours, with some lines changed."""
    text = PROGRAM.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    program = analyst.folder / "changed.py"
    program.write_text(text, encoding="utf-8")
    return Analyst(analyst.folder, wheel, deployment, program)


def test_what_the_page_asks_of_the_file_prints_what_it_shows(tmp_path: Path) -> None:
    """As a script, in which an expression alone prints nothing."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    [query] = re.findall(r"`(duckdb\.sql\(.+\))`", page)
    [shown] = re.findall(r"```text\n(┌.+?)```", page, re.DOTALL)
    hours = "SELECT 'A-1' AS account, DATE '2026-11-27' AS day, 8.0::DOUBLE AS hours, 8.0::DOUBLE AS billable_hours"
    duckdb.execute(f"COPY ({hours}) TO '{tmp_path / 'hours.parquet'}'")
    ran = subprocess.run(
        [sys.executable, "-c", f"import duckdb\n{query}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == shown.strip()


async def test_hours_are_those_of_the_read_models_over_kills_and_restarts(
    analyst: Analyst, api: Api, deployment: Deployment
) -> None:
    account, days = await worked(api, deployment)
    for polls in (2, 3):
        running = await analyst.starts(at_once=2)
        assert running.stdout is not None
        for _ in range(polls):
            assert await running.stdout.readline()
        running.kill()
        await running.wait()
    printed = await analyst.runs()
    assert analyst.days(account) == days
    assert len(await analyst.runs()) == 1  # nothing is new
    assert analyst.days(account) == days
    assert list(dict.fromkeys(loosely(printed))) == told_by(FOLDER)  # one line for each poll, and the last


@pytest.mark.parametrize("transaction", [True, False], ids=["in one transaction", "control: without it"])
async def test_a_kill_between_sums_and_positions_counts_nothing_twice(
    analyst: Analyst, wheel: Path, api: Api, deployment: Deployment, *, transaction: bool
) -> None:
    account, days = await worked(api, deployment)
    changes = [(IN_THE_MIDDLE, KILLS_ITSELF)]
    if not transaction:
        changes += [("        self._db.begin()\n", ""), ("        self._db.commit()\n", "")]
    dies = changed(analyst, wheel, deployment, *changes)
    assert await (await dies.starts(at_once=5, DIE="yes")).wait() == -9
    await dies.runs()
    assert (dies.days(account) == days) == transaction


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((" <= self._last.get(kpart, -1)", " < 0"), id="what comes twice"),
        pytest.param(("closed.was.days if closed.was else ()", "()"), id="what is taken back"),
    ],
)
async def test_without_each_of_its_guards_the_program_counts_too_much(
    analyst: Analyst, wheel: Path, api: Api, deployment: Deployment, change: tuple[str, str]
) -> None:
    """The controls: repeats and ends that are taken back are there, and matter."""
    account, days = await worked(api, deployment)
    gullible = changed(analyst, wheel, deployment, change)
    await gullible.runs()
    assert sum(day["seconds"] for day in gullible.days(account)) > sum(day["seconds"] for day in days)
