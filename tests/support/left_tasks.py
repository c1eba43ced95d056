"""A test that failed ends before its fixtures do: what it left running is cancelled, and runs to its end.

A time-out stops the loop in the midst of an async test. Its task stays there, and without this module its `finally`
blocks run within the next tests: they would start a broker again that the next test has just stopped.
"""

import asyncio
from collections.abc import Generator
from typing import Any, Final

import pytest

ENDED_WITHIN_SECONDS: Final = 20.0
# pytest-asyncio's own: what runs the loop of the session.
_RUNNER: Final = "_session_scoped_runner"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """End what a failed test has left, in the same phase: fixtures are torn down in a later one."""
    runner = getattr(item, "funcargs", {}).get(_RUNNER)
    if runner is None:
        return (yield)
    before = asyncio.all_tasks(runner.get_loop())
    try:
        return (yield)
    except (Exception, pytest.fail.Exception):
        for is_the_test in (True, False):
            # The test itself first: it may await the others at its end.
            left = {task for task in asyncio.all_tasks(runner.get_loop()) - before if _is_of(item, task, is_the_test)}
            if left:
                said = runner.run(_ended(left))
                item.add_report_section("call", "tasks that it left", "\n".join(said))
        raise


def _is_of(item: pytest.Item, task: asyncio.Task[Any], is_the_test: bool) -> bool:  # noqa: FBT001 - see the one call
    """Say whether the test's file wrote what a task runs; or also, whether it is the test itself.

    Other tasks belong to clients, which may outlive the test: a connection whose reader is cancelled reads no more.
    """
    code = getattr(task.get_coro(), "cr_code", None)
    if code is None or code.co_filename != str(item.path):
        return False
    return not is_the_test or code.co_name == getattr(item, "originalname", None)


async def _ended(tasks: set[asyncio.Task[Any]]) -> list[str]:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=ENDED_WITHIN_SECONDS)
    return [_told(task) for task in tasks]


def _told(task: asyncio.Task[Any]) -> str:
    if not task.done():
        return f"{task.get_name()} still runs after {ENDED_WITHIN_SECONDS:.0f} s: {task.get_coro()}"
    error = None if task.cancelled() else task.exception()
    return f"{task.get_name()} ended" if error is None else f"{task.get_name()} ended with {error!r}"
