"""Plans: how Postgres answers a query on a table that a test has filled, and what is wrong with that."""

import json
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from services.command_api.store.database import session_of

# A session of the API's, but for one that may write: a test fills its tables.
SESSION: Final = session_of(writes=False) | {"default_transaction_read_only": "off", "timezone": "UTC"}
# A page has a hundred rows, each perhaps in a block of its own, and a year has 365.
BLOCKS_MAX: Final = 400
# Each read, and the indexes that have its rows together or in its order.
READS: Final = {
    "find_current_timers": {"timer_open_of_owner", "interval_pkey"},
    "find_days": {"day_total_pkey", "interval_by_end", "interval_long", "owner_fact_pkey"},
    "find_history": {"timer_history_pkey"},
    "find_open_timers": {"timer_open_by_tenant"},
    "find_open_timers_of_owner": {"timer_open_of_owner"},
    "find_outcome": {"outcome_of_event"},
    "find_outcome_anywhere": {"outcome_of_event"},
    "find_owner": {"owner_fact_pkey"},
    "find_running_timer": {"timer_open_of_owner", "interval_open"},
    "find_timer": {"timer_pkey", "interval_pkey"},
    "find_violations": {"violation_by_tenant"},
    "find_violations_by_rule": {"violation_by_rule"},
    "find_violations_of_owner": {"violation_by_owner"},
    "find_violations_of_owner_by_rule": {"violation_by_owner"},
    "find_work_days": {"work_total_pkey"},
}
_CROWDED: Final = {"timer", "interval", "violation", "day_total", "work_total"}


async def plan_of(conn: asyncpg.Connection, sql: str, values: Sequence[object]) -> list[dict[str, Any]]:
    """Run a query, and return the nodes of its plan that read the crowd's tables or sort."""
    said = ", ".join(literal(value) for value in values)
    await conn.execute(f"PREPARE look AS {sql}")
    try:
        plan = json.loads(await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE look({said})"))
    finally:
        await conn.execute("DEALLOCATE look")
    nodes, waiting = [], [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") in _CROWDED or "Sort" in node["Node Type"]:
            nodes.append(node)
    return nodes


def faults(nodes: list[dict[str, Any]], index: str) -> list[str]:
    """Return what is wrong with a plan that should read one page of one index, in its order."""
    wrong = [f"{node['Node Type']} of {node.get('Index Name')}" for node in nodes if node.get("Index Name") != index]
    wrong += [f"{node['Rows Removed by Filter']} rows dropped" for node in nodes if node.get("Rows Removed by Filter")]
    blocks = sum(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in nodes)
    return wrong + ([f"{blocks} blocks"] if blocks > BLOCKS_MAX else [])


def literal(value: object) -> str:
    """Return a value as SQL has it."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "'{" + ",".join(str(one) for one in value) + "}'"
    return str(value) if isinstance(value, int) else f"'{value}'"
