"""What every test has: examples that are the same in each run, and more of them when there is time."""

import os

import hypothesis
import pytest

LONG = os.environ.get("STINT_TEST_LONG") == "1"

# Derandomized: a run that failed fails again, and one that passed did not pass by luck. No deadline: two busy cores
# make any single example slow once in a while, and slowness is measured elsewhere.
hypothesis.settings.register_profile("test", derandomize=True, deadline=None, max_examples=100, database=None)
hypothesis.settings.register_profile("long", parent=hypothesis.settings.get_profile("test"), max_examples=5000)
hypothesis.settings.load_profile("long" if LONG else "test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is marked `long` to `make test-long`."""
    if LONG:
        return
    skip = pytest.mark.skip(reason="long: only in `make test-long`")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
