"""CRUD with the product's promises: one transaction of Postgres for each press, in five round trips.

1. BEGIN, and the owner's row is locked: two presses of one owner are judged one after the other.
2. One read after the lock: the answer that this key had, which timers run, how much was worked today.
3. The rules, in Python: another timer runs (R13), the day's cap is reached (R11). Both flag.
4. One write: the timer, the day's totals, violations, the event for others, and the answer under its key.
5. COMMIT, and then the answer. A crash before it leaves nothing.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Request, Response

from bench.peers.timers import Start, Timer, TimerId, address, fresh_id, minutes, opened_pool, read_id

_ZONE: Final = ZoneInfo("Asia/Jerusalem")
_CAP: Final = timedelta(hours=8)
_MICROSECOND: Final = timedelta(microseconds=1)

_LOCK_OWNER: Final = """
INSERT INTO owner (owner, last_at) VALUES ($1, $2) ON CONFLICT (owner) DO UPDATE SET last_at = excluded.last_at
"""
_LOCK_OWNER_OF: Final = """
SELECT o.owner FROM timer t JOIN owner o ON o.owner = t.owner WHERE t.id = $1 FOR UPDATE OF o
"""
_BEFORE_START: Final = """
SELECT a.digest, a.status, a.body,
       (SELECT array_agg(t.started_at) FROM timer t WHERE t.owner = $2 AND t.stopped_at IS NULL) AS running,
       (SELECT d.worked_us FROM day_total d WHERE d.owner = $2 AND d.day = $3) AS worked_us
  FROM (VALUES (1)) one LEFT JOIN answer a ON a.key = $1
"""
_BEFORE_STOP: Final = """
SELECT a.digest, a.status, a.body, t.started_at, t.stopped_at, t.flags,
       (SELECT array_agg(r.started_at) FROM timer r WHERE r.owner = t.owner AND r.stopped_at IS NULL AND r.id <> t.id)
       AS running,
       (SELECT d.worked_us FROM day_total d WHERE d.owner = t.owner AND d.day = $3) AS worked_us
  FROM timer t LEFT JOIN answer a ON a.key = $1
 WHERE t.id = $2
