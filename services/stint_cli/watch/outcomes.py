"""Outcomes: what became of one record, as its row has it, which is packed and so no text for psql."""

import json
from typing import Any

import asyncpg

from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from shared.packing.bodies import DamagedBodyError, UnknownDictionaryError, body_of


async def outcome_at(conn: asyncpg.Connection, kpart: int, offset: int) -> dict[str, Any]:
    """Return the outcome of a record, as it is on the judged stream. Raise Trouble when there is none."""
    row = await conn.fetchrow(query("outcome_at"), kpart, offset)
    if row is None:
        raise Trouble(
            f"there is no outcome at {kpart}:{offset}: the record is not judged yet (`stint doctor`), was a repeat or "
            "void, or is older than 31 days, and then timer.outcomes.v1 has it"
        )
    try:
        outcome: dict[str, Any] = json.loads(body_of(row["body"], row["packed"]))
    except UnknownDictionaryError:
        raise Trouble(f"the outcome at {kpart}:{offset} was packed by a newer release: upgrade this command") from None
    except DamagedBodyError:
        raise Trouble(f"the row of {kpart}:{offset} is damaged; timer.outcomes.v1 has the outcome") from None
    return outcome
