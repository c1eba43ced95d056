"""At once: several pieces of work at the same time, whose failure is raised as if there were one."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def at_once(*work: Coroutine[Any, Any, _T]) -> list[_T]:
    """Run all of it at the same time, and return the results in order. Raises the first failure when the rest ended."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except ExceptionGroup as failures:
        # Not as a group, because callers handle errors by their kind.
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]
