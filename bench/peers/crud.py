"""A bare CRUD service: a start inserts a row, a stop updates it. No rule, no retry under a key, no event.

A second start under the same key is a second timer, two timers of one owner may run, and neither is reported.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import asyncpg
from fastapi import FastAPI, HTTPException, Request

from bench.peers.timers import Start, Timer, TimerId, address, fresh_id, minutes, opened_pool, read_id

_START: Final = "INSERT INTO timer (id, owner, comment, started_at) VALUES ($1, $2, $3, $4)"
_STOP: Final = """
UPDATE timer SET stopped_at = $2 WHERE id = $1 AND stopped_at IS NULL RETURNING owner, started_at, stopped_at
"""
_FIND: Final = "SELECT owner, started_at, stopped_at FROM timer WHERE id = $1"


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    async with opened_pool(address()) as pool:
        api.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/readyz")
async def ready() -> None:
    """Answer once the pool is open."""


@app.post("/v1/timers", status_code=201)
async def start(body: Start, request: Request) -> Timer:
    """Insert a timer."""
    pool: asyncpg.Pool = request.app.state.pool
    timer_id, now = fresh_id(), datetime.now(UTC)
    await pool.execute(_START, timer_id, body.owner, body.comment, now)
    return Timer(id=str(timer_id.int), owner=body.owner, state="RUNNING", started_at=now)


@app.post("/v1/timers/{timer_id}/stop")
async def stop(timer_id: TimerId, request: Request) -> Timer:
    """Update a timer. A second stop gets the answer of the first."""
    pool: asyncpg.Pool = request.app.state.pool
    key = read_id(timer_id)
    row = await pool.fetchrow(_STOP, key, datetime.now(UTC)) or await pool.fetchrow(_FIND, key)
    if row is None:
        raise HTTPException(404)
    owner, started_at, stopped_at = row
    total = minutes(stopped_at - started_at)
    return Timer(
        id=timer_id, owner=owner, state="STOPPED", started_at=started_at, stopped_at=stopped_at, total_minutes=total
    )