"""
_START: Final = """
WITH flagged AS (
    INSERT INTO violation (timer_id, rule, from_at, owner) SELECT $1, rule, $4, $2 FROM unnest($5::text[]) rule
), told AS (
    INSERT INTO outbox (event) VALUES ($6)
), answered AS (
    INSERT INTO answer (key, digest, status, body, given_at) VALUES ($7, $8, 201, $9, $4)
)
INSERT INTO timer (id, owner, comment, started_at, flags) VALUES ($1, $2, $3, $4, $5)
"""
_STOP: Final = """
WITH flagged AS (
    INSERT INTO violation (timer_id, rule, from_at, owner) SELECT $1, rule, $3, $2 FROM unnest($4::text[]) rule
), told AS (
    INSERT INTO outbox (event) VALUES ($5)
), answered AS (
    INSERT INTO answer (key, digest, status, body, given_at) VALUES ($6, $7, 200, $8, $3)
), worked AS (
    INSERT INTO day_total (owner, day, worked_us)
    SELECT $2, day, worked_us FROM unnest($9::date[], $10::bigint[]) part (day, worked_us)
        ON CONFLICT (owner, day) DO UPDATE SET worked_us = day_total.worked_us + excluded.worked_us
)
UPDATE timer SET stopped_at = $3, flags = flags || $4 WHERE id = $1
"""


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    async with opened_pool(address()) as pool:
        api.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)
_Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]


@dataclass(frozen=True, slots=True)
class _KeyedRequest:
    """A request's key, which is the caller's or a fresh one, and its digest."""

    key: str
    digest: bytes


def _keyed(key: str | None, *parts: str) -> _KeyedRequest:
    return _KeyedRequest(key or str(uuid4()), hashlib.sha256("\n".join(parts).encode()).digest())


def _first_answer(row: asyncpg.Record, keyed: _KeyedRequest) -> Response | None:
    if row["digest"] is None:
        return None
    if row["digest"] != keyed.digest:
        raise HTTPException(422, "This key was used for another request.")
    return Response(row["body"], row["status"], media_type="application/json")


@app.get("/readyz")
async def ready() -> None:
    """Answer once the pool is open."""


@app.post("/v1/timers")
async def start(body: Start, request: Request, key: _Key = None) -> Response:
    """Start a timer, and flag what it breaks."""
    keyed = _keyed(key, "start", body.model_dump_json())
    pool: asyncpg.Pool = request.app.state.pool
    async with pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        await conn.execute(_LOCK_OWNER, body.owner, now)
        row = await conn.fetchrow(_BEFORE_START, keyed.key, body.owner, _day_of(now))
        if row is None:
            raise RuntimeError("the read returns a row, whatever it finds")
        if answered := _first_answer(row, keyed):
            return answered
        flags = ["R13"] * bool(row["running"]) + _over_cap(row, now)
        timer_id = fresh_id()
        timer = Timer(id=str(timer_id.int), owner=body.owner, state="RUNNING", started_at=now, flags=flags)
        answer = timer.model_dump_json()
        values = (timer_id, body.owner, body.comment, now, flags, _event("started", answer))
        await conn.execute(_START, *values, keyed.key, keyed.digest, answer.encode())
    return Response(answer, 201, media_type="application/json")


@app.post("/v1/timers/{timer_id}/stop")
async def stop(timer_id: TimerId, request: Request, key: _Key = None) -> Response:
    """Stop a timer, add what was worked to its days, and flag what it breaks. A second stop gets the first answer."""
    keyed = _keyed(key, "stop", timer_id)
    found = read_id(timer_id)
    pool: asyncpg.Pool = request.app.state.pool
    async with pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        owner = await conn.fetchval(_LOCK_OWNER_OF, found)
        row = await conn.fetchrow(_BEFORE_STOP, keyed.key, found, _day_of(now))
        if row is None or found is None:
            raise HTTPException(404)
        if answered := _first_answer(row, keyed):
            return answered
        if row["stopped_at"] is not None:
            return Response(
                _stopped(timer_id, owner, row, row["stopped_at"], row["flags"]), media_type="application/json"
            )
        flags = [flag for flag in _over_cap(row, now, row["started_at"]) if flag not in row["flags"]]
        answer = _stopped(timer_id, owner, row, now, row["flags"] + flags)
        days = days_of(row["started_at"], now)
        values = (found, owner, now, flags, _event("stopped", answer), keyed.key, keyed.digest, answer.encode())
        await conn.execute(_STOP, *values, [day for day, _ in days], [worked for _, worked in days])
    return Response(answer, media_type="application/json")


def _stopped(timer_id: str, owner: str, row: asyncpg.Record, at: datetime, flags: list[str]) -> str:
    timer = Timer(
        id=timer_id,
        owner=owner,
        state="STOPPED",
        started_at=row["started_at"],
        stopped_at=at,
        total_minutes=minutes(at - row["started_at"]),
        flags=flags,
    )
    return timer.model_dump_json()


def _event(what: str, timer: str) -> str:
    return f'{{"id":"{uuid4()}","type":"timer.{what}","timer":{timer}}}'


def _day_of(at: datetime) -> date:
    return at.astimezone(_ZONE).date()


def _over_cap(row: asyncpg.Record, now: datetime, *also: datetime) -> list[str]:
    """Return R11 when the owner's day, running timers included, is at or over the cap."""
    running: Sequence[datetime] = (*(row["running"] or ()), *also)
    begins = datetime.combine(_day_of(now), time(), _ZONE)
    worked = (row["worked_us"] or 0) * _MICROSECOND
    worked += sum((now - max(started_at, begins) for started_at in running), timedelta())
    return ["R11"] if worked >= _CAP else []


def days_of(start_at: datetime, end_at: datetime) -> list[tuple[date, int]]:
    """Cut an interval at each local midnight, and return the microseconds of each day."""
    parts: list[tuple[date, int]] = []
    while start_at < end_at:
        day = _day_of(start_at)
        next_day = datetime.combine(day + timedelta(days=1), time(), _ZONE).astimezone(UTC)
        until = min(end_at, next_day)
        parts.append((day, (until - start_at) // _MICROSECOND))
        start_at = until
    return parts
