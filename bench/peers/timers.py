"""What both peers have in common: ids, bodies, answers, and the pool.

An id is a random number of 128 bits whose first bits are set, so that it always has 39 digits. Postgres keeps it as a
uuid, which is its type of 16 bytes.
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

import asyncpg
from fastapi import Path
from pydantic import BaseModel, Field

# As many as asyncpg's own default, all opened at the start. The server takes a hundred, and others need theirs.
_CONNECTIONS: Final = 10
_MINUTE: Final = timedelta(minutes=1)

TimerId = Annotated[str, Path(pattern=r"^[0-9]{39}$")]


class Start(BaseModel):
    """The body of a start."""

    owner: Annotated[str, Field(min_length=1, max_length=128)]
    comment: Annotated[str, Field(max_length=4000)] | None = None


class Timer(BaseModel):
    """A timer as callers see it."""

    id: str
    owner: str
    state: Literal["RUNNING", "STOPPED"]
    started_at: datetime
    stopped_at: datetime | None = None
    total_minutes: str | None = None
    flags: list[str] = []


def fresh_id() -> UUID:
    """Draw an id."""
    return UUID(int=0xC << 124 | secrets.randbits(124))


def read_id(timer_id: str) -> UUID | None:
    """Return the id that 39 digits write; None when it has more than 128 bits."""
    number = int(timer_id)
    return UUID(int=number) if number < 1 << 128 else None


def minutes(worked: timedelta) -> str:
    """Return minutes with one decimal, halves rounded up."""
    tenths = Decimal(worked // timedelta(microseconds=1)) / Decimal(_MINUTE // timedelta(microseconds=1))
    return str(tenths.quantize(Decimal("0.1"), ROUND_HALF_UP))


def address() -> str:
    """Return the database's address."""
    return os.environ["PEER_POSTGRES_DSN"]


@asynccontextmanager
async def opened_pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Open a pool. asyncpg prepares each statement once for each connection."""
    async with asyncpg.create_pool(dsn, min_size=_CONNECTIONS, max_size=_CONNECTIONS) as pool:
        yield pool
