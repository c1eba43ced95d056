"""Hours per account and local day, kept in DuckDB from Stint's judged stream: each outcome is counted exactly once.

STINT_KAFKA=127.0.0.1:19092 python hours.py hours.duckdb hours.parquet

It adds what came since its last run, writes the Parquet file, and ends. Kill it whenever you like, and run it again.
"""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import duckdb
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from stint_events.outcome import Outcome, read_outcome
from stint_events.topics import OUTCOMES

TABLES: Final = """
CREATE TABLE IF NOT EXISTS position (kpart INTEGER PRIMARY KEY, next_offset BIGINT, last_source_offset BIGINT);
CREATE TABLE IF NOT EXISTS worked (
    tenant TEXT, account TEXT, day DATE, us BIGINT, billable_us BIGINT, PRIMARY KEY (tenant, account, day));
CREATE OR REPLACE VIEW hours AS
    SELECT *, round(us / 3.6e9, 2) AS hours, round(billable_us / 3.6e9, 2) AS billable_hours
      FROM worked WHERE us <> 0 ORDER BY ALL;
"""
MOVE: Final = "INSERT OR REPLACE INTO position VALUES ($1, $2, $3)"
ADD: Final = """
INSERT INTO worked VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO UPDATE SET us = us + excluded.us, billable_us = billable_us + excluded.billable_us
"""


class Hours:
    """One DuckDB file: the sums, and how far each partition is in them. Both move in one transaction."""

    def __init__(self, path: str) -> None:
        self._db = duckdb.connect(path)
        self._db.execute(TABLES)
        self._last: dict[int, int] = dict(self._rows("SELECT kpart, last_source_offset FROM position"))

    def next_offsets(self) -> dict[int, int]:
        """Return where to read on, by partition."""
        return dict(self._rows("SELECT kpart, next_offset FROM position"))

    def add(self, polled: dict[int, list[ConsumerRecord]]) -> int:
        """Add what one poll brought, by partition, and return how many outcomes counted. All of it, or nothing."""
        us: Counter[tuple[str, str, date]] = Counter()
        billable_us: Counter[tuple[str, str, date]] = Counter()
        counted = 0
        for kpart, records in polled.items():
            for record in records:
                outcome = read_outcome(record.value)  # NewerOutcomeError: install the newer wheel, and run again
                if outcome.source_offset <= self._last.get(kpart, -1):
                    continue  # delivery is at least once, and this one has been counted
                self._last[kpart] = outcome.source_offset
                counted += 1
                for account, day, worked, billable in worked_in(outcome):
                    key = (outcome.tenant or "", account, day)
                    us[key] += worked
                    billable_us[key] += worked if billable else 0
        self._db.begin()
        for key, worked in us.items():
            self._db.execute(ADD, [*key, worked, billable_us[key]])
        for kpart, records in polled.items():
            self._db.execute(MOVE, [kpart, records[-1].offset + 1, self._last[kpart]])
        self._db.commit()
        return counted

    def write_parquet(self, path: str) -> None:
        """Write all sums to a Parquet file. Exact microseconds, and hours to look at."""
        self._db.view("hours").write_parquet(path)
        query = "SELECT count(*), count(DISTINCT (tenant, account)), coalesce(sum(us), 0) / 3.6e9 FROM hours"
        [[days, accounts, hours]] = self._rows(query)
        print(f"{path}: {hours:.2f} hours on {days} days of {accounts} accounts")

    def _rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        return self._db.execute(query).fetchall()


def worked_in(outcome: Outcome) -> Iterator[tuple[str, date, int, bool]]:
    """Say what an outcome adds: account, local day, microseconds, billable. A refused press may have settled others.

    An end that nobody pressed (an automatic stop, a switch) is taken back when an earlier pause or stop comes late.
    The interval is then told again, and `was` has the days that it no longer has.
    """
    for change in outcome.changed:
        if (closed := change.closed) is None or (account := change.after.account_id) is None:
            continue
        for part in closed.days:
            yield account, part.on, part.us, change.after.billable
        for part in closed.was.days if closed.was else ():
            yield account, part.on, -part.us, change.after.billable


async def read_what_is_new(hours: Hours, kafka: str, at_once: int) -> None:
    """Add what is on the topic now. Without a group: our positions are in DuckDB, and Kafka keeps none for us."""
    consumer = AIOKafkaConsumer(OUTCOMES, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        known = hours.next_offsets()
        for partition in consumer.assignment():
            if partition.partition in known:
                consumer.seek(partition, known[partition.partition])
        ends = await consumer.end_offsets(consumer.assignment())
        while [partition for partition, end in ends.items() if await consumer.position(partition) < end]:
            polled = await consumer.getmany(timeout_ms=1000, max_records=at_once)
            counted = hours.add({partition.partition: records for partition, records in polled.items()})
            if counted:
                print(f"kept {counted} outcomes", flush=True)


def main() -> None:
    """Read what is new, and write the Parquet file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("database")
    arguments.add_argument("parquet")
    arguments.add_argument("--at-once", type=int, default=10_000, help="the most outcomes in one transaction")
    given = arguments.parse_args()
    kafka = os.environ.get("STINT_KAFKA") or sys.exit(
        "STINT_KAFKA is not set, or empty: README.md beside this program says what to export."
    )
    hours = Hours(given.database)
    asyncio.run(read_what_is_new(hours, kafka, given.at_once))
    hours.write_parquet(given.parquet)


if __name__ == "__main__":
    main()
