"""A peer for `rebuild`: starts and stops, projected by the library `eventsourcing` as its manual shows it.

A projection with a tracking recorder writes the rows of each event with its position, in one transaction.
Run by the Python of its own environment (`projection.lock`), never by ours, with the library's settings of Postgres in
the environment. `projection.py record EVENTS` records them, and prints the last one's place in the sequence.
`projection.py project PLACE` projects up to there, and prints how many seconds it took after its start.
"""

# Its libraries are in another environment, where mypy is not.
# mypy: ignore-errors

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

OWNERS = 2_000
BEGINS = datetime(2026, 3, 2, 7, tzinfo=UTC)
TABLES = (
    """CREATE TABLE IF NOT EXISTS timer (id uuid PRIMARY KEY, owner text NOT NULL, state text NOT NULL,
       started_at timestamptz NOT NULL, stopped_at timestamptz, total_us bigint NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS timer_by_owner ON timer (owner, started_at)",
    "CREATE TABLE IF NOT EXISTS day_total (owner text, day date, total_us bigint NOT NULL, PRIMARY KEY (owner, day))",
)
START = "INSERT INTO timer VALUES (%s, %s, 'RUNNING', %s, NULL, 0)"
STOP = "UPDATE timer SET state = 'STOPPED', stopped_at = %s, total_us = %s WHERE id = %s"
COUNT = (
    "INSERT INTO day_total VALUES (%s, %s, %s)"
    " ON CONFLICT (owner, day) DO UPDATE SET total_us = day_total.total_us + excluded.total_us"
)


class Timer(Aggregate):
    """A timer that is started and stopped."""

    @event("Started")
    def __init__(self, owner: str, started_at: datetime) -> None:
        self.owner = owner
        self.started_at = started_at

    @event("Stopped")
    def stop(self, owner: str, stopped_at: datetime, total_us: int) -> None:
        """Stop the timer."""
        self.owner, self.stopped_at, self.total_us = owner, stopped_at, total_us


class Timers(Application[UUID]):
    """The timers."""


class View(PostgresTrackingRecorder):
    """The read models, each event in one transaction with its position."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(*args, **options)
        self.sql_create_statements += [SQL(table) for table in TABLES]

    def write(self, tracking: Tracking, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Write rows and the position."""
        with self.datastore.transaction(commit=True) as cursor:
            for statement, values in statements:
                cursor.execute(statement, values)
            self._insert_tracking(cursor, tracking)


class Hours(Projection[View]):
    """Timers and day totals."""

    topics = ()

    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        """Write what one event means."""
        match type(domain_event).__name__, domain_event:
            case "Started", started:
                values = (started.originator_id, started.owner, started.started_at)
                self.view.write(tracking, (START, values))
            case "Stopped", stopped:
                values = (stopped.stopped_at, stopped.total_us, stopped.originator_id)
                day = (stopped.owner, stopped.stopped_at.date(), stopped.total_us)
                self.view.write(tracking, (STOP, values), (COUNT, day))
            case kind, _:
                raise AssertionError(kind)


def recorded(events: int) -> int:
    """Record events, and return the last one's place in the sequence."""
    app, last = Timers(), 0
    for number in range(events // 2):
        hour, of_owner = divmod(number, OWNERS)
        at = BEGINS + timedelta(hours=hour, seconds=of_owner)
        timer = Timer(owner=f"owner-{of_owner}", started_at=at)
        timer.stop(f"owner-{of_owner}", at + timedelta(minutes=50), 3_000_000_000)
        last = app.save(timer)[-1].notification.id
    app.close()
    return last


def projected(last: int) -> float:
    """Project up to a place, and return how many seconds that took when all was there and connected."""
    with ProjectionRunner(application_class=Timers, projection_class=Hours, view_class=View) as runner:
        began = time.perf_counter()
        runner.wait(last, timeout=600)
        return time.perf_counter() - began


def main() -> None:
    """Record, or project."""
    do = {"record": recorded, "project": projected}[sys.argv[1]]
    sys.stdout.write(json.dumps(do(int(sys.argv[2]))) + "\n")


if __name__ == "__main__":
    main()
